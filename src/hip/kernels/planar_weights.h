// Planar weights of each format: how a lane loads a unit, and makes halves of it.
#pragma once

#include "hip/kernels/planar_scales.h"
#include "quant/plain.h"

namespace rf::hip {
namespace {

/// No table: quants are what they are.
struct NoTable {};

/// kLow bits of a quant in the low plane, kHigh in the high one. Of a table the quants are numbers.
template <typename BlockType, int kLow, int kHigh, typename ScalesType, typename TableType = NoTable>
struct PlanarFormat {
  using Block = BlockType;
  using Scales = ScalesType;
  using Table = TableType;
  static constexpr bool kHasTable = !std::is_same_v<Table, NoTable>;
  static constexpr int kLowBits = kLow;
  static constexpr int kHighBits = kHigh;
  RF_HOST_DEVICE_MEMBER static constexpr PlanarShape Shape() {
    return {kLow, kHigh, Scales::kUnitBytes, Scales::kTailBytes};
  }

  /// A unit as it was loaded.
  struct Raw {
    int low[kLow];
    int high[kHigh == 0 ? 1 : kHigh];
    typename Scales::Raw scales;
  };
};

template <typename Block>
struct PlanarOf;
template <>
struct PlanarOf<BlockQ4_0> : PlanarFormat<BlockQ4_0, 4, 0, HalfScales<1, false, 8>> {};
template <>
struct PlanarOf<BlockQ4_1> : PlanarFormat<BlockQ4_1, 4, 0, HalfScales<1, true, 0>> {};
template <>
struct PlanarOf<BlockQ5_0> : PlanarFormat<BlockQ5_0, 4, 1, HalfScales<1, false, 16>> {};
template <>
struct PlanarOf<BlockQ5_1> : PlanarFormat<BlockQ5_1, 4, 1, HalfScales<1, true, 0>> {};
template <>
struct PlanarOf<BlockQ8_0> : PlanarFormat<BlockQ8_0, 8, 0, HalfScales<1, false, 128>> {};
template <>
struct PlanarOf<BlockQ4_K> : PlanarFormat<BlockQ4_K, 4, 0, KScales<BlockQ4_K>> {};
template <>
struct PlanarOf<BlockQ5_K> : PlanarFormat<BlockQ5_K, 4, 1, KScales<BlockQ5_K>> {};
template <>
struct PlanarOf<BlockQ6_K> : PlanarFormat<BlockQ6_K, 4, 2, ScalesOfSixteen<BlockQ6_K, 32>> {};
template <>
struct PlanarOf<BlockQ3_K> : PlanarFormat<BlockQ3_K, 2, 1, ScalesOfSixteen<BlockQ3_K, 4>> {};
template <>
struct PlanarOf<BlockQ2_K> : PlanarFormat<BlockQ2_K, 2, 0, HalfScales<2, true, 0>> {};
template <>
struct PlanarOf<BlockIQ4_NL> : PlanarFormat<BlockIQ4_NL, 4, 0, HalfScales<1, false, 128>, IqTable> {};
template <>
struct PlanarOf<BlockIQ4_XS> : PlanarFormat<BlockIQ4_XS, 4, 0, HalfScales<1, false, 128>, IqTable> {};
template <>
struct PlanarOf<BlockMXFP4> : PlanarFormat<BlockMXFP4, 4, 0, HalfScales<1, false, 128>, E2M1Table> {};
template <>
struct PlanarOf<BlockNVFP4> : PlanarFormat<BlockNVFP4, 4, 0, HalfScales<2, false, 128>, E2M1Table> {};
template <>
struct PlanarOf<BlockQ1_0> : PlanarFormat<BlockQ1_0, 1, 0, SharedHalfScales<4, 1>> {};
template <>
struct PlanarOf<BlockQ2_0> : PlanarFormat<BlockQ2_0, 2, 0, SharedHalfScales<2, 2>> {};
template <>
struct PlanarOf<BlockTQ1_0> : PlanarFormat<BlockTQ1_0, 2, 0, BlockScale<BlockTQ1_0>> {};
template <>
struct PlanarOf<BlockTQ2_0> : PlanarFormat<BlockTQ2_0, 2, 0, BlockScale<BlockTQ2_0>> {};

/// Halves as they are multiplied.
template <>
struct PlanarOf<BlockF16> : PlanarFormat<BlockF16, 16, 0, NoScales> {};
template <>
struct PlanarOf<BlockBF16> : PlanarFormat<BlockBF16, 16, 0, NoScales> {};

template <typename Planar>
constexpr bool kIsHalves = Planar::kLowBits == 16;

struct alignas(8) Int2 {
  int32_t x;
  int32_t y;
};

template <int kWords>
RF_DEVICE void LoadWords(const unsigned char* from, int (&words)[kWords]) {
  if constexpr (kWords == 1) {
    words[0] = *reinterpret_cast<const int32_t*>(from);
  } else if constexpr (kWords == 2) {
    const Int2 two = *reinterpret_cast<const Int2*>(from);
    words[0] = two.x;
    words[1] = two.y;
  } else {
    RF_UNROLL
    for (int i = 0; i < kWords; i += 4) {
      const Int4 four = *reinterpret_cast<const Int4*>(from + 4 * i);
      words[i] = four.x;
      words[i + 1] = four.y;
      words[i + 2] = four.z;
      words[i + 3] = four.w;
    }
  }
}

/// Where a tile's stretch lies, and the tail behind its group.
struct RecordPlace {
  const unsigned char* record;
  const unsigned char* tail;
};

template <typename Planar>
RF_DEVICE RecordPlace RecordAt(const unsigned char* tile, int stretch) {
  constexpr PlanarShape kShape = Planar::Shape();
  constexpr bool kHasTail = kShape.tail_bytes > 0;
  constexpr uint32_t kRecord = RecordBytes(kShape);
  const auto at = static_cast<uint32_t>(stretch);
  // A tile has fewer than 2^32 bytes.
  const uint32_t group = (kHasTail ? at / 2 : at) * static_cast<uint32_t>(GroupBytes(kShape));
  return {tile + (group + (kHasTail ? at % 2 * kRecord : 0)), tile + (group + 2 * kRecord)};
}

/// Where a unit of a record lies, plane by plane; unit: of all of the tile's.
template <typename Planar>
struct UnitPlace {
  const unsigned char* low;
  const unsigned char* high;
  ScalesPlace scales;

