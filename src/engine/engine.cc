#include "engine/engine.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "engine/batch_builder.h"

namespace rf {
namespace {

double Milliseconds(TimePoint from, TimePoint to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

Error InvalidRequest(const char* field, std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), field};
}

int64_t CacheTokens(const RunnerLimits& limits) {
  return int64_t{limits.n_pages} * limits.page_tokens;
}

Status CheckPrompt(const std::vector<int32_t>& prompt, int32_t n_vocab) {
  if (prompt.empty()) return InvalidRequest("prompt", "the prompt is empty");
  for (size_t i = 0; i < prompt.size(); ++i) {
    if (prompt[i] >= 0 && prompt[i] < n_vocab) continue;
    return InvalidRequest("prompt",
                          fmt::format("token {} at index {} is outside the vocabulary of {}", prompt[i], i, n_vocab));
  }
  return {};
}

// Why the sampler found no token.
Error NothingToChoose(std::span<const float> logits) {
  if (std::isfinite(logits[static_cast<size_t>(ArgMax(logits))])) {
    return InvalidRequest("logit_bias", "the request forbids every token that could come next");
  }
  return Error{ErrorCode::kDevice, "the model gave no finite logits; its weights may be damaged (--verify)", ""};
}

}  // namespace

Status CheckRequest(const Request& request, const RunnerLimits& limits, const EngineOptions& options) {
  RF_RETURN_IF_ERROR(CheckPrompt(request.prompt, limits.n_vocab));
  if (request.max_tokens < 0) return InvalidRequest("max_tokens", "must not be negative");
  const auto n_prompt = static_cast<int64_t>(request.prompt.size());
  if (n_prompt > options.context_length) {
    return InvalidRequest("prompt", fmt::format("the prompt has {} tokens, the context only {} (--ctx)", n_prompt,
                                                options.context_length));
  }
  // A request without a limit of its own ends where the cache does.
  const int64_t n_wanted = request.max_tokens == kUnlimitedTokens ? 1 : request.max_tokens;
  const int64_t n_longest = std::min<int64_t>(options.context_length, n_prompt + n_wanted);
  if (n_longest > CacheTokens(limits)) {
    return InvalidRequest("prompt", fmt::format("{} prompt tokens and {} new ones need more than the KV cache's {} "
                                                "positions (--kv-tokens)",
                                                n_prompt, n_longest - n_prompt, CacheTokens(limits)));
  }
  return CheckSamplingParams(request.sampling, limits.n_vocab);
}

Status CheckQueue(std::span<const Request> requests, const EngineStats& stats, const RunnerLimits& limits,
                  const EngineOptions& options) {
  if (stats.n_waiting == 0) return {};
  const int64_t n_free = std::max(limits.max_sequences - stats.n_running, 0);
  const int64_t n_requests = stats.n_waiting + static_cast<int64_t>(requests.size());
  if (n_requests > options.max_queue + n_free) {
    return Error{ErrorCode::kBusy,
                 fmt::format("the queue is full: {} requests would wait, at most {} may; try again later",
                             n_requests - n_free, options.max_queue),
                 ""};
  }
  int64_t n_tokens = stats.n_waiting_tokens;
  for (const Request& request : requests) n_tokens += static_cast<int64_t>(request.prompt.size());
  if (n_tokens <= options.max_queue_tokens) return {};
  return Error{ErrorCode::kBusy,
               fmt::format("the queue is full: {} prompt tokens would wait, at most {} may; try again later", n_tokens,
                           options.max_queue_tokens),
               ""};
}

struct Engine::Impl {
  Impl(Runner& step_runner, const EngineOptions& engine_options)
      : runner(step_runner),
        options(engine_options),
        scheduler(step_runner.limits(), {engine_options.prefill_chunk, engine_options.use_prefix_cache}) {}

  /// What a step gave of an output row.
  struct OutputRow {
    std::span<const float> logits;  ///< unless the token is chosen
    bool is_changed = false;        ///< what the sampler changes of the model's logits has been changed
    std::optional<int32_t> chosen;  ///< by the best logits

    std::optional<int32_t> Choose(Sampler& sampler, std::span<const uint64_t> allowed) const {
      if (chosen) return chosen;
      return is_changed ? sampler.SampleChanged(logits) : sampler.Sample(logits, allowed);
    }
  };

  // The four verbs of Step().
  ScheduledStep Schedule();
  Status Run(const ScheduledStep& step);
  void Sample(const ScheduledStep& step);
  void Publish();

