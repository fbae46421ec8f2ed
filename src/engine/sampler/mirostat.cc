#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// Tokens from which version 1 estimates how steep the distribution is (the paper's m).
constexpr size_t kEstimateTokens = 100;

// The exponent s of Zipf's law that fits the best tokens (the paper's equation 30).
double EstimateExponent(std::span<const Candidate> best) {
  double products = 0.0;
  double squares = 0.0;
  for (size_t i = 0; i + 1 < best.size(); ++i) {
    const double t = std::log(static_cast<double>(i + 2) / static_cast<double>(i + 1));
    products += t * (double{best[i].logit} - best[i + 1].logit);  // the log of the probabilities' ratio
    squares += t * t;
  }
  return products / squares;
}

// The paper's algorithm 1: how many tokens to keep so that the expected surprise is mu bits.
void KeepByVersion1(double mu, std::vector<Candidate>& items) {
  if (items.size() < 2) return;
  std::vector<Candidate> best = items;
  KeepBest(best, kEstimateTokens);
  std::sort(best.begin(), best.end(), IsBetter);
  const double s = EstimateExponent(best);
  const double epsilon = s - 1.0;
  const auto n = static_cast<double>(items.size());
  const double k = std::pow(epsilon * std::exp2(mu) / (1.0 - std::pow(n, -epsilon)), 1.0 / s);
  KeepBest(items, k >= 1.0 ? static_cast<size_t>(std::min(k, n)) : 1);  // 1 also for what is no number
}

// Version 2: those whose surprise is not above mu; at least the best.
void KeepByVersion2(double mu, double log_total, std::vector<Candidate>& items) {
  const double least = std::min<double>(log_total - mu * std::numbers::ln2, LargestLogit(items));
  std::erase_if(items, [&](const Candidate& candidate) { return candidate.logit < least; });
}

}  // namespace

size_t DrawMirostat(const SamplingContext& context, Candidates& candidates) {
  std::vector<Candidate>& items = candidates.items;
  const double log_total = LargestLogit(items) + std::log(Sum(Weights(items)));
  double& mu = context.memory.mirostat_mu;
  if (context.params.mirostat == 1) {
    KeepByVersion1(mu, items);
  } else {
    KeepByVersion2(mu, log_total, items);
  }
  const size_t drawn = Draw(context, candidates);
  // The surprise that the model felt, as in the paper (some engines take that of the cut-off distribution).
  const double surprise = (log_total - items[drawn].logit) / std::numbers::ln2;
  mu -= context.params.mirostat_eta * (surprise - context.params.mirostat_tau);
  return drawn;
}

}  // namespace rf
