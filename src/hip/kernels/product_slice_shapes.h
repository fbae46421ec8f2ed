// The shapes of blocks that the slice kernels have: for one row and for several, with what each has under way.
#pragma once

#include "hip/kernels/product_slices.h"

namespace rf::hip {
namespace {

[[maybe_unused]] constexpr int kThreads = kSlices * kWaveLanes;

inline int ThreadsOf(const GpuTraits& traits) {
  return kSlices * traits.wave_size;
}

// Columns of a row that shared memory has room for: so many that several blocks fit, or as many as one may have.
constexpr int kFewColumns = 8192;
constexpr int kManyColumns = 20480;

// Of a block's rings together: so many that a processor has room for four blocks of one row of kFewColumns, or for two
// of kManyColumns.
constexpr int kRingBytes = 32 << 10;
constexpr int kProcessorBytes = 227 << 10;  // of Hopper's, a KiB of which goes to each block
constexpr int kLongRingBytes = 48 << 10;
constexpr int kTwoRingsBytes = 40 << 10;  // of each of two tiles, so that a block has less than 99 KiB

// Stretches in registers: fewer where those are few, and of weights that take more of them.
template <typename Planar, bool kIsOneRow, int kAhead>
constexpr int CountHeld() {
  if (kIsHalves<Planar>) return kIsTallWave ? 2 : 1;
  if (kIsTallWave) return kAhead;
  return Planar::kLowBits == 8 && !kIsOneRow ? 1 : 2;
}

// Where there are narrow products there are rings, but for weights that are halves: three stretches of those for each
// wave would be more than a block may have on many GPUs.
template <typename Planar, typename Ring, bool kNarrow, bool kIsOneRow, int kAhead>
using WeightsFor = std::conditional_t<kNarrow && !kIsHalves<Planar>, Ring,
                                      HeldStretches<Planar, CountHeld<Planar, kIsOneRow, kAhead>()>>;

template <typename Planar, int kColumns>
using RingOfOneRow = RingStretches<Planar, (kColumns <= kFewColumns ? kRingBytes : kLongRingBytes) / kSlices>;
// Rows' activations cost more than weights: a wave takes two tiles for up to sixteen, if their stretches are small.
template <typename Planar, int kFragments>
constexpr bool kTakesTwo = kFragments == 1 && RecordBytes(Planar::Shape()) <= 1792;
template <typename Planar, int kFragments>
using RingOfRows = RingStretches<Planar, (kTakesTwo<Planar, kFragments> ? kTwoRingsBytes : kLongRingBytes) / kSlices,
                                 kTakesTwo<Planar, kFragments> ? 2 : 1>;

// Of one row in shared memory.
template <typename Planar, int kColumns, bool kNarrow, int kTiles = 1>
struct OneRowShape : SliceShape<SharedRow<kColumns>,
                                WeightsFor<Planar, RingOfOneRow<Planar, kColumns>, kNarrow, true, kTiles == 1 ? 3 : 4>,
                                1, kNarrow, kTiles> {
  static constexpr bool kHasRoom = (sizeof(typename OneRowShape::Memory) + (1 << 10)) * 4 <= kProcessorBytes;
  static constexpr int kBlocksAtOnce =
      kNarrow && kColumns <= kFewColumns && !kIsHalves<Planar> ? (kHasRoom ? 4 : 3) : 2;
};
template <typename Planar, bool kNarrow, bool kRing, int kFragments = 1, int kTiles = 1>
struct RowsShape
    : SliceShape<DirectRows<kFragments, kNarrow>, WeightsFor<Planar, RingOfRows<Planar, kFragments>, kRing, false, 2>,
                 kNarrow ? kMatrixSide / 2 : kFragments * kMatrixSide, kNarrow, kTiles> {
  // Two tiles and sixteen rows take more registers than two blocks have.
  static constexpr bool kTakesMost = kRing && !kNarrow && kTakesTwo<Planar, kFragments>;
  static constexpr int kBlocksAtOnce = kFragments == 1 && !kTakesMost ? 2 : 1;
};

// Calls use<kNarrow>() as the device has it.
template <typename Use>
void WithWidth(const void* native, Use use) {
  if constexpr (kIsAlwaysNarrow) {
    use.template operator()<true>();
  } else {
    if constexpr (kHasNarrow) {
      if (HasNarrowProducts(*static_cast<const GpuContext*>(native)->traits)) return use.template operator()<true>();
    }
    use.template operator()<false>();
  }
}

// Tiles of outputs of one row each.
inline int64_t CountTiles(const ProductJob& job) {
  int64_t n_tiles = 0;
  for (int p = 0; p < job.args.n_parts; ++p) n_tiles += TilesOf(job.args.parts[p].weight.n_rows);
  return n_tiles * job.rows.n_rows;
}

// How many tiles of outputs a block of one row takes: one where that keeps all processors at work, more where blocks
// would follow one another.
inline int TilesOfBlock(const GpuTraits& traits, int64_t n_tiles) {
  if (n_tiles <= 3 * traits.n_processors) return 1;
  return n_tiles < 16 * traits.n_processors ? 2 : 8;
}

}  // namespace
}  // namespace rf::hip
