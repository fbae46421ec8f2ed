// How a kernel reads each packed integer format (cpu/pack_layout.h): one struct per format, the only place to touch for
// a new one. A struct reads one block of 32 weights x 16 rows:
//   Pair(p): the block's p-th pair of quants in 16-bit halves, not negative, kOffset above their value
//   Scale(s): the scale of weights 32 / kScales * s and on;   Minimum(s): what a weight is at quant 0, or absent
// so that weight = Scale * (quant - kOffset) + Minimum. kOffset is a power of two or 0.
#pragma once

#include "cpu/kernels/matmul_lanes.h"
#include "cpu/pack_layout.h"

namespace rf::cpu {
namespace {

/// The 4-bit plane: pair 4j + i lies 4i bits up in word j.
struct NibblePairs {
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
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const { return MovedBits<1, 1>(plane, p); }
};

/// The 2-bit plane.
struct CrumbPairs {
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const { return MovedBits<2, 0>(plane + p / 8 * kWordPlane, p % 8 * 2); }
};

struct ThreeBitPairs {
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(CrumbPairs{plane}.Pair(p), MovedBits<1, 2>(plane + 2 * kWordPlane, p));
  }
};

struct FiveBitPairs {
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(NibblePairs{plane}.Pair(p), MovedBits<1, 4>(plane + 4 * kWordPlane, p));
  }
};

struct SixBitPairs {
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
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return BytePair(LoadInts(plane + (p / 4 + p % 2 * 4) * kWordPlane), p % 4 >= 2);
  }
};

/// Nibbles that index a table of 16 unsigned bytes.
struct TablePairs {
  const uint8_t* plane;
  Table table;
  RF_LANES_INLINE Ints Pair(int p) const {
    const Ints index = And(ShiftRight(LoadInts(plane + p / 4 * kWordPlane), p % 2 * 4), 0x0f0f0f0fu);
    return BytePair(TableLookup(table, index), p % 4 >= 2);
  }
};

/// Formats whose record is one block with F16 scales.
template <Format kFormat, class PairsOf, int kQuantOffset, bool kWithMinimum>
struct PlainBlocks {
  static constexpr PanelLayout kLayout = LayoutOf(kFormat);
  static constexpr int kScales = 1;
  static constexpr int kOffset = kQuantOffset;
  static constexpr bool kHasMinimum = kWithMinimum;

  const uint8_t* record;
  PairsOf pairs;
  PlainBlocks(const uint8_t* r, int) : record(r), pairs{r + kLayout.quants} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const { return LoadHalfs(record); }
  RF_LANES_INLINE Floats Minimum(int) const { return LoadHalfs(record + kHalfPlane); }
};

using Q4_0Block = PlainBlocks<Format::kQ4_0, NibblePairs, 8, false>;
using Q4_1Block = PlainBlocks<Format::kQ4_1, NibblePairs, 0, true>;
using Q5_0Block = PlainBlocks<Format::kQ5_0, FiveBitPairs, 16, false>;
using Q5_1Block = PlainBlocks<Format::kQ5_1, FiveBitPairs, 0, true>;
using Q8_0Block = PlainBlocks<Format::kQ8_0, BytePairs, 128, false>;

/// Q4_K and Q5_K: weight = d * scale * quant - dmin * minimum, scale and minimum 6-bit integers for each block.
template <Format kFormat, class PairsOf>
struct SuperBlock {
  static constexpr PanelLayout kLayout = LayoutOf(kFormat);
  static constexpr int kScales = 1;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = true;
  static constexpr int kScalePlanes = 2 * kHalfPlane;
  static constexpr int kMinimumPlanes = kScalePlanes + 8 * kBytePlane;

  const uint8_t* record;
  int block;
  PairsOf pairs;
  SuperBlock(const uint8_t* r, int b) : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const {
    const uint8_t* scales = record + kScalePlanes + block * kBytePlane;
    return Multiply(LoadHalfs(record), ToFloats(LoadUnsigned8(scales)));
  }
  RF_LANES_INLINE Floats Minimum(int) const {
    const uint8_t* minimums = record + kMinimumPlanes + block * kBytePlane;
    return Negate(Multiply(LoadHalfs(record + kHalfPlane), ToFloats(LoadUnsigned8(minimums))));
  }
};

using Q4_KBlock = SuperBlock<Format::kQ4_K, NibblePairs>;
using Q5_KBlock = SuperBlock<Format::kQ5_K, FiveBitPairs>;

/// Q3_K and Q6_K: weight = d * scale * (quant - kOffset), a signed 8-bit scale for each 16 weights.
template <Format kFormat, class PairsOf, int kQuantOffset>
struct SixteensBlock {
  static constexpr PanelLayout kLayout = LayoutOf(kFormat);
  static constexpr int kScales = 2;
  static constexpr int kOffset = kQuantOffset;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  int block;
  PairsOf pairs;
  SixteensBlock(const uint8_t* r, int b) : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int s) const {
    const uint8_t* scales = record + kHalfPlane + (2 * block + s) * kBytePlane;
    return Multiply(LoadHalfs(record), ToFloats(LoadSigned8(scales)));
  }
  RF_LANES_INLINE Floats Minimum(int) const { return ZeroFloats(); }
};

