// How a block of the matrix kernel brings a slab of columns into shared memory: weights unpacked to signed bytes,
// activations as two planes, both with the scales of their pieces. What comes next is loaded into registers while the
// slab before it is multiplied.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "hip/kernels/product.h"
#include "hip/kernels/product_piece.h"

namespace rf::hip {
namespace {

inline constexpr int kSlabRounds = 2;
inline constexpr int kSlabWords = kSlabRounds * kUnit / 4;
inline constexpr int kSlabStride = kSlabWords + 4;  ///< so that eight rows lie in different banks

/// A block: kTileOutputs outputs of kTileRows rows; each wave has a square of its own, 32 rows high.
template <int kTileRowsOf>
struct MatrixShape {
  static constexpr int kTileRows = kTileRowsOf;
  static constexpr int kTileOutputs = 128;
  static constexpr int kThreads = 4 * kTileRows;  ///< 32 outputs each
};

/// How many rounds one lane of the other kernels takes.
template <typename Pieces>
RF_DEVICE int RoundsOfLane(int n_cols, int lane) {
  const int n_rounds = Pieces::CountRounds(n_cols, lane % kRoundLanes);
  return (n_rounds - lane / kRoundLanes + kRoundsAtOnce - 1) / kRoundsAtOnce;
}

/// Columns that one lane of the other kernels takes in up to kSlabRounds of its rounds.
struct Slab {
  int lane;
  int first;     ///< of the lane's rounds
  int n_rounds;  ///< of the lane, in all

  /// The lane among those that share a round.
  RF_DEVICE_MEMBER int place() const { return lane % kRoundLanes; }
  /// The i-th round of the slab.
  RF_DEVICE_MEMBER int RoundAt(int i) const { return lane / kRoundLanes + (first + i) * kRoundsAtOnce; }

  RF_DEVICE_MEMBER int count() const { return n_rounds - first < kSlabRounds ? n_rounds - first : kSlabRounds; }
};

template <typename Pieces, typename Shape>
struct MatrixMemory {
  static constexpr int kSlabPieces = kSlabRounds * Pieces::kPieces;
  int weights[Shape::kTileOutputs][kSlabStride];
  int high[Shape::kTileRows][kSlabStride];
  int low[Shape::kTileRows][kSlabStride];
  PieceScales<Pieces::kHasMinimum> scales[kSlabPieces][Shape::kTileOutputs];
  PieceScales<Pieces::kHasMinimum> x_scales[kSlabPieces][Shape::kTileRows];
};

/// Four quants 0..255 less kOffset, as signed bytes.
template <int kOffset>
RF_DEVICE int SubtractOffset(int quants) {
  if constexpr (kOffset == 0) return quants;
  const uint32_t difference = (static_cast<uint32_t>(quants) | 0x80808080u) - 0x01010101u * kOffset;
  return static_cast<int>(difference ^ 0x80808080u);
}

/// Word by word: a copy of the struct would pass through the GPU's slow private memory.
RF_DEVICE Int4 WordsOf(const Int4& from) {
  return {from.x, from.y, from.z, from.w};
}
RF_DEVICE void StoreWords(int* to, const Int4& words) {
  auto& out = *reinterpret_cast<Int4*>(to);
  out.x = words.x;
  out.y = words.y;
  out.z = words.z;
  out.w = words.w;
}

/// Eight words of quants, less kOffset.
template <int kOffset>
RF_DEVICE void StoreQuants(int* to, const int (&q)[8]) {
  StoreWords(to, {SubtractOffset<kOffset>(q[0]), SubtractOffset<kOffset>(q[1]), SubtractOffset<kOffset>(q[2]),
                  SubtractOffset<kOffset>(q[3])});
  StoreWords(to + 4, {SubtractOffset<kOffset>(q[4]), SubtractOffset<kOffset>(q[5]), SubtractOffset<kOffset>(q[6]),
                      SubtractOffset<kOffset>(q[7])});
}

/// A thread's share of a slab's weights: one round of an output, or of several.
template <typename Pieces, typename Shape>
struct WeightStage {
  using Block = typename Pieces::Block;
  static constexpr int kItems = Shape::kTileOutputs * kSlabRounds;
  static constexpr int kPerThread = kItems > Shape::kThreads ? kItems / Shape::kThreads : 1;
  const Block* rows[kPerThread];
  typename Pieces::Raw raw[kPerThread];