  /// Chooses tokens by the best logits where the step gave those, and fetches the rows for which they are not enough.
  Status TakeRows(const ScheduledStep& step, std::span<const float> logits);
  Status TakeBest(Sequence& sequence, size_t index);
  void SampleRun(const ScheduledRun& run, std::span<const OutputRow> run_rows);
  void ReportPromptLogits(Sequence& sequence, int32_t first_position, std::span<const OutputRow> run_rows);
  /// Samples the next token, takes those that must follow it, and tells the request. The reason if that ended it.
  std::optional<FinishReason> Extend(Sequence& sequence, const OutputRow& row);
  std::optional<FinishReason> AppendForced(Sequence& sequence);
  std::optional<FinishReason> NothingFits(Sequence& sequence);
  std::optional<FinishReason> Append(Sequence& sequence, const GeneratedToken& token);
  void EndLater(Sequence& sequence, FinishReason reason, std::optional<Error> error = std::nullopt);
  void FailBatch(const ScheduledStep& step, const Error& error);
  void FailAll(const Error& error);

  struct Ended {
    Sequence* sequence;
    FinishReason reason;
    std::optional<Error> error;
  };
  void End(Ended end);
  RequestResult Describe(const Sequence& sequence, Ended end) const;

  Runner& runner;
  const EngineOptions& options;
  Scheduler scheduler;
  StepBatch batch;
  std::vector<OutputRow> rows;  ///< of the last step
  std::unordered_map<RequestId, Sequence*> by_id;
  std::vector<Ended> ended;  ///< taken out by Publish()
  RequestId next_id = 1;
  EngineStats totals;
};

Engine::Engine(std::unique_ptr<Runner> runner, const EngineOptions& options)
    : runner_(std::move(runner)), options_(options) {
  const RunnerLimits& limits = runner_->limits();
  if (options_.max_queue_tokens == 0) options_.max_queue_tokens = int64_t{4} * options_.context_length;
  RF_CHECK(options_.context_length > 0 && options_.prefill_chunk > 0);
  RF_CHECK(limits.max_outputs >= limits.max_sequences && limits.max_tokens >= limits.max_sequences);
  RF_CHECK(int64_t{limits.max_pages_per_sequence} * limits.page_tokens >= options_.context_length);
  impl_ = std::make_unique<Impl>(*runner_, options_);
}

Engine::~Engine() = default;

Result<RequestId> Engine::Submit(Request request) {
  RF_RETURN_IF_ERROR(CheckRequest(request, limits(), options_));
  RF_RETURN_IF_ERROR(CheckQueue({&request, 1}, stats(), limits(), options_));
  return Enqueue(std::move(request));
}

RequestId Engine::Enqueue(Request request) {
  const RequestId id = impl_->next_id++;
  auto sequence = std::make_unique<Sequence>(id, std::move(request), options_.clock());
  const auto entry = impl_->by_id.emplace(id, sequence.get()).first;
  try {
    impl_->scheduler.Add(std::move(sequence));
  } catch (...) {
    impl_->by_id.erase(entry);
    throw;
  }
  return id;
}

void Engine::Cancel(RequestId id) {
  const auto found = impl_->by_id.find(id);
  if (found != impl_->by_id.end()) found->second->is_cancelled = true;
}

bool Engine::HasWork() const {
  return impl_->scheduler.HasWork();
}

Status Engine::Step() {
  try {
    const ScheduledStep step = impl_->Schedule();
    if (step.runs.empty()) return {};
    Status ran = impl_->Run(step);
    if (!ran) {
      impl_->FailBatch(step, ran.error());
      return ran;
    }
    impl_->Sample(step);
    impl_->Publish();
    return {};
  } catch (const std::bad_alloc&) {
    const Error error{ErrorCode::kOutOfMemory, "not enough memory for a step; its requests were ended", ""};
    impl_->FailAll(error);
    return error;
  } catch (const std::exception& bug) {
    const Error error{ErrorCode::kInternal, fmt::format("internal error, please report it: {}", bug.what()), ""};
    Log(LogLevel::kError, error.message);
    impl_->FailAll(error);
    return error;
  }
}

ScheduledStep Engine::Impl::Schedule() {
  scheduler.ForEach([&](Sequence& sequence) {
    if (sequence.is_cancelled) EndLater(sequence, FinishReason::kCancelled);
  });
  Publish();
  ScheduledStep step = scheduler.Schedule();
  RF_CHECK(!step.runs.empty() || !scheduler.HasWork(), "sequences wait, but none can run");
  const TimePoint now = options.clock();
  for (const ScheduledRun& run : step.runs) {
    if (run.sequence->first_step == TimePoint{}) run.sequence->first_step = now;
  }
  return step;
}

