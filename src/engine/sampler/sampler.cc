#include "engine/sampler/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rf {
namespace {

bool UsesLogitSteps(const SamplingParams& params) {
  bool uses = false;
#define RF_LOGIT_STEP(Name) uses = uses || Uses##Name(params);
#define RF_CANDIDATE_STEP(Name, key)
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  return uses;
}

}  // namespace

void ApplyStep(SamplingStep step, const SamplingContext& context, Candidates& candidates) {
  switch (step) {
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name, key) \
  case SamplingStep::k##Name:        \
    return Apply##Name(context, candidates);
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  }
}

void MakeChanges(std::span<const LogitChange> changes, std::span<float> logits) {
  for (const LogitChange& change : changes) {
    float& logit = logits[static_cast<size_t>(change.token)];
    logit = ChangedLogit(logit, change);
  }
}

namespace {

size_t DrawOne(const SamplingContext& context, Candidates& candidates) {
  if (context.params.mirostat != 0) return DrawMirostat(context, candidates);
  if (context.params.adaptive_target >= 0.0f) return DrawAdaptive(context, candidates);
  return Draw(context, candidates);
}

void KeepAllowed(std::span<const uint64_t> allowed, std::span<float> logits) {
  for (size_t begin = 0; begin < logits.size(); begin += 64) {
    const uint64_t word = begin / 64 < allowed.size() ? allowed[begin / 64] : 0;
    if (word == ~uint64_t{0}) continue;
    const size_t n = std::min<size_t>(64, logits.size() - begin);
    for (size_t i = 0; i < n; ++i) {
      if ((word >> i & 1) == 0) logits[begin + i] = -std::numeric_limits<float>::infinity();
    }
  }
}

void KeepOnly(const std::vector<int32_t>& ids, std::span<float> logits) {
  std::vector<std::pair<size_t, float>> kept;
  kept.reserve(ids.size());
  for (const int32_t id : ids) kept.emplace_back(id, logits[static_cast<size_t>(id)]);
  for (float& logit : logits) logit = -std::numeric_limits<float>::infinity();
  for (const auto& [id, logit] : kept) logits[id] = logit;
}

}  // namespace

std::span<const SamplingStep> OrderOf(const SamplingParams& params) {
  static constexpr SamplingStep kUsual[] = {
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name, key) SamplingStep::k##Name,
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  };
  if (params.order.empty()) return kUsual;
  return params.order;
}

// Mirostat cuts off by itself, and its estimate needs the whole distribution.
void ApplyCandidateSteps(const SamplingContext& context, Candidates& candidates) {
  if (context.params.mirostat != 0) return ApplyTemperature(context, candidates);
  for (const SamplingStep step : OrderOf(context.params)) ApplyStep(step, context, candidates);
}

SamplingMemory InitialMemory(const SamplingParams& params) {
  SamplingMemory memory{std::mt19937_64(params.seed), 2.0 * params.mirostat_tau, 0.0, 0.0};
  // As if the target had been met all the time.
  memory.adaptive_weight = 1.0 / (1.0 - params.adaptive_decay);
  memory.adaptive_sum = params.adaptive_target * memory.adaptive_weight;
  return memory;
}

Sampler::Sampler(const SamplingParams& params, std::span<const int32_t> prompt)
    : params_(params),
      history_(prompt.begin(), prompt.end()),
      n_prompt_(prompt.size()),
      memory_(InitialMemory(params)),
      has_logit_steps_(UsesLogitSteps(params)) {}

std::optional<int32_t> Sampler::Sample(std::span<const float> logits, std::span<const uint64_t> allowed) {
  return SampleChanged(ApplyLogitSteps(logits, allowed));
}

std::optional<int32_t> Sampler::SampleChanged(std::span<const float> logits) {
  return Taken(params_.is_greedy() ? SampleBest(logits) : SampleRandomly(logits));
}

std::optional<int32_t> Sampler::SampleFromBest(const BestOfRow& best) {
  if (best.ids.empty() || !std::isfinite(best.logits.front())) return std::nullopt;
  if (params_.is_greedy()) return Taken(best.ids.front());
  const SamplingContext context = Context();
  if (!ApplyStepsToBest(context, best, candidates_)) return std::nullopt;
  return Taken(candidates_.id(DrawOne(context, candidates_)));
}

std::optional<int32_t> Sampler::Taken(std::optional<int32_t> id) {
  if (id) history_.push_back(*id);
  return id;
}

bool Sampler::MayChooseFromBest(size_t n_best) const {
  return params_.allowed_ids.empty() && BestMayDecide(params_, n_best);
}

void Sampler::ListChanges(std::vector<LogitChange>& changes) {
  if (!has_logit_steps_) return;
  const SamplingContext context = Context();
#define RF_LOGIT_STEP(Name) \
  if (Uses##Name(params_)) List##Name(context, changes);
#define RF_CANDIDATE_STEP(Name, key)
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
}

std::span<const float> Sampler::ApplyLogitSteps(std::span<const float> logits, std::span<const uint64_t> allowed) {
  if (!has_logit_steps_ && allowed.empty() && params_.allowed_ids.empty()) return logits;
  logits_.assign(logits.begin(), logits.end());
  if (!allowed.empty()) KeepAllowed(allowed, logits_);
  if (!params_.allowed_ids.empty()) KeepOnly(params_.allowed_ids, logits_);
  changes_.clear();
  ListChanges(changes_);
  MakeChanges(changes_, logits_);
  return logits_;
}

std::optional<int32_t> Sampler::SampleBest(std::span<const float> logits) {
  const int32_t best = ArgMax(logits);
  if (!std::isfinite(logits[static_cast<size_t>(best)])) return std::nullopt;
  return best;
}

std::optional<int32_t> Sampler::SampleRandomly(std::span<const float> logits) {
  candidates_.Reset(logits);
  if (!std::isfinite(candidates_.largest())) return std::nullopt;
  const SamplingContext context = Context();
  ApplyCandidateSteps(context, candidates_);
  return candidates_.id(DrawOne(context, candidates_));
}

}  // namespace rf