  RF_DEVICE_MEMBER UnitPlace(const RecordPlace& place, int unit) {
    constexpr PlanarShape kShape = Planar::Shape();
    constexpr uint32_t kLow = 4 * kShape.low_words;
    constexpr uint32_t kHigh = 4 * kShape.high_words;
    const auto index = static_cast<uint32_t>(unit);
    low = place.record + index * kLow;
    high = place.record + (kUnitsOfRecord * kLow + index * kHigh);
    scales.unit = place.record + (kUnitsOfRecord * (kLow + kHigh) + index * static_cast<uint32_t>(kShape.scale_bytes));
    const uint32_t row = index / kUnitsOfStretch;
    scales.tail = place.tail + row * static_cast<uint32_t>(kShape.tail_bytes);
  }
  /// Some rows and units further.
  RF_DEVICE_MEMBER typename Planar::Raw Load(int rows, int units) const {
    constexpr PlanarShape kShape = Planar::Shape();
    const int more = rows * kUnitsOfStretch + units;
    typename Planar::Raw raw;
    LoadWords(low + more * 4 * kShape.low_words, raw.low);
    if constexpr (Planar::kHighBits > 0) LoadWords(high + more * 4 * kShape.high_words, raw.high);
    raw.scales =
        Planar::Scales::Load({scales.unit + more * kShape.scale_bytes, scales.tail + rows * kShape.tail_bytes});
    return raw;
  }
};

/// The pair-th pair of columns of a plane with kBits for each, in the lowest bits of both halves.
template <int kBits, int kWords>
RF_DEVICE int PairOf(const int (&words)[kWords], int pair) {
  constexpr int kPairs = 16 / kBits;  // of a word
  constexpr int kMask = ((1 << kBits) - 1) * 0x00010001;
  return static_cast<int>(static_cast<uint32_t>(words[pair / kPairs]) >> (pair % kPairs * kBits)) & kMask;
}

/// Signed bytes of a table, as bytes 128 more than they are.
template <typename Table>
RF_DEVICE int LookUpUnsigned(int numbers) {
  return LookUp<Table>(numbers) ^ static_cast<int>(0x80808080u);
}

/// Columns 8 w .. 8 w + 7 of a unit of quants.
template <typename Planar>
RF_DEVICE Int4 HalvesOfQuants(const typename Planar::Raw& raw, const UnitScales& scales, int w) {
  constexpr int kBytes = 0x00ff00ff;
  const int scale = scales.scale[w / 2];
  const int added = scales.added[w / 2];
  const auto half = [&](int quants) { return FmaHalves(quants, scale, added); };
  if constexpr (Planar::kHasTable) {
    const int x = raw.low[w];
    const int low = LookUpUnsigned<typename Planar::Table>(x & kNibbles);
    const int high = LookUpUnsigned<typename Planar::Table>(static_cast<int>(static_cast<uint32_t>(x) >> 4) & kNibbles);
    return {half(low & kBytes), half(high & kBytes), half(static_cast<int>(static_cast<uint32_t>(low) >> 8) & kBytes),
            half(static_cast<int>(static_cast<uint32_t>(high) >> 8) & kBytes)};
  } else if constexpr (Planar::kLowBits == 4 && Planar::kHighBits == 0) {
    // Nibbles four bits further up count sixteen times as much.
    const int sixteenth = MulHalves(scale, 0x2c002c00);
    const int x = raw.low[w];
    const auto y = static_cast<int>(static_cast<uint32_t>(x) >> 8);
    return {half(x & 0x000f000f), FmaHalves(x & 0x00f000f0, sixteenth, added), half(y & 0x000f000f),
            FmaHalves(y & 0x00f000f0, sixteenth, added)};
  } else {
    const auto quants = [&](int pair) {
      const int low = PairOf<Planar::kLowBits>(raw.low, 4 * w + pair);
      if constexpr (Planar::kHighBits == 0) {
        return low;
      } else {
        return low | PairOf<Planar::kHighBits>(raw.high, 4 * w + pair) << Planar::kLowBits;
      }
    };
    return {half(quants(0)), half(quants(1)), half(quants(2)), half(quants(3))};
  }
}

/// Columns 8 w .. 8 w + 7 of a unit.
template <typename Planar>
RF_DEVICE Int4 HalvesOfUnit(const typename Planar::Raw& raw, const UnitScales& scales, int w) {
  if constexpr (kIsHalves<Planar>) {
    return {raw.low[4 * w], raw.low[4 * w + 1], raw.low[4 * w + 2], raw.low[4 * w + 3]};
  } else {
    return HalvesOfQuants<Planar>(raw, scales, w);
  }
}

/// A lane's share of a tile's stretch.
template <typename Planar>
struct LaneRecord {
  typename Planar::Raw units[kMostRows][kMostPieces];