  RF_DEVICE_MEMBER static int Output(int i) {
    return (static_cast<int>(threadIdx.x) + i * Shape::kThreads) / kSlabRounds;
  }
  RF_DEVICE_MEMBER static int Round() { return static_cast<int>(threadIdx.x) % kSlabRounds; }
  RF_DEVICE_MEMBER static bool IsThere(const Slab& slab) {
    return Round() < slab.count() && static_cast<int>(threadIdx.x) < kItems;
  }

  /// Outputs beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER void Begin(const OutputTile& tile, int matrix) {
    RF_UNROLL
    for (int i = 0; i < kPerThread; ++i) {
      const int output = Output(i) < tile.count ? Output(i) : tile.count - 1;
      rows[i] = BlocksOf<Block>(tile.part.weight, tile.first + output, matrix);
    }
  }
  RF_DEVICE_MEMBER void Load(const Slab& slab) {
    if (!IsThere(slab)) return;
    RF_UNROLL
    for (int i = 0; i < kPerThread; ++i) raw[i] = Pieces::Load(rows[i], slab.RoundAt(Round()), slab.place());
  }
  RF_DEVICE_MEMBER void Store(MatrixMemory<Pieces, Shape>& memory, const Slab& slab) const {
    if (!IsThere(slab)) return;
    RF_UNROLL
    for (int i = 0; i < kPerThread; ++i) {
      const auto weights = Pieces::Unpack(raw[i], slab.place());
      int* to = &memory.weights[Output(i)][Round() * kUnit / 4];
      StoreQuants<Pieces::kOffset>(to, weights.quants);
      RF_UNROLL
      for (int p = 0; p < Pieces::kPieces; ++p) {
        const int piece = Round() * Pieces::kPieces + p;
        memory.scales[piece][Output(i)] = MakeScales<Pieces::kHasMinimum>(weights.scale[p], weights.minimum[p]);
      }
    }
  }
};

/// A thread's share of a slab's activations: sixteen columns of a row.
template <typename Pieces, typename Shape>
struct ActivationStage {
  static_assert(Shape::kThreads == Shape::kTileRows * kSlabRounds * 2);
  const ActivationRound* rounds;
  Int4 high;
  Int4 low;
  float scale;
  int sum;

  RF_DEVICE_MEMBER static int Half() { return static_cast<int>(threadIdx.x) % 2; }
  RF_DEVICE_MEMBER static int Round() { return static_cast<int>(threadIdx.x) / 2 % kSlabRounds; }
  RF_DEVICE_MEMBER static int Row() { return static_cast<int>(threadIdx.x) / (2 * kSlabRounds); }

  /// Rows beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile) {
    const int64_t row = RowIn(job.rows, tile, Row() < tile.count ? Row() : tile.count - 1) / job.rows.rows_per_x;
    rounds = job.units + row * RoundsOf(job.args.x.n_cols);
  }
  RF_DEVICE_MEMBER void Load(const Slab& slab) {
    if (Round() >= slab.count()) return;
    const PiecePlace place = Pieces::PlaceOf(slab.place(), Pieces::kPieces == 2 ? Half() : 0);
    const ActivationRound& round = rounds[slab.RoundAt(Round())];
    const UnitScale& unit = round.scales[place.unit];
    const int half = Pieces::kPieces == 2 ? place.half : Half();
    high = WordsOf(round.high[place.unit][half]);
    low = WordsOf(round.low[place.unit][half]);
    scale = unit.scale;
    if constexpr (Pieces::kHasMinimum) sum = Pieces::kPieces == 2 ? unit.sums[half] : unit.sums[0] + unit.sums[1];
  }
  RF_DEVICE_MEMBER void Store(MatrixMemory<Pieces, Shape>& memory, const Slab& slab) const {
    if (Round() >= slab.count()) return;
    const int word = Round() * kUnit / 4 + Half() * 4;
    StoreWords(&memory.high[Row()][word], high);
    StoreWords(&memory.low[Row()][word], low);
    if (Half() >= Pieces::kPieces) return;
    const int piece = Round() * Pieces::kPieces + Half();
    memory.x_scales[piece][Row()] = MakeScales<Pieces::kHasMinimum>(scale, static_cast<float>(sum));
  }
};

}  // namespace
}  // namespace rf::hip
