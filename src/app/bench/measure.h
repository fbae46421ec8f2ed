// Measures prompt processing and decoding through the engine.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engine/model_session.h"
#include "plan/profile.h"

namespace rf::app {

/// One row of the table. n_prompt and n_gen are not both 0.
struct BenchTest {
  int32_t n_prompt = 0;
  int32_t n_gen = 0;
  int32_t n_depth = 0;  ///< positions in the KV cache before what is measured
  int32_t n_batch = 1;  ///< sequences side by side
};

struct BenchResult {
  BenchTest test;
  std::vector<double> samples;  ///< tokens per second of all sequences together
  double mean = 0.0;
  double stddev = 0.0;  ///< of the samples (n - 1); 0 for one
  Profile profile;      ///< of what was measured, all repetitions together; empty if it was not asked for
};

/// Positions that a sequence of the test needs at most.
int32_t PositionsOf(const BenchTest& test, int32_t prefill_chunk);

/// Runs a test once to warm up and `repetitions` times for the result. Tokens are random, fixed by the seed; sampling
/// is greedy and nothing ends a sequence. Prompt processing (n_prompt tokens a sequence, at a depth after n_depth
/// tokens that lie in the prefix cache) is the time until its last token's logits are there; decoding is n_gen steps
/// with one token of each sequence, timed from the step after the one that ended the last prompt; both together are
/// timed from the prompts' first step to the end of n_gen steps after their last. `profile` is the session's, or null.
/// Errors: those of the engine; kInvalidArgument if the depth's tokens do not stay in the cache.
Result<BenchResult> RunBenchTest(ModelSession& session, const BenchTest& test, int32_t repetitions, uint64_t seed,
                                 Profile* profile);

}  // namespace rf::app
