#include "app/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "app/bench/seconds_since.h"

namespace rf::app {
namespace {

using Clock = std::chrono::steady_clock;

// The sequences of one run and what they have done.
class BenchRun {
 public:
  BenchRun(Engine& engine, const BenchTest& test)
      : engine_(engine), uses_cache_(test.n_depth > 0), n_generated_(static_cast<size_t>(test.n_batch)) {}

  Status Submit(size_t index, std::vector<int32_t> prompt, int32_t max_tokens) {
    Request request;
    request.prompt = std::move(prompt);
    request.max_tokens = max_tokens;
    request.use_prefix_cache = uses_cache_;
    request.on_token = [this, index](const GeneratedToken&) {
      ++n_generated_[index];
      return true;
    };
    request.on_finish = [this](const RequestResult& result) {
      n_computed_ += result.n_prompt - result.n_cached;
      if (result.error) error_ = result.error;
    };
    RF_RETURN_IF_ERROR(CheckRequest(request, engine_.limits(), engine_.options()));
    ids_.push_back(engine_.Enqueue(std::move(request)));  // the queue's limits are for strangers
    return {};
  }

  Status Finish() {
    RF_RETURN_IF_ERROR(engine_.RunToCompletion());
    if (error_) return *error_;
    return {};
  }

  // Steps until every sequence has its first token, that is, all prompts are done.
  Status StepThroughPrompts() {
    while (*std::min_element(n_generated_.begin(), n_generated_.end()) == 0) RF_RETURN_IF_ERROR(StepOnce());
    return {};
  }

  Status StepOnce() {
    RF_RETURN_IF_ERROR(engine_.Step());
    if (error_) return *error_;
    return {};
  }

  Status CancelAll() {
    for (const RequestId id : ids_) engine_.Cancel(id);
    return Finish();
  }

  int64_t n_generated() const { return std::accumulate(n_generated_.begin(), n_generated_.end(), int64_t{0}); }
  int64_t n_computed() const { return n_computed_; }

 private:
  Engine& engine_;
  bool uses_cache_;
  std::vector<int64_t> n_generated_;
  std::vector<RequestId> ids_;
  int64_t n_computed_ = 0;
  std::optional<Error> error_;
};

// A stretch of a run that counts.
class Measured {
 public:
  explicit Measured(Profile* profile) : profile_(profile) {
    if (profile_ != nullptr) profile_->SetOn(true);
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;
  ~Measured() {
    if (profile_ != nullptr) profile_->SetOn(false);
  }
  double Seconds() const { return SecondsSince(start_); }

 private:
  Profile* profile_;
  Clock::time_point start_ = Clock::now();
};

class Bench {
 public:
  Bench(ModelSession& session, const BenchTest& test, uint64_t seed)
      : engine_(*session.engine), test_(test), n_vocab_(session.hparams.n_vocab), random_(seed) {}

  /// Tokens per second.
  Result<double> Once(Profile* profile) { return test_.n_prompt > 0 ? PromptOnce(profile) : DecodeOnce(profile); }

 private:
  std::vector<int32_t> RandomTokens(int32_t n) {
    std::uniform_int_distribution<int32_t> any(0, n_vocab_ - 1);
    std::vector<int32_t> tokens(static_cast<size_t>(n));
    for (int32_t& token : tokens) token = any(random_);
    return tokens;
  }

