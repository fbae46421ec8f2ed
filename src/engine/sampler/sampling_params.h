// What a request says about how its tokens are chosen.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rf {

/// The steps that an order can name, in their usual order.
enum class SamplingStep : uint8_t {
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name, key) k##Name,
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
};

/// `key` is a step's name on the command line and in requests.
struct SamplingStepName {
  SamplingStep step;
  const char* key;
};
inline constexpr SamplingStepName kSamplingSteps[] = {
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name, key) {SamplingStep::k##Name, key},
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
};

/// Neutral values switch a step off; the defaults choose greedily. sampling_params.def explains the numbers.
struct SamplingParams {
  static constexpr int32_t kMaxCount = std::numeric_limits<int32_t>::max();

#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  Type field = static_cast<Type>(neutral);
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM

  uint64_t seed = 0;                                               ///< the same seed and request give the same tokens
  std::vector<std::pair<int32_t, float>> logit_bias;               ///< (token, added to its logit), at most kMaxBiases
  std::vector<int32_t> banned_ids;                                 ///< never chosen
  std::vector<int32_t> allowed_ids;                                ///< if not empty, nothing else is chosen
  std::vector<std::string> dry_breakers = {"\n", ":", "\"", "*"};  ///< DRY looks for no repetition across these
  std::vector<int32_t> dry_breaker_ids;                            ///< their tokens, ascending; see ResolveDryBreakers
  std::vector<SamplingStep> order;  ///< steps that run, first one first; empty: all, as usual

  bool is_greedy() const {
    return temperature == 0.0f;
  }
};

inline constexpr size_t kMaxLogitBiases = 1024;
inline constexpr float kMaxLogitBias = 100.0f;
inline constexpr size_t kMaxListedIds = 65'536;
inline constexpr size_t kMaxDryBreakers = 64;
inline constexpr size_t kMaxDryBreakerBytes = 64;

/// Errors: kInvalidArgument naming the field, its value and its range (`where` is the field's key).
Status CheckSamplingParams(const SamplingParams& params, int32_t n_vocab);

/// Reads "top_k;top_p;temperature" (also with commas). Errors: kInvalidArgument naming an unknown or repeated step and
/// those that there are.
Result<std::vector<SamplingStep>> ParseSamplingOrder(std::string_view text);

}  // namespace rf
