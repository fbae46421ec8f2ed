// How a kernel reads each packed integer format (cpu/pack_layout.h): one struct per format, the only place to touch for
// a new one. A struct reads one block of 32 weights x 16 rows:
//   Pair(p): the block's p-th pair of quants in 16-bit halves, not negative, kOffset above their value
//   Scale(s): the scale of weights 32 / kScales * s and on;   Minimum(s): what a weight is at quant 0, where
//   kHasMinimum
//   kMost, kLargest: the largest quant and the largest |quant - kOffset|
// so that weight = Scale * (quant - kOffset) + Minimum. kOffset is a power of two or 0.
#pragma once

#include "cpu/kernels/matmul_lanes.h"
#include "cpu/pack_layout.h"

namespace rf::cpu {
namespace {

/// The 4-bit plane: pair 4j + i lies 4i bits up in word j.
struct NibblePairs {
  static constexpr int kMost = 15;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return And(ShiftRight(LoadInts(plane + p / 4 * kWordPlane), p % 4 * 4), 0x000f000fu);
  }
};

/// Bits [bit, bit + kBits) of both halves of a word, moved to bit kTo.
template <int kBits, int kTo>
RF_LANES_INLINE Ints MovedBits(const uint8_t* plane, int bit) {
  constexpr uint32_t kMask = ((1u << kBits) - 1) << kTo | ((1u << kBits) - 1) << (16 + kTo);
  const Ints word = LoadInts(plane);
  return And(bit < kTo ? ShiftLeft(word, kTo - bit) : ShiftRight(word, bit - kTo), kMask);
}

/// The 1-bit plane: quants 0 and 2, so that with an offset of 1 they are -1 and 1.
struct SignPairs {
  static constexpr int kMost = 2;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const { return MovedBits<1, 1>(plane, p); }
};

/// The 2-bit plane.
struct CrumbPairs {
  static constexpr int kMost = 3;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const { return MovedBits<2, 0>(plane + p / 8 * kWordPlane, p % 8 * 2); }
};

struct ThreeBitPairs {
  static constexpr int kMost = 7;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(CrumbPairs{plane}.Pair(p), MovedBits<1, 2>(plane + 2 * kWordPlane, p));
  }
};

struct FiveBitPairs {
  static constexpr int kMost = 31;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(NibblePairs{plane}.Pair(p), MovedBits<1, 4>(plane + 4 * kWordPlane, p));
  }
};

struct SixBitPairs {
  static constexpr int kMost = 63;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(NibblePairs{plane}.Pair(p), MovedBits<2, 4>(plane + (4 + p / 8) * kWordPlane, p % 8 * 2));
  }
};

/// Pairs (4j, 4j + 2) and (4j + 1, 4j + 3) of a word of four bytes.
RF_LANES_INLINE Ints BytePair(Ints word, bool odd) {
  return odd ? ShiftRight8In16(word) : And(word, 0x00ff00ffu);
}

struct BytePairs {
  static constexpr int kMost = 255;
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return BytePair(LoadInts(plane + (p / 4 + p % 2 * 4) * kWordPlane), p % 4 >= 2);
  }
};

constexpr int Largest(const uint8_t (&values)[16]) {
  int largest = 0;
  for (const uint8_t value : values) largest = value > largest ? value : largest;
  return largest;
}

/// Nibbles that stand for 16 given values: quants are value + kOffset.
template <const uint8_t (&kValues)[16]>
struct TablePairs {
  static constexpr int kMost = Largest(kValues);
  const uint8_t* plane;
  Table table = LoadTable(kValues);
  RF_LANES_INLINE Ints Pair(int p) const {
    const Ints index = And(ShiftRight(LoadInts(plane + p / 4 * kWordPlane), p % 2 * 4), 0x0f0f0f0fu);
    return BytePair(TableLookup(table, index), p % 4 >= 2);
  }
};