using Q3_KBlock = SixteensBlock<Format::kQ3_K, ThreeBitPairs, 4>;
using Q6_KBlock = SixteensBlock<Format::kQ6_K, SixBitPairs, 32>;

/// Q2_K: weight = d * scale * quant - dmin * minimum, four bits of scale and of minimum for each 16 weights.
struct Q2_KBlock {
  static constexpr PanelLayout kLayout = LayoutOf(Format::kQ2_K);
  static constexpr int kScales = 2;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = true;

  const uint8_t* record;
  int block;
  CrumbPairs pairs;
  Q2_KBlock(const uint8_t* r, int b) : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Ints ScaleBytes(int s) const {
    return LoadUnsigned8(record + 2 * kHalfPlane + (2 * block + s) * kBytePlane);
  }
  RF_LANES_INLINE Floats Scale(int s) const { return Multiply(LoadHalfs(record), ToFloats(And(ScaleBytes(s), 15))); }
  RF_LANES_INLINE Floats Minimum(int s) const {
    return Negate(Multiply(LoadHalfs(record + kHalfPlane), ToFloats(ShiftRight(ScaleBytes(s), 4))));
  }
};

/// Formats whose record is several blocks with one F16 scale.
template <Format kFormat, class PairsOf, int kQuantOffset>
struct SharedScaleBlocks {
  static constexpr PanelLayout kLayout = LayoutOf(kFormat);
  static constexpr int kScales = 1;
  static constexpr int kOffset = kQuantOffset;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  PairsOf pairs;
  SharedScaleBlocks(const uint8_t* r, int b) : record(r), pairs{r + kLayout.quants + b * kLayout.block_bytes} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const { return LoadHalfs(record); }
  RF_LANES_INLINE Floats Minimum(int) const { return ZeroFloats(); }
};

using TQ2_0Block = SharedScaleBlocks<Format::kTQ2_0, CrumbPairs, 1>;
using TQ1_0Block = TQ2_0Block;
using Q1_0Block = SharedScaleBlocks<Format::kQ1_0, SignPairs, 1>;
using Q2_0Block = SharedScaleBlocks<Format::kQ2_0, CrumbPairs, 1>;

/// Blocks of nibbles that stand for 16 given values: quants are value + kOffset.
alignas(16) constexpr uint8_t kIq4Values[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                                129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) constexpr uint8_t kMxfp4Values[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

struct IQ4_NLBlock {
  static constexpr PanelLayout kLayout = LayoutOf(Format::kIQ4_NL);
  static constexpr int kScales = 1;
  static constexpr int kOffset = 128;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  TablePairs pairs;
  IQ4_NLBlock(const uint8_t* r, int) : record(r), pairs{r + kLayout.quants, LoadTable(kIq4Values)} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const { return LoadHalfs(record); }
  RF_LANES_INLINE Floats Minimum(int) const { return ZeroFloats(); }
};

/// IQ4_XS: weight = d * scale * value, a signed scale for each block.
struct IQ4_XSBlock {
  static constexpr PanelLayout kLayout = LayoutOf(Format::kIQ4_XS);
  static constexpr int kScales = 1;
  static constexpr int kOffset = 128;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  int block;
  TablePairs pairs;
  IQ4_XSBlock(const uint8_t* r, int b)
      : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes, LoadTable(kIq4Values)} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const {
    return Multiply(LoadHalfs(record), ToFloats(LoadSigned8(record + kHalfPlane + block * kBytePlane)));
  }
  RF_LANES_INLINE Floats Minimum(int) const { return ZeroFloats(); }
};

/// MXFP4: values are twice the E2M1 numbers, scales half the E8M0 ones.
struct MXFP4Block {
  static constexpr PanelLayout kLayout = LayoutOf(Format::kMXFP4);
  static constexpr int kScales = 1;
  static constexpr int kOffset = 16;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  TablePairs pairs;
  MXFP4Block(const uint8_t* r, int) : record(r), pairs{r + kLayout.quants, LoadTable(kMxfp4Values)} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int) const { return BitsToFloats(ShiftLeft(LoadUnsigned16(record), 16)); }
  RF_LANES_INLINE Floats Minimum(int) const { return ZeroFloats(); }
};

/// NVFP4: values as MXFP4's, a scale (half the E4M3 one) for each 16 weights.
struct NVFP4Block {
  static constexpr PanelLayout kLayout = LayoutOf(Format::kNVFP4);
  static constexpr int kScales = 2;
  static constexpr int kOffset = 16;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  int block;
  TablePairs pairs;
  NVFP4Block(const uint8_t* r, int b)
      : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes, LoadTable(kMxfp4Values)} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int s) const { return LoadHalfs(record + (2 * block + s) * kHalfPlane); }
  RF_LANES_INLINE Floats Minimum(int) const { return ZeroFloats(); }
};

}  // namespace
}  // namespace rf::cpu