Status Engine::Impl::Run(const ScheduledStep& step) {
  for (const PageCopy& copy : step.copies) RF_RETURN_IF_ERROR(runner.CopyPage(copy.source, copy.destination));
  BuildBatch(step, runner.limits(), batch);
  ++totals.n_steps;
  for (const ScheduledRun& run : step.runs) {
    if (!run.sequence->is_decoding()) totals.n_prompt_tokens += static_cast<uint64_t>(run.n_tokens);
  }
  RF_ASSIGN_OR_RETURN(const std::span<const float> logits, runner.Run(batch));
  return TakeRows(step, logits);
}

Status Engine::Impl::TakeRows(const ScheduledStep& step, std::span<const float> logits) {
  const auto n_vocab = static_cast<size_t>(runner.limits().n_vocab);
  rows.clear();
  for (const ScheduledRun& run : step.runs) {
    for (int32_t i = 0; i < run.n_outputs(); ++i) {
      const size_t index = rows.size();
      rows.push_back({logits.subspan(index * n_vocab, n_vocab), batch.WantsBest(index), std::nullopt});
      if (rows.back().is_changed) RF_RETURN_IF_ERROR(TakeBest(*run.sequence, index));
    }
  }
  return {};
}

Status Engine::Impl::TakeBest(Sequence& sequence, size_t index) {
  rows[index].chosen = sequence.sampler.SampleFromBest(runner.Best(index));
  return rows[index].chosen ? Status() : runner.FetchRow(index);
}

void Engine::Impl::Sample(const ScheduledStep& step) {
  std::span<const OutputRow> left = rows;
  for (const ScheduledRun& run : step.runs) {
    const auto n_rows = static_cast<size_t>(run.n_outputs());
    SampleRun(run, left.first(n_rows));
    left = left.subspan(n_rows);
  }
}

// `run_rows` are those of the run's outputs.
void Engine::Impl::SampleRun(const ScheduledRun& run, std::span<const OutputRow> run_rows) {
  Sequence& sequence = *run.sequence;
  const int32_t first_position = sequence.n_computed + run.first_output;
  scheduler.Computed(run);
  if (sequence.wants_prompt_logits()) ReportPromptLogits(sequence, first_position, run_rows);
  std::optional<FinishReason> ending;
  if (run.samples) {
    ending = Extend(sequence, run_rows.back());
  } else if (sequence.n_pending() == 0) {
    ending = FinishReason::kLength;  // nothing but the prompt was asked for
  }
  if (ending) EndLater(sequence, *ending);
}

void Engine::Impl::ReportPromptLogits(Sequence& sequence, int32_t first_position, std::span<const OutputRow> run_rows) {
  for (size_t i = 0; i < run_rows.size(); ++i) {
    const int32_t position = first_position + static_cast<int32_t>(i);
    if (position < sequence.next_logits || position >= sequence.n_prompt) continue;
    sequence.request.on_logits(position, run_rows[i].logits);
    sequence.next_logits = position + 1;
  }
}

std::optional<FinishReason> Engine::Impl::Extend(Sequence& sequence, const OutputRow& row) {
  const Request& request = sequence.request;
  TokenConstraint* constraint = request.constraint.get();
  std::span<const uint64_t> allowed;
  if (constraint != nullptr) {
    if (constraint->IsFinished()) return FinishReason::kStop;
    allowed = constraint->Mask();
    if (std::all_of(allowed.begin(), allowed.end(), [](uint64_t word) { return word == 0; })) {
      return NothingFits(sequence);
    }
  }
  GeneratedToken token;
  const std::optional<int32_t> id = row.Choose(sequence.sampler, allowed);
  if (!id) {
    EndLater(sequence, FinishReason::kError, NothingToChoose(row.logits));
    return std::nullopt;
  }
  token.id = *id;
  if (constraint != nullptr && !constraint->Accept(token.id)) return NothingFits(sequence);
  if (request.n_top_logprobs >= 0) {
    token.logprob = static_cast<float>(row.logits[static_cast<size_t>(token.id)] - LogSumExp(row.logits));
    token.top = TopLogprobs(row.logits, request.n_top_logprobs);
  }
  std::optional<FinishReason> ending = Append(sequence, token);
  if (constraint == nullptr || ending) return ending;
  // Who wants log-probabilities wants the model to be asked for each token.
  if (request.n_top_logprobs < 0) ending = AppendForced(sequence);
  if (!ending && constraint->IsFinished()) ending = FinishReason::kStop;
  return ending;
}