alignas(16) constexpr uint8_t kIq4Values[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                                129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) constexpr uint8_t kMxfp4Values[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

/// What all have in common. As it is: formats whose record has one F16 scale, whatever the number of its blocks.
template <Format kFormat, class PairsOf, int kQuantOffset, int kScalesOf = 1, bool kWithMinimum = false>
struct PanelBlock {
  static constexpr PanelLayout kLayout = LayoutOf(kFormat);
  static constexpr int kScales = kScalesOf;
  static constexpr int kOffset = kQuantOffset;
  static constexpr bool kHasMinimum = kWithMinimum;
  static constexpr int kMost = PairsOf::kMost;
  /// Of |quant - kOffset|.
  static constexpr int kLargest = kOffset > kMost - kOffset ? kOffset : kMost - kOffset;

  const uint8_t* record;
  int block;
  PairsOf pairs;
  PanelBlock(const uint8_t* r, int b) : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const { return LoadHalfs(record); }
};

using Q4_0Block = PanelBlock<Format::kQ4_0, NibblePairs, 8>;
using Q5_0Block = PanelBlock<Format::kQ5_0, FiveBitPairs, 16>;
using Q8_0Block = PanelBlock<Format::kQ8_0, BytePairs, 128>;
using IQ4_NLBlock = PanelBlock<Format::kIQ4_NL, TablePairs<kIq4Values>, 128>;
using TQ2_0Block = PanelBlock<Format::kTQ2_0, CrumbPairs, 1>;
using TQ1_0Block = TQ2_0Block;
using Q1_0Block = PanelBlock<Format::kQ1_0, SignPairs, 1>;
using Q2_0Block = PanelBlock<Format::kQ2_0, CrumbPairs, 1>;

/// Q4_1 and Q5_1: an F16 minimum besides.
template <Format kFormat, class PairsOf>
struct MinimumBlock : PanelBlock<kFormat, PairsOf, 0, 1, true> {
  using PanelBlock<kFormat, PairsOf, 0, 1, true>::PanelBlock;
  RF_LANES_INLINE Floats Minimum(int) const { return LoadHalfs(this->record + kHalfPlane); }
};

using Q4_1Block = MinimumBlock<Format::kQ4_1, NibblePairs>;
using Q5_1Block = MinimumBlock<Format::kQ5_1, FiveBitPairs>;

/// Q4_K and Q5_K: weight = d * scale * quant - dmin * minimum, scale and minimum 6-bit integers for each block.
template <Format kFormat, class PairsOf>
struct SuperBlock : PanelBlock<kFormat, PairsOf, 0, 1, true> {
  static constexpr int kScalePlanes = 2 * kHalfPlane;
  static constexpr int kMinimumPlanes = kScalePlanes + 8 * kBytePlane;

  using PanelBlock<kFormat, PairsOf, 0, 1, true>::PanelBlock;
  RF_LANES_INLINE Floats Scale(int) const {
    const uint8_t* scales = this->record + kScalePlanes + this->block * kBytePlane;
    return Multiply(LoadHalfs(this->record), ToFloats(LoadUnsigned8(scales)));
  }
  RF_LANES_INLINE Floats Minimum(int) const {
    const uint8_t* minimums = this->record + kMinimumPlanes + this->block * kBytePlane;
    return Negate(Multiply(LoadHalfs(this->record + kHalfPlane), ToFloats(LoadUnsigned8(minimums))));
  }
};

using Q4_KBlock = SuperBlock<Format::kQ4_K, NibblePairs>;
using Q5_KBlock = SuperBlock<Format::kQ5_K, FiveBitPairs>;

/// Formats with a signed 8-bit scale for each 16 or 32 weights: weight = d * scale * (quant - kOffset).
template <Format kFormat, class PairsOf, int kQuantOffset, int kScalesOf>
struct SignedScaleBlock : PanelBlock<kFormat, PairsOf, kQuantOffset, kScalesOf> {
  using PanelBlock<kFormat, PairsOf, kQuantOffset, kScalesOf>::PanelBlock;
  RF_LANES_INLINE Floats Scale(int s) const {
    const uint8_t* scales = this->record + kHalfPlane + (kScalesOf * this->block + s) * kBytePlane;
    return Multiply(LoadHalfs(this->record), ToFloats(LoadSigned8(scales)));
  }
};

using Q3_KBlock = SignedScaleBlock<Format::kQ3_K, ThreeBitPairs, 4, 2>;
using Q6_KBlock = SignedScaleBlock<Format::kQ6_K, SixBitPairs, 32, 2>;
using IQ4_XSBlock = SignedScaleBlock<Format::kIQ4_XS, TablePairs<kIq4Values>, 128, 1>;

/// Q2_K: weight = d * scale * quant - dmin * minimum, four bits of scale and of minimum for each 16 weights.
struct Q2_KBlock : PanelBlock<Format::kQ2_K, CrumbPairs, 0, 2, true> {
  using PanelBlock::PanelBlock;
  RF_LANES_INLINE Ints ScaleBytes(int s) const {
    return LoadUnsigned8(record + 2 * kHalfPlane + (2 * block + s) * kBytePlane);
  }
  RF_LANES_INLINE Floats Scale(int s) const { return Multiply(LoadHalfs(record), ToFloats(And(ScaleBytes(s), 15))); }
  RF_LANES_INLINE Floats Minimum(int s) const {
    return Negate(Multiply(LoadHalfs(record + kHalfPlane), ToFloats(ShiftRight(ScaleBytes(s), 4))));
  }
};

/// MXFP4: values are twice the E2M1 numbers, scales half the E8M0 ones.
struct MXFP4Block : PanelBlock<Format::kMXFP4, TablePairs<kMxfp4Values>, 16> {
  using PanelBlock::PanelBlock;
  RF_LANES_INLINE Floats Scale(int) const { return BitsToFloats(ShiftLeft(LoadUnsigned16(record), 16)); }
};

/// NVFP4: values as MXFP4's, a scale (half the E4M3 one) for each 16 weights.
struct NVFP4Block : PanelBlock<Format::kNVFP4, TablePairs<kMxfp4Values>, 16, 2> {
  using PanelBlock::PanelBlock;
  RF_LANES_INLINE Floats Scale(int s) const { return LoadHalfs(record + (2 * block + s) * kHalfPlane); }
};

}  // namespace
}  // namespace rf::cpu
