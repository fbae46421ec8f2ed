// Choosing a token by the best logits of a row alone, as a device gives them: the same token as by the whole row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/sampler/candidates.h"
#include "engine/sampler/steps.h"

namespace rf {

/// What op BestLogits (ops/best_logits.h) gives of a row.
struct BestOfRow {
  std::span<const int32_t> ids;   ///< best first; -1 where there are no more
  std::span<const float> logits;  ///< of those
  std::span<const float> sums;    ///< of weights, for each BestLogits::kPart logits; only where they were asked for
};

/// Whether the n_best best may decide what these parameters choose: always if the choice is greedy or top-k comes first
/// and keeps no more than these; mostly if top-p or min-p comes first; never if something needs the whole distribution.
bool BestMayDecide(const SamplingParams& params, size_t n_best);

/// The factor of the weights whose sum BestOfRow must have: if top-p is the first step that cuts off. Otherwise 0.
float SumFactor(const SamplingParams& params);

/// All candidate steps, as ApplyCandidateSteps() does them for the whole row. False: the best do not decide what the
/// first cut keeps; then no random number was drawn. REQUIRES: BestMayDecide(), a finite best logit.
bool ApplyStepsToBest(const SamplingContext& context, const BestOfRow& best, Candidates& candidates);

}  // namespace rf
