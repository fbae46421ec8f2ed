#include "engine/sampler/best_of_row.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace rf {
namespace {

// The first step that drops anything, for certain one that the best may decide.
struct FirstCut {
  size_t index;  ///< in the order of the steps
  SamplingStep step;
  float temperature;  ///< until then
};

bool DropsByAll(SamplingStep step, const SamplingParams& params) {
  switch (step) {
    case SamplingStep::kTemperature: return params.dynatemp_range > 0.0f;
    case SamplingStep::kTopNSigma: return params.top_n_sigma > 0.0f;
    case SamplingStep::kTypicalP: return params.typical_p < 1.0f;
    case SamplingStep::kXtc: return params.xtc_probability > 0.0f && params.xtc_threshold <= 0.5f;
    case SamplingStep::kTopK:
    case SamplingStep::kTopP:
    case SamplingStep::kMinP: return false;
  }
  return true;
}

bool CutsByBest(SamplingStep step, const SamplingParams& params) {
  if (step == SamplingStep::kTopK) return params.top_k > 0;
  if (step == SamplingStep::kTopP) return params.top_p < 1.0f;
  return step == SamplingStep::kMinP && params.min_p > 0.0f;
}

std::optional<FirstCut> FindFirstCut(const SamplingParams& params) {
  if (params.mirostat != 0) return std::nullopt;
  const std::span<const SamplingStep> order = OrderOf(params);
  float temperature = 1.0f;
  for (size_t i = 0; i < order.size(); ++i) {
    if (DropsByAll(order[i], params)) return std::nullopt;
    if (order[i] == SamplingStep::kTemperature) temperature = params.temperature;
    if (CutsByBest(order[i], params)) return FirstCut{i, order[i], temperature};
  }
  return std::nullopt;
}

// Whether it kept for certain what it would have kept of the whole row.
bool MakeCut(SamplingStep step, const SamplingContext& context, const BestOfRow& best, Candidates& candidates) {
  const size_t n_before = candidates.size();
  switch (step) {
    case SamplingStep::kTopK:
      ApplyTopK(context, candidates);
      return n_before >= static_cast<size_t>(context.params.top_k);
    case SamplingStep::kMinP:
      ApplyMinP(context, candidates);
      return candidates.size() < n_before;  // whatever is not among the best is no better than what was dropped
    case SamplingStep::kTopP: return candidates.KeepLikeliest(context.params.top_p, SumOfParts(best.sums));
    default: return false;
  }
}

}  // namespace

bool BestMayDecide(const SamplingParams& params, size_t n_best) {
  if (params.is_greedy()) return true;
  const std::optional<FirstCut> cut = FindFirstCut(params);
  if (!cut) return false;
  return cut->step != SamplingStep::kTopK || static_cast<size_t>(params.top_k) <= n_best;
}

float SumFactor(const SamplingParams& params) {
  if (params.is_greedy()) return 0.0f;
  const std::optional<FirstCut> cut = FindFirstCut(params);
  return cut && cut->step == SamplingStep::kTopP ? FactorOf(cut->temperature) : 0.0f;
}

bool ApplyStepsToBest(const SamplingContext& context, const BestOfRow& best, Candidates& candidates) {
  const std::optional<FirstCut> cut = FindFirstCut(context.params);
  if (!cut) return false;
  const auto end = std::find(best.ids.begin(), best.ids.end(), -1);
  const auto n = static_cast<size_t>(end - best.ids.begin());
  candidates.ResetToBest(best.ids.first(n), best.logits.first(n));
  candidates.ApplyTemperature(cut->temperature);
  if (!MakeCut(cut->step, context, best, candidates)) return false;
  const std::span<const SamplingStep> order = OrderOf(context.params);
  for (const SamplingStep step : order.subspan(cut->index + 1)) ApplyStep(step, context, candidates);
  return true;
}

}  // namespace rf
