#include "engine/sampler/candidates.h"

#include <cmath>
#include <functional>
#include <numeric>

#include "ops/best_logits.h"

namespace rf {
namespace {

// So many blocks with something that is kept are not many; no fewer than the best that a device gives.
constexpr size_t kFew = BestLogits::kMostBest;

constexpr float kNone = -std::numeric_limits<float>::infinity();  // the logit of what is not kept

}  // namespace

void Candidates::Reset(std::span<const float> logits) {
  is_row_ = true;
  row_cut_.reset();
  logits_ = logits;
  maxima_.Reset(logits);
  largest_ = maxima_.Largest();
  temperature_ = 1.0f;
  ApplyTemperature(1.0f);
}

void Candidates::ResetToBest(std::span<const int32_t> ids, std::span<const float> logits) {
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [ids](size_t a, size_t b) { return ids[a] < ids[b]; });
  ids_.clear();
  list_.clear();
  for (const size_t i : order) {
    ids_.push_back(ids[i]);
    list_.push_back(logits[i]);
  }
  is_row_ = false;
  row_cut_.reset();
  logits_ = list_;
  largest_ = logits.front();
  temperature_ = 1.0f;
  ApplyTemperature(1.0f);
}

void Candidates::ApplyTemperature(float temperature) {
  Settle();
  temperature_ *= temperature;
  scale_.reference = largest_;
  scale_.factor = FactorOf(temperature_);
  has_weights_ = false;
}

std::span<float> Candidates::Weights() {
  Settle();
  if (!has_weights_) ComputeWeights(logits_, scale_, PlaceForWeights());
  return std::span(weights_).first(size());
}

std::span<float> Candidates::PlaceForWeights() {
  if (weights_.size() < size()) weights_.resize(size());
  has_weights_ = true;
  return std::span(weights_).first(size());
}

double Candidates::SumWeights() {
  return rf::SumWeights(logits(), scale_, PlaceForWeights());
}

WeightMoments Candidates::MeasureWeights() {
  return rf::MeasureWeights(logits(), scale_, PlaceForWeights());
}

std::span<const float> Candidates::WeightsOfPart(size_t begin, std::span<float, kPart> buffer) const {
  const size_t n = std::min(kPart, size() - begin);
  if (row_cut_) {
    KeepToCut(weights_, 0.0f, begin, buffer.first(n));
    return buffer.first(n);
  }
  if (has_weights_) return std::span(weights_).subspan(begin, n);
  ComputeWeights(logits_.subspan(begin, n), scale_, buffer.first(n));
  return buffer.first(n);
}

double Candidates::SumOfPart(size_t begin, std::span<float, kPart> buffer) const {
  const size_t n = std::min(kPart, size() - begin);
  if (!row_cut_ || row_cut_->cut.index - begin < n) return Sum(WeightsOfPart(begin, buffer));
  const auto& [ranking, cut] = *row_cut_;
  const float end = cut.index < begin ? cut.rank : std::nextafter(cut.rank, std::numeric_limits<float>::infinity());
  return SumBelow(logits_.subspan(begin, n), ranking, end, std::span(weights_).subspan(begin, n));
}

float Candidates::FloatAtLeast(double x) {
  const auto rounded = static_cast<float>(x);
  return rounded >= x ? rounded : std::nextafter(rounded, std::numeric_limits<float>::infinity());
}

