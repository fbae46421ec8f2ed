// The tokens that may still be chosen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "engine/sampler/block_maxima.h"
#include "engine/sampler/cut.h"
#include "engine/sampler/passes.h"

namespace rf {

/// At first all tokens of a row of logits, which is read where it is; a list from the first cut on, as a vocabulary is
/// large and what survives is not. Where much survives, a copy of the row that lacks the rest, made when a step needs
/// it: a draw, the usual next thing, does not. Always in the order of the ids: a seed's token must not depend on how a
/// step found its survivors. Keeps its memory from row to row.
class Candidates {
 public:
  /// All tokens but those of NaN and minus infinity. REQUIRES: the largest logit is finite to use anything else here;
  /// `logits` outlives the use.
  void Reset(std::span<const float> logits);

  /// The best tokens of a row, best first, as if all others had been dropped. REQUIRES: not empty, the first logit is
  /// finite, the last not minus infinity.
  void ResetToBest(std::span<const int32_t> ids, std::span<const float> logits);

  /// Of entries, each with an index below size(). Among those of a row are tokens of NaN and minus infinity, which have
  /// no weight and are never kept: those that were so, and those that a step dropped.
  size_t size() const { return logits_.size(); }
  int32_t id(size_t i) const { return is_row_ ? static_cast<int32_t>(i) : ids_[i]; }
  std::span<const float> logits() { return Settled().logits_; }
  float largest() { return Settled().largest_; }

  /// How many there are without NaN and minus infinity.
  size_t Count() { return is_row_ ? CountNumbers(logits()) : size(); }

  /// Divides the distances of logits from the largest; the logits themselves stay.
  void ApplyTemperature(float temperature);

  /// How their weights, which are their probabilities times the sum of weights, come from logits.
  WeightScale scale() { return Settled().scale_; }

  /// The logit whose weight is 2^exponent.
  double LogitAt(double exponent) { return scale().reference + exponent / scale_.factor; }

  /// Of all entries. Who changes them changes what is drawn, until the next cut or temperature.
  std::span<float> Weights();

  double SumWeights();
  WeightMoments MeasureWeights();

  /// Weights of the entries from `begin` on, at most kPart; in `buffer` unless all are known.
  std::span<const float> WeightsOfPart(size_t begin, std::span<float, kPart> buffer) const;

  /// The sum of those; clobbers the buffer.
  double SumOfPart(size_t begin, std::span<float, kPart> buffer) const;

  /// The k largest logits, or all, largest first. REQUIRES: k > 0.
  std::vector<float> LargestLogits(size_t k);

  /// Calls visit(index) for each candidate with a logit >= least, in their order.
  template <typename Visit>
  void ForEachAtLeast(double least, Visit visit) {
    Settle();
    if (is_row_) return maxima_.ForEachAtLeast(FloatAtLeast(least), visit);
    for (size_t i = 0; i < size(); ++i) {
      if (logits_[i] >= least) visit(i);
    }
  }

  /// Keeps those with a logit >= least. REQUIRES: there is one.
  void KeepAtLeast(double least);

  /// Keeps the k best, equal ones by lower id. REQUIRES: k > 0.
  void KeepBest(size_t k);

  /// Keeps the fewest candidates that have `share` of the sum of weights: those whose exponents lie nearest to
  /// -distance, equally near ones by lower id; at least one. `total`: the sum of weights.
  void KeepNearest(double distance, double share, double total);

  /// KeepNearest(0, share, total) of a whole row with that sum of weights, of which these are the best. False, with all
  /// kept, if the best do not tell what that keeps.
  bool KeepLikeliest(double share, double total);

  /// Drops what is better than candidate i: larger logits, and lower ids of equal ones.
  void DropBetter(size_t i);

 private:
  /// The least float that is not below x.
  static float FloatAtLeast(double x);

  std::span<float> PlaceForWeights();
  template <typename IsKept>
  void KeepIf(IsKept is_kept);
  void MakeList(double least);
  bool WouldKeepMany(double least);
  /// Makes a list of what the row's cut by rank 0 keeps, if that is little.
  bool ListIfFew(const Ranking& ranking, Cut cut);
  /// Drops what lies behind the row's cut, if there is one.
  void Settle();
  Candidates& Settled() {
    Settle();
    return *this;
  }
  /// kept = values[begin], ... where the row's cut keeps them, elsewhere `instead`.
  void KeepToCut(std::span<const float> values, float instead, size_t begin, std::span<float> kept) const;
  void UseRow();
  void SetLargest(float largest);

  struct RowCut {
    Ranking ranking;
    Cut cut;
  };

  bool is_row_ = true;
  std::optional<RowCut> row_cut_;  ///< that is still to be made
  std::span<const float> logits_;  ///< the row, or row_ or list_
  std::vector<float> row_;         ///< a copy that lacks some
  std::vector<float> list_;
  std::vector<int32_t> ids_;  ///< of the list
  BlockMaxima maxima_;        ///< of the row
  float largest_ = 0.0f;
  float temperature_ = 1.0f;
  WeightScale scale_{};
  bool has_weights_ = false;
  std::vector<float> weights_;  ///< of the entries; perhaps longer
  std::vector<float> scratch_;
};

}  // namespace rf
