// The activations that a wave of the slice kernels multiplies, brought to the exponent of the wave's slice: of one row,
// which lies in shared memory, or of several, which are read where they are.
#pragma once

#include "hip/kernels/planar_weights.h"
#include "hip/kernels/product_planar.h"

namespace rf::hip {
namespace {

/// The largest over the lanes that have parts of the same row.
RF_DEVICE uint32_t LargestOfParts(uint32_t value) {
  for (int part = 1; part < LaneParts(); part *= 2) {
    const uint32_t other = ShuffleXor(value, part * LanePartStride());
    value = other > value ? other : value;
  }
  return value;
}
RF_DEVICE uint32_t LargestOfWave(uint32_t value) {
  for (int mask = WaveSize() / 2; mask > 0; mask /= 2) {
    const uint32_t other = ShuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

RF_DEVICE int64_t RowOfX(const ProductJob& job, const RowTile& tile, int in_tile) {
  const auto row = static_cast<int>(RowIn(job.rows, tile, in_tile));
  return job.rows.rows_per_x == 1 ? row : row / job.rows.rows_per_x;
}

/// One row, of up to kColumns columns. Each wave brings its slice.
template <int kColumns>
struct SharedRow {
  static constexpr int kFragments = 1;
  struct Memory {
    Int4 pieces[kColumns / kPieceColumns];
    float scales[kSlices][1];
  };
  /// Where the lane's pieces of a stretch lie: the even ones and the odd ones, which are exchanged in some parts.
  struct Share {
    const Int4* first[2];
  };

  static constexpr int kLeastWave = 32;
  static constexpr int kPiecesOfStretch = kStretch / kPieceColumns;
  static constexpr int kLongestSlice = (kColumns / kStretch + kSlices - 1) / kSlices * kPiecesOfStretch;
  /// A lane's pieces of a slice.
  static constexpr int kHeld = (kLongestSlice + kLeastWave - 1) / kLeastWave;

  Memory& memory;
  Int4 held[kHeld];
  uint32_t exponents[kHeld];

  RF_DEVICE_MEMBER explicit SharedRow(Memory& of_block) : memory(of_block) {}

  /// A stretch's pieces lie such that those that the parts of a row need at once are in different banks.
  RF_DEVICE_MEMBER static int PlaceOf(int piece) { return piece ^ (piece >> 3 & 1); }
  RF_DEVICE_MEMBER static int FirstPiece(const SliceStretches& slice) {
    return slice.first * kPiecesOfStretch + Lane();
  }

  /// Begins to load: before the weights, as it is needed first.
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile, const SliceStretches& slice) {
    constexpr int kPiecesOfUnit = kHalfColumns / kPieceColumns;
    const HalfRows& x = job.halves;
    const int64_t row = RowOfX(job, tile, 0);
    const auto* values = reinterpret_cast<const Int4*>(x.values + row * x.columns);
    const uint8_t* of_units = x.exponents + row * (x.columns / kHalfColumns);
    const int end = slice.end * kPiecesOfStretch;
    RF_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      const int piece = FirstPiece(slice) + i * WaveSize();
      exponents[i] = 0;
      if (piece < end) {
        held[i] = values[piece];
        exponents[i] = of_units[piece / kPiecesOfUnit];
      }
    }
  }
  /// All threads; a barrier must follow.
  RF_DEVICE_MEMBER void Finish(const SliceStretches& slice) {
    uint32_t largest = 0;
    RF_UNROLL
    for (int i = 0; i < kHeld; ++i) largest = exponents[i] > largest ? exponents[i] : largest;
    largest = LargestOfWave(largest);
    const int end = slice.end * kPiecesOfStretch;
    RF_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      const int piece = FirstPiece(slice) + i * WaveSize();
      if (piece < end) memory.pieces[PlaceOf(piece)] = MulPiece(held[i], UnitFactor(largest, exponents[i]));
    }
    if (Lane() == 0) memory.scales[WaveIndex()][0] = SliceScale(largest);
  }
  RF_DEVICE_MEMBER void BeginSlice(int /*slice*/) const {}
  RF_DEVICE_MEMBER void Load(Share& share, int stretch) const {
    const int first = LanePart() * PiecesOfLane() * kProductsOfStretch;
    const int exchanged = PlaceOf(first) - first;
    const Int4* at = memory.pieces + stretch * kPiecesOfStretch + first;
    share.first[0] = at + exchanged;
    share.first[1] = at + 1 - exchanged;
  }
  /// See DirectRows.
  RF_DEVICE_MEMBER void BeginNext(Share& /*share*/, int /*stretch*/) const {}
  RF_DEVICE_MEMBER void LoadNext(Share& /*share*/, int /*stretch*/, int /*product*/) const {}
  RF_DEVICE_MEMBER void EndNext(Share& share) const {
    RF_UNROLL
    for (int i = 0; i < 2; ++i) share.first[i] += kPiecesOfStretch;
  }
  RF_DEVICE_MEMBER HalfFragment FragmentOf(const Share& share, int /*f*/, int /*stretch*/, int product) const {
    HalfFragment fragment{};
    RF_UNROLL
    for (int p = 0; p < PiecesOfLane(); ++p) {
      const int piece = product * PiecesOfLane() + p;
      // A lane that has the whole row exchanges those of its second half.
      const int place = LaneParts() == 1 ? PlaceOf(piece) : piece;
      fragment.pieces[0][p] = share.first[place % 2][place - place % 2];
    }
    RF_UNROLL
    for (int i = 1; i < LaneRows(); ++i) {
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) fragment.pieces[i][p] = {0, 0, 0, 0};
    }
    return fragment;
  }
};

