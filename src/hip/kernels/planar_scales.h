// The scales of a unit of planar weights: what the file's format says, as halves.
#pragma once

#include "hip/kernels/lane_weights_32.h"
#include "hip/kernels/lane_weights_bits.h"
#include "hip/kernels/lane_weights_k.h"
#include "hip/kernels/lane_weights_table.h"
#include "hip/kernels/planar.h"

namespace rf::hip {
namespace {

/// w = quant's bits * scale + added, for each half of a unit: scale is 2^24 times the unit's as a quant's bits are a
/// half of 2^-24 of it.
struct UnitScales {
  int scale[2];
  int added[2];
};

/// Where a unit's scales lie in a record, and its output's in the tail.
struct ScalesPlace {
  const unsigned char* unit;
  const unsigned char* tail;
};

RF_DEVICE int LoadScaleBytes(const unsigned char* from, int bytes) {
  if (bytes == 1) return *from;
  if (bytes == 2) return *reinterpret_cast<const uint16_t*>(from);
  return *reinterpret_cast<const int32_t*>(from);
}

/// -kOffset * scale: quants of a format with an offset are stored without sign.
template <int kOffset>
RF_DEVICE int OffsetOf(int scale) {
  return MulHalves(scale, TwoHalves(0x8000 | kOffset));
}

RF_DEVICE int LowHalfTwice(int word) {
  return PermuteBytes(word, 0, 0x01000100);
}
RF_DEVICE int HighHalfTwice(int word) {
  return PermuteBytes(word, 0, 0x03020302);
}

/// A half for each of kPieces pieces, or a word of scale and minimum.
template <int kPieces, bool kHasMinimum, int kOffset>
struct HalfScales {
  static constexpr int kUnitBytes = kPieces * (kHasMinimum ? 4 : 2);
  static constexpr int kTailBytes = 0;
  struct Raw {
    int words[kPieces];
  };
  RF_DEVICE_MEMBER static Raw Load(const ScalesPlace& at) {
    Raw raw;
    RF_UNROLL
    for (int p = 0; p < kPieces; ++p) {
      constexpr int kBytes = kHasMinimum ? 4 : 2;
      raw.words[p] = LoadScaleBytes(at.unit + p * kBytes, kBytes);
    }
    return raw;
  }
  RF_DEVICE_MEMBER static UnitScales Expand(const Raw& raw) {
    UnitScales scales;
    RF_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int word = raw.words[half % kPieces];
      scales.scale[half] = LowHalfTwice(word);
      scales.added[half] = kHasMinimum ? HighHalfTwice(word) : OffsetOf<kOffset>(scales.scale[half]);
    }
    return scales;
  }
  /// Of the weights' own power of two.
  RF_DEVICE_MEMBER static void Store(unsigned char* to, int power, const float (&scale)[2], const float (&minimum)[2]) {
    RF_UNROLL
    for (int p = 0; p < kPieces; ++p) {
      const int word = PackHalves(TimesPower(scale[p], 24 - power), TimesPower(minimum[p], -power));
      if constexpr (kHasMinimum) {
        reinterpret_cast<int32_t*>(to)[p] = word;
      } else {
        reinterpret_cast<uint16_t*>(to)[p] = static_cast<uint16_t>(word);
      }
    }
  }
};

/// Of weights that are halves themselves.
struct NoScales {
  static constexpr int kUnitBytes = 0;
  static constexpr int kTailBytes = 0;
  struct Raw {};
  RF_DEVICE_MEMBER static Raw Load(const ScalesPlace& /*at*/) { return {}; }
  RF_DEVICE_MEMBER static UnitScales Expand(const Raw& /*raw*/) { return {}; }
};

/// Small whole numbers as halves: two bytes of a word, less 1024 + kBias.
template <int kBias>
RF_DEVICE int HalvesOfBytes(int bytes) {
  constexpr int kBits = 0xe400 | kBias;  // -(1024 + kBias)
  return AddHalves(PermuteBytes(bytes, 0x64646464, 0x04010400), TwoHalves(kBits));
}

/// Q4_K and Q5_K: a byte each for scale and minimum; behind the records their scales, two halves.
template <typename Block>
struct KScales {
  static constexpr int kUnitBytes = 2;
  static constexpr int kTailBytes = 4;
  static constexpr int kMinimumBits = 14;  ///< by which the minimums' scale is larger, for a half's sake
  struct Raw {
    int bytes;
    int tail;
  };
  RF_DEVICE_MEMBER static Raw Load(const ScalesPlace& at) {
    return {LoadScaleBytes(at.unit, kUnitBytes), LoadScaleBytes(at.tail, kTailBytes)};
  }
  RF_DEVICE_MEMBER static UnitScales Expand(const Raw& raw) {
    constexpr int kOneAndLess = 0x3c00 | 0x0400 << 16;  // 1 and 2^-kMinimumBits
    const int both = MulHalves(MulHalves(HalvesOfBytes<0>(raw.bytes), raw.tail), kOneAndLess);
    const int scale = LowHalfTwice(both);
    const int added = HighHalfTwice(both);
    return {{scale, scale}, {added, added}};
  }
  /// The largest scale and minimum that the block may have.
  RF_DEVICE_MEMBER static float LargestScale(const Block& block) { return fabsf(HalfBitsToFloat(block.d)) * 63.0f; }
  RF_DEVICE_MEMBER static float LargestMinimum(const Block& block) {
    return fabsf(HalfBitsToFloat(block.dmin)) * 63.0f;
  }
  RF_DEVICE_MEMBER static void StoreUnit(unsigned char* to, const Block& block, int unit) {
    const KScale pair = UnpackKScale(block.scales, unit);
    to[0] = static_cast<unsigned char>(pair.scale);
    to[1] = static_cast<unsigned char>(pair.minimum);
  }
  RF_DEVICE_MEMBER static void StoreTail(unsigned char* to, const Block& block, int power) {
    *reinterpret_cast<int32_t*>(to) = PackHalves(TimesPower(HalfBitsToFloat(block.d), 24 - power),
                                                 TimesPower(-HalfBitsToFloat(block.dmin), kMinimumBits - power));
  }
};

RF_DEVICE int ScaleOfSixteen(const BlockQ6_K& block, int piece) {
  return block.scales[piece];
}
RF_DEVICE int ScaleOfSixteen(const BlockQ3_K& block, int piece) {
  return static_cast<int8_t>(Q3KScale(block.scales, piece));
}

/// Q6_K and Q3_K: a byte for the scale of each sixteen, 128 more than it is; behind the records their scale, a half.
template <typename Block, int kOffset>
struct ScalesOfSixteen {
  static constexpr int kUnitBytes = 2;
  static constexpr int kTailBytes = 2;
  struct Raw {
    int bytes;
    int tail;
  };
  RF_DEVICE_MEMBER static Raw Load(const ScalesPlace& at) {
    return {LoadScaleBytes(at.unit, kUnitBytes), LoadScaleBytes(at.tail, kTailBytes)};
  }
  RF_DEVICE_MEMBER static UnitScales Expand(const Raw& raw) {
    const int both = MulHalves(HalvesOfBytes<128>(raw.bytes), LowHalfTwice(raw.tail));
    const int added = OffsetOf<kOffset>(both);
    return {{LowHalfTwice(both), HighHalfTwice(both)}, {LowHalfTwice(added), HighHalfTwice(added)}};
  }
  RF_DEVICE_MEMBER static float LargestScale(const Block& block) { return fabsf(HalfBitsToFloat(block.d)) * 128.0f; }
  RF_DEVICE_MEMBER static float LargestMinimum(const Block& /*block*/) { return 0.0f; }
  RF_DEVICE_MEMBER static void StoreUnit(unsigned char* to, const Block& block, int unit) {
    RF_UNROLL
    for (int half = 0; half < 2; ++half) {
      to[half] = static_cast<unsigned char>(ScaleOfSixteen(block, 2 * unit + half) + 128);
    }
  }
  RF_DEVICE_MEMBER static void StoreTail(unsigned char* to, const Block& block, int power) {
    const int word = PackHalves(TimesPower(HalfBitsToFloat(block.d), 24 - power), 0.0f);
    *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(word);
  }
};

/// A half for kUnits neighbouring units, a byte of it in each of the first two. Quants are stored kTwiceOffset / 2 more
/// than they are.
template <int kUnits, int kTwiceOffset>
struct SharedHalfScales {
  static constexpr int kUnitBytes = 1;
  static constexpr int kTailBytes = 0;
  struct Raw {
    int half;
  };
  /// Of the units that share; records begin at multiples of 16 bytes.
  RF_DEVICE_MEMBER static int IndexOf(const unsigned char* unit) {
    return static_cast<int>(reinterpret_cast<uintptr_t>(unit) % kUnits);
  }
  RF_DEVICE_MEMBER static Raw Load(const ScalesPlace& at) { return {LoadScaleBytes(at.unit - IndexOf(at.unit), 2)}; }
  RF_DEVICE_MEMBER static UnitScales Expand(const Raw& raw) {
    const int scale = LowHalfTwice(raw.half);
    int added = OffsetOf<kTwiceOffset>(scale);
    added = MulHalves(added, 0x38003800);  // halved
    return {{scale, scale}, {added, added}};
  }
  RF_DEVICE_MEMBER static void Store(unsigned char* to, int power, const float (&scale)[2],
                                     const float (&/*minimum*/)[2]) {
    const int half = PackHalves(TimesPower(scale[0], 24 - power), 0.0f);
    *to = static_cast<unsigned char>(half >> (8 * IndexOf(to)));
  }
};

/// TQ1_0 and TQ2_0: behind the records a half for each output.
template <typename Block>
struct BlockScale {
  static constexpr int kUnitBytes = 0;
  static constexpr int kTailBytes = 2;
  struct Raw {
    int tail;
  };
  RF_DEVICE_MEMBER static Raw Load(const ScalesPlace& at) { return {LoadScaleBytes(at.tail, kTailBytes)}; }
  RF_DEVICE_MEMBER static UnitScales Expand(const Raw& raw) {
    const int scale = LowHalfTwice(raw.tail);
    const int added = OffsetOf<1>(scale);
    return {{scale, scale}, {added, added}};
  }
  RF_DEVICE_MEMBER static float LargestScale(const Block& block) { return fabsf(HalfBitsToFloat(block.d)); }
  RF_DEVICE_MEMBER static float LargestMinimum(const Block& /*block*/) { return 0.0f; }
  RF_DEVICE_MEMBER static void StoreUnit(unsigned char* /*to*/, const Block& /*block*/, int /*unit*/) {}
  RF_DEVICE_MEMBER static void StoreTail(unsigned char* to, const Block& block, int power) {
    const int word = PackHalves(TimesPower(HalfBitsToFloat(block.d), 24 - power), 0.0f);
    *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(word);
  }
};

}  // namespace
}  // namespace rf::hip
