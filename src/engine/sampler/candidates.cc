#include "engine/sampler/candidates.h"

#include <cmath>
#include <functional>
#include <numbers>

#include "engine/sampler/cut.h"

namespace rf {

void Candidates::Reset(std::span<const float> logits) {
  is_row_ = true;
  logits_ = logits;
  maxima_.Reset(logits);
  largest_ = maxima_.Largest();
  temperature_ = 1.0f;
  ApplyTemperature(1.0f);
}

void Candidates::ApplyTemperature(float temperature) {
  temperature_ *= temperature;
  scale_.reference = largest_;
  // Never infinity, which would make the best one's 0 a NaN.
  scale_.factor = std::min(std::numbers::log2e_v<float> / temperature_, std::numeric_limits<float>::max());
  has_weights_ = false;
}

std::span<float> Candidates::Weights() {
  if (weights_.size() < size()) weights_.resize(size());
  const std::span<float> weights(weights_.data(), size());
  if (!has_weights_) ComputeWeights(logits_, scale_, weights);
  has_weights_ = true;
  return weights;
}

std::span<const float> Candidates::WeightsOfPart(size_t begin, std::span<float, kPart> buffer) const {
  const size_t n = std::min(kPart, size() - begin);
  if (has_weights_) return std::span(weights_).subspan(begin, n);
  ComputeWeights(logits_.subspan(begin, n), scale_, buffer.first(n));
  return buffer.first(n);
}

float Candidates::FloatAtLeast(double x) {
  const auto rounded = static_cast<float>(x);
  return rounded >= x ? rounded : std::nextafter(rounded, std::numeric_limits<float>::infinity());
}

std::vector<float> Candidates::LargestLogits(size_t k) {
  std::vector<float> largest;
  const float least = is_row_ ? maxima_.ReachedBy(k) : std::numeric_limits<float>::lowest();
  ForEachAtLeast(least, [&](size_t i) { largest.push_back(logits_[i]); });
  k = std::min(k, largest.size());
  std::partial_sort(largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(k), largest.end(), std::greater<>());
  largest.resize(k);
  return largest;
}

template <typename IsKept>
void Candidates::KeepIf(IsKept is_kept) {
  size_t n = 0;
  for (size_t i = 0; i < list_.size(); ++i) {
    const size_t is_one_more = is_kept(i) ? 1 : 0;
    ids_[n] = ids_[i];
    list_[n] = list_[i];
    if (has_weights_) weights_[n] = weights_[i];
    n += is_one_more;
  }
  ids_.resize(n);
  list_.resize(n);
  logits_ = list_;
}

void Candidates::KeepAtLeast(double least) {
  if (!is_row_) return KeepIf([&](size_t i) { return list_[i] >= least; });
  ids_.clear();
  list_.clear();
  ForEachAtLeast(least, [&](size_t i) {
    ids_.push_back(static_cast<int32_t>(i));
    list_.push_back(logits_[i]);
  });
  logits_ = list_;
  is_row_ = false;
  has_weights_ = false;
}

void Candidates::KeepBest(size_t k) {
  if (k >= size()) return;
  if (is_row_) KeepAtLeast(maxima_.ReachedBy(k));
  if (k >= size()) return;
  scratch_ = list_;
  const auto last = scratch_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(scratch_.begin(), last, scratch_.end(), std::greater<>());
  const float least = *last;
  auto n_equal = std::count(scratch_.begin(), last + 1, least);  // what is before it in that order is not below it
  KeepIf([&](size_t i) { return list_[i] > least || (list_[i] == least && n_equal-- > 0); });
}

void Candidates::KeepNearest(double distance, double share, double total) {
  // What is more than n bits down has at most size() * 2^-n of the total. If that is less than all that need not be
  // kept, whatever else is dropped, then nothing so far down, and further from `distance` than 0 is, is kept.
  constexpr double kMargin = 1e-5;  // for the rounding of sums
  const double rest = (1.0 - share - kMargin) * total;
  const double furthest = rest > 0.0 ? std::max(std::log2(static_cast<double>(size()) / rest), 2.0 * distance)
                                     : std::numeric_limits<double>::infinity();
  KeepAtLeast(LogitAt(-furthest));
  RankByDistance(distance);
  const Cut cut = FindCut(scratch_, Weights(), share * total);
  KeepIf([cut, ranks = scratch_.data()](size_t i) {
    return (ranks[i] < cut.rank) | ((ranks[i] == cut.rank) & (i <= cut.index));
  });
  SetLargest(*std::max_element(list_.begin(), list_.end()));
}

void Candidates::RankByDistance(double distance) {
  scratch_.resize(size());
  float* ranks = scratch_.data();
  const WeightScale scale = scale_;
  for (size_t i = 0; i < size(); ++i) ranks[i] = static_cast<float>(std::abs(scale.ExponentOf(list_[i]) + distance));
}

void Candidates::DropBetter(size_t i) {
  const float logit = logits_[i];
  const auto is_better = [&, i](size_t k) { return logits_[k] > logit || (logits_[k] == logit && k < i); };
  if (!is_row_) {
    KeepIf([&](size_t k) { return !is_better(k); });
  } else {
    std::vector<size_t> better;
    ForEachAtLeast(logit, [&](size_t k) {
      if (is_better(k)) better.push_back(k);
    });
    if (logits_.data() != row_.data()) row_.assign(logits_.begin(), logits_.end());
    for (const size_t k : better) {
      row_[k] = -std::numeric_limits<float>::infinity();
      if (has_weights_) weights_[k] = 0.0f;
    }
    logits_ = row_;
    maxima_.Reset(row_);
  }
  SetLargest(logit);
}

// Weights stay what they are while the largest is not so small that others have none.
void Candidates::SetLargest(float largest) {
  largest_ = largest;
  if (scale_.ExponentOf(largest) >= -32.0f) return;
  scale_.reference = largest;
  has_weights_ = false;
}

}  // namespace rf
