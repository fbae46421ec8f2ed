// The largest logit of each block of a vocabulary: enough to find its best few without looking at most of it twice.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "engine/sampler/passes.h"

namespace rf {

class BlockMaxima {
 public:
  /// Looks at the logits when they are first asked for. REQUIRES: until then and later they are there and do not
  /// change.
  void Reset(std::span<const float> logits);

  /// Minus infinity if there is none but NaN.
  float Largest();

  /// A logit that at least k tokens reach: k blocks hold one each. Minus infinity if there are fewer blocks. REQUIRES:
  /// k > 0.
  float ReachedBy(size_t k);

  /// How many blocks there are.
  size_t size() const { return (logits_.size() + kBlock - 1) / kBlock; }

  /// Of how many the largest is such that is_it(largest).
  template <typename IsIt>
  size_t CountIf(IsIt is_it) {
    const std::vector<float>& maxima = Maxima();
    return static_cast<size_t>(std::count_if(maxima.begin(), maxima.end(), is_it));
  }

  /// Calls visit(id) for each logit >= least, in their order; never for NaN and minus infinity.
  template <typename Visit>
  void ForEachAtLeast(float least, Visit visit) {
    least = std::max(least, std::numeric_limits<float>::lowest());
    const std::vector<float>& maxima = Maxima();
    for (size_t i = 0; i < maxima.size(); ++i) {
      if (maxima[i] >= least) ForEachInBlock(i * kBlock, least, visit);
    }
  }

 private:
  const std::vector<float>& Maxima();

  template <typename Visit>
  void ForEachInBlock(size_t begin, float least, Visit visit) const {
    const std::span<const float> block = logits_.subspan(begin, std::min(kBlock, logits_.size() - begin));
    std::array<uint8_t, kBlock> is_hit{};
    for (size_t i = 0; i < block.size(); ++i) is_hit[i] = block[i] >= least ? 1 : 0;
    // Most blocks that are looked at hold one or two: eight places at a time are skipped, and nothing is guessed.
    std::array<uint8_t, kBlock + 1> hits;
    size_t n = 0;
    for (size_t first = 0; first < kBlock; first += 8) {
      uint64_t eight = 0;
      std::memcpy(&eight, &is_hit[first], sizeof(eight));
      if (eight == 0) continue;
      for (size_t i = first; i < first + 8; ++i) {
        hits[n] = static_cast<uint8_t>(i);
        n += is_hit[i];
      }
    }
    for (size_t i = 0; i < n; ++i) visit(begin + hits[i]);
  }

  std::span<const float> logits_;
  std::vector<float> maxima_;
  bool is_known_ = false;
};

}  // namespace rf
