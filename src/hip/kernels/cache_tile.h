// Keys or values of a few positions, as F32 in shared memory.
#pragma once

#include "hip/kernels/plain_elements.h"
#include "hip/kernels/views.h"
#include "ops/all_kv_formats.h"  // written by ops/CMakeLists.txt from kv_formats.def

namespace rf::hip {
namespace {

/// Where a tile's keys or values come from.
struct CacheSource {
  const void* half;
  int head_dim;
  const int64_t* rows;  ///< CacheRowIndex of the tile's positions
};

/// kPositions rows of up to kDim elements. Rows are an odd number of Float4 apart, so that threads which read the same
/// column of neighbouring rows use different banks.
template <int kDim, int kPositions>
struct CacheTile {
  Float4 rows[kPositions][kDim / 4 + 1];

  /// Loads positions [first, end) of those that begin at `begin`; the other rows stay as they are. By kThreads threads.
  template <typename Block, int kThreads>
  RF_DEVICE_MEMBER void Load(const CacheSource& from, int begin, int first, int end) {
    // A thread takes a piece: eight elements of a plain format, or a block.
    constexpr int kPiece = Block::kElements == 1 ? 8 : Block::kElements;
    constexpr int kPerRow = kDim / kPiece;
    for (int i = static_cast<int>(threadIdx.x); i < kPositions * kPerRow; i += kThreads) {
      const int row = i / kPerRow;
      const int column = i % kPerRow * kPiece;
      const int position = begin + row;
      if (position < first || position >= end || column >= Afresh(from.head_dim)) continue;
      const auto* blocks = static_cast<const Block*>(from.half) + from.rows[row] * (from.head_dim / Block::kElements);
      LoadPiece(blocks + column / Block::kElements, &rows[row][column / 4]);
    }
  }

 private:
  template <typename Block>
  RF_DEVICE_MEMBER static void LoadPiece(const Block* from, Float4* to) {
    if constexpr (Block::kElements == 1) {
      const EightFloats eight = LoadEight(from);
      const float* v = eight.values;
      to[0] = {v[0], v[1], v[2], v[3]};
      to[1] = {v[4], v[5], v[6], v[7]};
    } else {
      Unpack(*from, &to->x);
    }
  }
};

}  // namespace
}  // namespace rf::hip
