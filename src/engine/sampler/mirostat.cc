#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// Tokens from which version 1 estimates how steep the distribution is (the paper's m).
constexpr size_t kEstimateTokens = 100;

// The exponent s of Zipf's law that fits the best tokens (the paper's equation 30).
double EstimateExponent(const std::vector<float>& best, double factor) {
  double products = 0.0;
  double squares = 0.0;
  for (size_t i = 0; i + 1 < best.size(); ++i) {
    const double t = std::log2(static_cast<double>(i + 2) / static_cast<double>(i + 1));
    products += t * (double{best[i]} - best[i + 1]) * factor;  // the log of the probabilities' ratio
    squares += t * t;
  }
  return products / squares;
}

// The paper's algorithm 1: how many tokens to keep so that the expected surprise is mu bits.
void KeepByVersion1(double mu, Candidates& candidates) {
  const auto n = static_cast<double>(candidates.Count());
  if (n < 2) return;
  const double s = EstimateExponent(candidates.LargestLogits(kEstimateTokens), candidates.scale().factor);
  const double epsilon = s - 1.0;
  const double k = std::pow(epsilon * std::exp2(mu) / (1.0 - std::pow(n, -epsilon)), 1.0 / s);
  candidates.KeepBest(k >= 1.0 ? static_cast<size_t>(std::min(k, n)) : 1);  // 1 also for what is no number
}

// Version 2: those whose surprise is not above mu; at least the best.
void KeepByVersion2(double mu, double log_total, Candidates& candidates) {
  candidates.KeepAtLeast(std::min<double>(candidates.LogitAt(log_total - mu), candidates.largest()));
}

}  // namespace

size_t DrawMirostat(const SamplingContext& context, Candidates& candidates) {
  const double log_total = std::log2(candidates.SumWeights());
  double& mu = context.memory.mirostat_mu;
  if (context.params.mirostat == 1) {
    KeepByVersion1(mu, candidates);
  } else {
    KeepByVersion2(mu, log_total, candidates);
  }
  const size_t drawn = Draw(context, candidates);
  // The surprise that the model felt, as in the paper (some engines take that of the cut-off distribution).
  const double surprise = log_total - candidates.scale().ExponentOf(candidates.logits()[drawn]);
  mu -= context.params.mirostat_eta * (surprise - context.params.mirostat_tau);
  return drawn;
}

}  // namespace rf