  // The depth's tokens are run before the clock starts, and found in the prefix cache by what is measured.
  Result<double> PromptOnce(Profile* profile) {
    std::vector<std::vector<int32_t>> prompts;
    for (int32_t i = 0; i < test_.n_batch; ++i) prompts.push_back(RandomTokens(test_.n_depth));
    if (test_.n_depth > 0) {
      BenchRun warm(engine_, test_);
      for (size_t i = 0; i < prompts.size(); ++i) RF_RETURN_IF_ERROR(warm.Submit(i, prompts[i], 0));
      RF_RETURN_IF_ERROR(warm.Finish());
    }
    BenchRun run(engine_, test_);
    for (auto& prompt : prompts) {
      const std::vector<int32_t> added = RandomTokens(test_.n_prompt);
      prompt.insert(prompt.end(), added.begin(), added.end());
    }
    // The first token needs no step of its own.
    const int32_t max_tokens = test_.n_gen > 0 ? test_.n_gen + 1 : 0;
    const Measured measured(profile);
    for (size_t i = 0; i < prompts.size(); ++i) RF_RETURN_IF_ERROR(run.Submit(i, std::move(prompts[i]), max_tokens));
    RF_RETURN_IF_ERROR(run.Finish());
    const double seconds = measured.Seconds();
    const int64_t wanted = int64_t{test_.n_prompt} * test_.n_batch;
    if (run.n_computed() != wanted) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("{} prompt tokens were computed instead of {}: give a depth that is a multiple of the KV "
                      "page (32), and leave the prefix cache on",
                      run.n_computed(), wanted),
          "-d"};
    }
    return static_cast<double>(wanted + int64_t{test_.n_gen} * test_.n_batch) / seconds;
  }

  Result<double> DecodeOnce(Profile* profile) {
    BenchRun run(engine_, test_);
    for (int32_t i = 0; i < test_.n_batch; ++i) {
      const int32_t n_prompt = std::max(test_.n_depth, 1);
      RF_RETURN_IF_ERROR(
          run.Submit(static_cast<size_t>(i), RandomTokens(n_prompt), std::numeric_limits<int32_t>::max()));
    }
    RF_RETURN_IF_ERROR(run.StepThroughPrompts());
    const int64_t before = run.n_generated();
    RF_ASSIGN_OR_RETURN(const double seconds, TimeSteps(run, profile));
    const int64_t n_tokens = run.n_generated() - before;
    RF_RETURN_IF_ERROR(run.CancelAll());
    if (n_tokens != int64_t{test_.n_gen} * test_.n_batch) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("{} tokens were generated in {} steps of {} sequences; --ctx or --kv-tokens is too small",
                      n_tokens, test_.n_gen, test_.n_batch),
          "bench"};
    }
    return static_cast<double>(n_tokens) / seconds;
  }

  Result<double> TimeSteps(BenchRun& run, Profile* profile) {
    const Measured measured(profile);
    for (int32_t i = 0; i < test_.n_gen; ++i) RF_RETURN_IF_ERROR(run.StepOnce());
    return measured.Seconds();
  }

  Engine& engine_;
  const BenchTest& test_;
  int32_t n_vocab_;
  std::mt19937_64 random_;
};

}  // namespace

int32_t PositionsOf(const BenchTest& test, int32_t prefill_chunk) {
  const int32_t measured = test.n_depth + test.n_prompt + test.n_gen;
  if (test.n_gen == 0) return measured;
  // Decoding begins with one token even at depth 0, and sequences that are ready early run ahead of the last one.
  return measured + 1 + test.n_batch * (test.n_depth / prefill_chunk + 1);
}

Result<BenchResult> RunBenchTest(ModelSession& session, const BenchTest& test, int32_t repetitions, uint64_t seed,
                                 Profile* profile) {
  Bench bench(session, test, seed);
  if (profile != nullptr) profile->Clear();
  BenchResult result;
  result.test = test;
  for (int32_t i = -1; i < repetitions; ++i) {
    RF_ASSIGN_OR_RETURN(const double rate, bench.Once(i < 0 ? nullptr : profile));
    if (i >= 0) result.samples.push_back(rate);
  }
  if (profile != nullptr) result.profile = *profile;
  const auto n = static_cast<double>(result.samples.size());
  result.mean = std::accumulate(result.samples.begin(), result.samples.end(), 0.0) / n;
  double squares = 0.0;
  for (const double sample : result.samples) squares += (sample - result.mean) * (sample - result.mean);
  result.stddev = n > 1 ? std::sqrt(squares / (n - 1)) : 0.0;
  return result;
}

}  // namespace rf::app