/// kFragmentsOf times sixteen rows; narrow: eight.
template <int kFragmentsOf, bool kNarrow>
struct DirectRows {
  static constexpr int kFragments = kFragmentsOf;
  static constexpr int kRows = kNarrow ? kMatrixSide / 2 : kFragments * kMatrixSide;
  /// Rows that a lane has in a fragment.
  static constexpr int kLaneRows = kNarrow ? 1 : kMostRows;
  struct Memory {
    float scales[kSlices][kRows];
    uint32_t exponents[kSlices][kRows];
  };
  /// A lane's activations of a stretch, as they were loaded.
  struct Share {
    Int4 pieces[kFragments][kLaneRows][kProductsOfStretch][kMostPieces];
    uint32_t exponents[kFragments][kLaneRows];
    uint32_t next[kFragments][kLaneRows];  ///< exponents of the next stretch
  };

  Memory& memory;
  /// Of each row the lane's first piece, and the exponents of stretches.
  const Int4* pieces[kFragments][kLaneRows];
  const uint32_t* stretches[kFragments][kLaneRows];
  uint32_t exponents[kFragments][kLaneRows];  ///< of the slice

  RF_DEVICE_MEMBER explicit DirectRows(Memory& of_block) : memory(of_block) {}

  RF_DEVICE_MEMBER static int CountRows() { return kNarrow ? 1 : LaneRows(); }
  /// Rows beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile, const SliceStretches& slice) {
    const HalfRows& x = job.halves;
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < CountRows(); ++i) {
        const int in_tile = f * kMatrixSide + LaneRow(i);
        const int64_t row = RowOfX(job, tile, in_tile < tile.count ? in_tile : tile.count - 1);
        pieces[f][i] = reinterpret_cast<const Int4*>(x.values + row * x.columns) +
                       LanePart() * PiecesOfLane() * kProductsOfStretch;
        stretches[f][i] = ExponentsOf(x, row);
        const uint32_t largest = LargestOfParts(LargestExponent(x, row, slice, LanePart(), LaneParts()));
        if (LanePart() == 0 && in_tile < kRows) {
          memory.scales[WaveIndex()][in_tile] = SliceScale(largest);
          memory.exponents[WaveIndex()][in_tile] = largest;
        }
      }
    }
  }
  RF_DEVICE_MEMBER void Finish(const SliceStretches& /*slice*/) const {}
  RF_DEVICE_MEMBER void BeginSlice(int slice) {
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < CountRows(); ++i) exponents[f][i] = memory.exponents[slice][f * kMatrixSide + LaneRow(i)];
    }
  }
  RF_DEVICE_MEMBER void Load(Share& share, int stretch) const {
    BeginNext(share, stretch);
    RF_UNROLL
    for (int product = 0; product < kProductsOfStretch; ++product) LoadNext(share, stretch, product);
    EndNext(share);
  }
  /// What the next stretch's activations take their places from: of each product when it was multiplied, so that they
  /// come meanwhile and need no registers of their own. BeginNext() before the first product, EndNext() after the last.
  RF_DEVICE_MEMBER void BeginNext(Share& share, int stretch) const {
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < CountRows(); ++i) share.next[f][i] = stretches[f][i][static_cast<uint32_t>(stretch)];
    }
  }
  RF_DEVICE_MEMBER void LoadNext(Share& share, int stretch, int product) const {
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < CountRows(); ++i) {
        const Int4* columns = pieces[f][i] + static_cast<uint32_t>(stretch) * (kStretch / kPieceColumns);
        RF_UNROLL
        for (int p = 0; p < PiecesOfLane(); ++p) {
          share.pieces[f][i][product][p] = columns[product * PiecesOfLane() + p];
        }
      }
    }
  }
  RF_DEVICE_MEMBER void EndNext(Share& share) const {
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < CountRows(); ++i) share.exponents[f][i] = share.next[f][i];
    }
  }
  RF_DEVICE_MEMBER HalfFragment FragmentOf(const Share& share, int f, int /*stretch*/, int product) const {
    HalfFragment fragment{};
    RF_UNROLL
    for (int i = 0; i < CountRows(); ++i) {
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) {
        const int unit = LanePart() * PiecesOfLane() + (product * PiecesOfLane() + p) / kProductsOfStretch;
        const int factor = UnitFactor(exponents[f][i], share.exponents[f][i] >> (8 * unit) & 0xff);
        fragment.pieces[i][p] = MulPiece(share.pieces[f][i][product][p], factor);
      }
    }
    return fragment;
  }
};

}  // namespace
}  // namespace rf::hip