std::vector<float> Candidates::LargestLogits(size_t k) {
  Settle();
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

// A list costs some ten times as much for each that is kept as a pass over the row for each token.
bool Candidates::WouldKeepMany(double least) {
  constexpr double kMany = 0.98;
  if (!is_row_) return false;
  const size_t n = maxima_.CountIf([least = FloatAtLeast(least)](float maximum) { return maximum >= least; });
  // Few are always a list: a draw from one must not depend on how it was found.
  return n > kFew && static_cast<double>(n) > kMany * static_cast<double>(maxima_.size());
}

bool Candidates::ListIfFew(const Ranking& ranking, Cut cut) {
  const auto is_kept = [&](float logit) { return ranking.RankOf(logit) <= cut.rank; };
  if (maxima_.CountIf(is_kept) > kFew) return false;
  constexpr double kMargin = 1e-4;  // for the rounding of ranks, which decide
  MakeList(LogitAt(-(1.0 + kMargin) * cut.rank - kMargin));
  KeepIf([&](size_t i) {
    const float rank = ranking.RankOf(list_[i]);
    return rank < cut.rank || (rank == cut.rank && static_cast<size_t>(ids_[i]) <= cut.index);
  });
  return true;
}

void Candidates::KeepAtLeast(double least) {
  Settle();
  if (!is_row_) return KeepIf([&](size_t i) { return list_[i] >= least; });
  if (!WouldKeepMany(least)) return MakeList(least);
  row_.resize(size());
  rf::KeepAtLeast(logits_, FloatAtLeast(least), row_);
  has_weights_ = false;
  UseRow();
}

void Candidates::MakeList(double least) {
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
  Settle();
  if (k >= size()) return;
  if (is_row_) MakeList(maxima_.ReachedBy(k));
  if (k >= size()) return;
  scratch_ = list_;
  const auto last = scratch_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(scratch_.begin(), last, scratch_.end(), std::greater<>());
  const float least = *last;
  auto n_equal = std::count(scratch_.begin(), last + 1, least);  // what is before it in that order is not below it
  KeepIf([&](size_t i) { return list_[i] > least || (list_[i] == least && n_equal-- > 0); });
}

void Candidates::KeepNearest(double distance, double share, double total) {
  Settle();
  // What is more than n bits down has at most size() * 2^-n of the total. If that is less than all that need not be
  // kept, whatever else is dropped, then nothing so far down, and further from `distance` than 0 is, is kept.
  constexpr double kMargin = 1e-5;  // for the rounding of sums
  const double rest = (1.0 - share - kMargin) * total;
  const double furthest = rest > 0.0 ? std::max(std::log2(static_cast<double>(size()) / rest), 2.0 * distance)
                                     : std::numeric_limits<double>::infinity();
  if (const double least = LogitAt(-furthest); !WouldKeepMany(least)) KeepAtLeast(least);
  const Ranking ranking{scale_, static_cast<float>(distance)};
  const Cut cut = FindCut(logits_, ranking, Weights(), share * total, total);
  if (is_row_) {
    if (distance > 0.0 || !ListIfFew(ranking, cut)) row_cut_ = {ranking, cut};
    return;
  }
  KeepIf([&](size_t i) {
    const float rank = ranking.RankOf(list_[i]);
    return (rank < cut.rank) | ((rank == cut.rank) & (i <= cut.index));
  });
  if (ranking.RankOf(largest_) >= cut.rank) SetLargest(*std::max_element(list_.begin(), list_.end()));
}

bool Candidates::KeepLikeliest(double share, double total) {
  const Ranking ranking{scale_, 0.0f};
  const Cut cut = FindCut(logits_, ranking, Weights(), share * total, total);
  const float worst = ranking.RankOf(*std::min_element(list_.begin(), list_.end()));
  if (cut.rank >= worst) return false;  // others have that rank, or it was not reached
  KeepIf([&](size_t i) {
    const float rank = ranking.RankOf(list_[i]);
    return rank < cut.rank || (rank == cut.rank && i <= cut.index);
  });
  return true;
}

void Candidates::KeepToCut(std::span<const float> values, float instead, size_t begin, std::span<float> kept) const {
  const Ranking& ranking = row_cut_->ranking;
  const Cut& cut = row_cut_->cut;
  const auto keep = [&](size_t first, size_t n, float most) {
    rf::KeepWithin(logits_.subspan(begin + first, n), ranking, most, values.subspan(begin + first, n), instead,
                   kept.subspan(first, n));
  };
  const size_t n_until = std::clamp(cut.index + 1, begin, begin + kept.size()) - begin;  // the cut's own index too
  keep(0, n_until, cut.rank);
  keep(n_until, kept.size() - n_until, std::nextafter(cut.rank, -1.0f));
}

void Candidates::Settle() {
  if (!row_cut_) return;
  KeepToCut(weights_, 0.0f, 0, std::span(weights_).first(size()));
  row_.resize(size());
  KeepToCut(logits_, kNone, 0, row_);
  const bool keeps_largest = row_cut_->ranking.RankOf(largest_) < row_cut_->cut.rank;
  row_cut_.reset();
  UseRow();
  if (!keeps_largest) SetLargest(maxima_.Largest());
}

void Candidates::UseRow() {
  logits_ = row_;
  maxima_.Reset(row_);
}

void Candidates::DropBetter(size_t i) {
  Settle();
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
      row_[k] = kNone;
      if (has_weights_) weights_[k] = 0.0f;
    }
    UseRow();
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