  RF_DEVICE_MEMBER void Load(const unsigned char* tile, int stretch) { LoadFrom(RecordAt<Planar>(tile, stretch)); }
  RF_DEVICE_MEMBER void LoadFrom(const RecordPlace& place) {
    const UnitPlace<Planar> first(place, LaneRow(0) * kUnitsOfStretch + LanePart() * PiecesOfLane());
    RF_UNROLL
    for (int r = 0; r < LaneRows(); ++r) {
      RF_UNROLL
      for (int u = 0; u < PiecesOfLane(); ++u) units[r][u] = first.Load(r * kLaneRowStep, u);
    }
  }
};

template <typename Planar>
struct LaneScales {
  UnitScales units[kMostRows][kMostPieces];

  LaneScales() = default;
  RF_DEVICE_MEMBER explicit LaneScales(const LaneRecord<Planar>& record) {
    RF_UNROLL
    for (int r = 0; r < LaneRows(); ++r) {
      RF_UNROLL
      for (int u = 0; u < PiecesOfLane(); ++u) units[r][u] = Planar::Scales::Expand(record.units[r][u].scales);
    }
  }
};

/// The weights of the product-th of a stretch's products.
template <typename Planar>
RF_DEVICE HalfFragment WeightsOf(const LaneRecord<Planar>& record, const LaneScales<Planar>& scales, int product) {
  HalfFragment fragment;
  RF_UNROLL
  for (int r = 0; r < LaneRows(); ++r) {
    RF_UNROLL
    for (int p = 0; p < PiecesOfLane(); ++p) {
      const int word = product * PiecesOfLane() + p;
      fragment.pieces[r][p] = HalvesOfUnit<Planar>(record.units[r][word / 4], scales.units[r][word / 4], word % 4);
    }
  }
  return fragment;
}

}  // namespace
}  // namespace rf::hip