std::optional<FinishReason> Engine::Impl::NothingFits(Sequence& sequence) {
  const Error error{ErrorCode::kUnsupported,
                    "no token of the model's vocabulary fits the grammar here; the answer was cut (docs/grammars.md)",
                    ""};
  EndLater(sequence, FinishReason::kError, error);
  return std::nullopt;
}

std::optional<FinishReason> Engine::Impl::AppendForced(Sequence& sequence) {
  for (const int32_t id : sequence.request.constraint->TakeForced()) {
    sequence.sampler.Accept(id);
    GeneratedToken token;
    token.id = id;
    if (const auto ending = Append(sequence, token)) return ending;
  }
  return std::nullopt;
}

// `token` was chosen: counts it, and unless it ends the text puts it there and tells the request.
std::optional<FinishReason> Engine::Impl::Append(Sequence& sequence, const GeneratedToken& token) {
  const Request& request = sequence.request;
  ++sequence.n_sampled;
  sequence.last_token = options.clock();
  if (sequence.n_sampled == 1) sequence.first_token = sequence.last_token;
  if (std::find(request.stop_ids.begin(), request.stop_ids.end(), token.id) != request.stop_ids.end()) {
    return FinishReason::kStop;
  }
  sequence.tokens.push_back(token.id);
  if (request.on_token && !request.on_token(token)) return FinishReason::kStop;
  const bool is_full = sequence.size() >= std::min<int64_t>(options.context_length, CacheTokens(runner.limits()));
  if (is_full || sequence.n_generated() >= request.max_tokens) return FinishReason::kLength;
  return std::nullopt;
}

void Engine::Impl::EndLater(Sequence& sequence, FinishReason reason, std::optional<Error> error) {
  ended.push_back({&sequence, reason, std::move(error)});
}

void Engine::Impl::FailBatch(const ScheduledStep& step, const Error& error) {
  for (const ScheduledRun& run : step.runs) EndLater(*run.sequence, FinishReason::kError, error);
  Publish();
}

// After a bug nothing about the step is known for certain: everyone hears of it.
void Engine::Impl::FailAll(const Error& error) {
  ended.clear();
  while (Sequence* sequence = scheduler.First()) End({sequence, FinishReason::kError, error});
}

void Engine::Impl::Publish() {
  for (Ended& end : std::exchange(ended, {})) End(std::move(end));
}

// Takes out who has ended, then tells them: their pages are free by the time a caller reacts.
void Engine::Impl::End(Ended end) {
  const std::unique_ptr<Sequence> sequence = scheduler.Remove(end.sequence);
  by_id.erase(sequence->id);
  totals.n_generated_tokens += static_cast<uint64_t>(sequence->n_sampled);
  totals.n_cached_tokens += static_cast<uint64_t>(sequence->n_cached);
  if (!sequence->request.on_finish) return;
  try {
    sequence->request.on_finish(Describe(*sequence, std::move(end)));
  } catch (const std::exception& error) {
    Log(LogLevel::kError, error.what());  // one caller's failure is no other's
  }
}

RequestResult Engine::Impl::Describe(const Sequence& sequence, Ended end) const {
  RequestResult result;
  result.reason = end.reason;
  result.error = std::move(end.error);
  result.n_prompt = sequence.n_prompt;
  result.n_cached = sequence.n_cached;
  result.n_generated = sequence.n_sampled;
  const TimePoint now = options.clock();
  const bool has_started = sequence.first_step != TimePoint{};
  result.queue_ms = Milliseconds(sequence.submitted, has_started ? sequence.first_step : now);
  const TimePoint prompt_end = sequence.n_sampled > 0 ? sequence.first_token : now;
  if (has_started) result.prompt_ms = Milliseconds(sequence.first_step, prompt_end);
  if (sequence.n_sampled > 0) result.decode_ms = Milliseconds(sequence.first_token, sequence.last_token);
  return result;
}

Status Engine::RunToCompletion() {
  while (HasWork()) RF_RETURN_IF_ERROR(Step());
  return {};
}

EngineStats Engine::stats() const {
  EngineStats stats = impl_->totals;
  const Scheduler& scheduler = impl_->scheduler;
  stats.n_running = static_cast<int32_t>(scheduler.n_running());
  stats.n_waiting = static_cast<int32_t>(scheduler.n_waiting());
  scheduler.ForEachWaiting([&](const Sequence& sequence) { stats.n_waiting_tokens += sequence.size(); });
  stats.n_pages = scheduler.kv().n_pages();
  stats.n_free_pages = scheduler.kv().n_available();
  stats.n_preemptions = scheduler.n_preemptions();
  return stats;
}

}  // namespace rf
