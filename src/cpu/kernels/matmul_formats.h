// How a kernel reads each packed integer format (cpu/pack_layout.h): one struct per format, the only place to touch for
// a new one. A struct reads one block of 32 weights x 16 rows:
//   Pair(p): the block's p-th pair of quants in 16-bit halves, not negative, kOffset above their value
//   Scale(s): the scale of weights 32 / kScales * s and on;   Minimum(): what a weight is at quant 0, or absent
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

/// Bits [bit, bit + kBits) of both halves of a word, moved to bit 4.
template <int kBits>
RF_LANES_INLINE Ints HighBits(const uint8_t* plane, int bit) {
  constexpr uint32_t kMask = ((1u << kBits) - 1) << 4 | ((1u << kBits) - 1) << 20;
  const Ints word = LoadInts(plane);
  return And(bit < 4 ? ShiftLeft(word, 4 - bit) : ShiftRight(word, bit - 4), kMask);
}

struct FiveBitPairs {
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(NibblePairs{plane}.Pair(p), HighBits<1>(plane + 4 * kWordPlane, p));
  }
};

struct SixBitPairs {
  const uint8_t* plane;
  RF_LANES_INLINE Ints Pair(int p) const {
    return Or(NibblePairs{plane}.Pair(p), HighBits<2>(plane + (4 + p / 8) * kWordPlane, p % 8 * 2));
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
  RF_LANES_INLINE Floats Minimum() const { return LoadHalfs(record + kHalfPlane); }
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
  RF_LANES_INLINE Floats Minimum() const {
    const uint8_t* minimums = record + kMinimumPlanes + block * kBytePlane;
    return Negate(Multiply(LoadHalfs(record + kHalfPlane), ToFloats(LoadUnsigned8(minimums))));
  }
};

using Q4_KBlock = SuperBlock<Format::kQ4_K, NibblePairs>;
using Q5_KBlock = SuperBlock<Format::kQ5_K, FiveBitPairs>;

/// Q6_K: weight = d * scale * (quant - 32), a signed 8-bit scale for each 16 weights.
struct Q6_KBlock {
  static constexpr PanelLayout kLayout = LayoutOf(Format::kQ6_K);
  static constexpr int kScales = 2;
  static constexpr int kOffset = 32;
  static constexpr bool kHasMinimum = false;

  const uint8_t* record;
  int block;
  SixBitPairs pairs;
  Q6_KBlock(const uint8_t* r, int b) : record(r), block(b), pairs{r + kLayout.quants + b * kLayout.block_bytes} {}
  RF_LANES_INLINE Ints Pair(int p) const { return pairs.Pair(p); }
  RF_LANES_INLINE Floats Scale(int s) const {
    const uint8_t* scales = record + kHalfPlane + (2 * block + s) * kBytePlane;
    return Multiply(LoadHalfs(record), ToFloats(LoadSigned8(scales)));
  }
  RF_LANES_INLINE Floats Minimum() const { return ZeroFloats(); }
};

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
  RF_LANES_INLINE Floats Minimum() const { return ZeroFloats(); }
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
  RF_LANES_INLINE Floats Minimum() const { return ZeroFloats(); }
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
  RF_LANES_INLINE Floats Minimum() const { return ZeroFloats(); }
};

}  // namespace
}  // namespace rf::cpu
