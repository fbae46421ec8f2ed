// How weights are brought into the form that a matrix unit reads (matmul_matrix.h), and which formats it multiplies.
//   SetMatrix<Block>(kernels), SetCodebookMatrix<Rows>(kernels): the unit's functions for a packed format, or for one
//   in the file's layout, where its sums are exact; nothing on instruction sets without a unit.
#pragma once

#include "cpu/kernels/amx.h"
#include "cpu/kernels/matmul_matrix.h"
#include "cpu/kernels/matmul_tiles.h"

namespace rf::cpu {
namespace {

#if RF_HAS_AMX

/// Of two vectors of F32 the upper halves, interleaved: the first's go to the lower half of each lane.
struct alignas(64) UpperHalves {
  uint16_t words[2 * kPanelRows];
  constexpr UpperHalves() : words{} {
    for (int i = 0; i < kPanelRows; ++i) {
      words[2 * i] = static_cast<uint16_t>(2 * i + 1);
      words[2 * i + 1] = static_cast<uint16_t>(2 * (kPanelRows + i) + 1);
    }
  }
};
inline constexpr UpperHalves kUpperHalves;

/// Pairs of 16-bit integers, of eight significant bits, as pairs of bfloat16 numbers.
RF_LANES_INLINE Ints BFloat16Pairs(Ints pairs) {
  const Floats first = ToFloats(_mm512_madd_epi16(pairs, SplatInt(1)));
  const Floats second = ToFloats(_mm512_srai_epi32(pairs, 16));
  return _mm512_permutex2var_epi16(_mm512_castps_si512(first), LoadInts(kUpperHalves.words),
                                   _mm512_castps_si512(second));
}

/// Small numbers in bfloat16: entry i is i - kOffset.
template <int kOffset>
struct alignas(64) BFloat16Table {
  uint16_t words[64];
  constexpr BFloat16Table() : words{} {
    for (int i = 0; i < 64; ++i) {
      words[i] = static_cast<uint16_t>(__builtin_bit_cast(uint32_t, static_cast<float>(i - kOffset)) >> 16);
    }
  }
};
template <int kOffset>
inline constexpr BFloat16Table<kOffset> kBFloat16Table;

/// The p-th pair of a packed block.
template <class Block>
RF_LANES_INLINE Ints BFloat16Pair(const Block& block, int p) {
  const uint16_t* table = kBFloat16Table<Block::kOffset>.words;
  constexpr int kMost = Block::kMost;
  if constexpr (kMost < 32) return _mm512_permutexvar_epi16(block.Pair(p), LoadInts(table));
  if constexpr (kMost < 64) return _mm512_permutex2var_epi16(LoadInts(table), block.Pair(p), LoadInts(table + 32));
  return BFloat16Pairs(Subtract16(block.Pair(p), Block::kOffset));
}

/// Where pair p of a block goes: for kHalves each scale's pairs lie there twice, once for each plane of the
/// activations.
template <MatrixSums kSums>
RF_LANES_INLINE void StoreMatrixPair(Ints pair, int p, int32_t* block) {
  if constexpr (kSums == MatrixSums::kHalves) {
    int32_t* out = block + p % 2 * kTileWords + p / 2 * kPanelRows;
    StoreInts(out, pair);
    StoreInts(out + kTileWords / 2, pair);
  } else {
    StoreInts(block + p * kPanelRows, pair);
  }
}

/// UnpackPanel (matmul_tiles.h) for MatrixTile.
template <class Block, MatrixSums kSums>
void UnpackForMatrix(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) {
  constexpr int kRecordBlocks = Block::kLayout.record_weights / kBlock;
  int32_t* pairs = out.pairs;
  float* scales = out.scales;
  for (int64_t r = 0; r < n_records; ++r, panel += Block::kLayout.record_bytes) {
    for (int b = 0; b < kRecordBlocks; ++b, pairs += Block::kScales * kTileWords) {
      const Block block(panel, b);
#pragma GCC unroll 16
      for (int p = 0; p < kPairs; ++p) StoreMatrixPair<kSums>(BFloat16Pair(block, p), p, pairs);
      scales = StoreBlockScales(block, scales);
    }
  }
}

/// UnpackCodedRows (matmul_tiles.h) for MatrixTile.
template <class Rows, MatrixSums kSums>
void UnpackRowsForMatrix(const FileRows& rows, int64_t n_blocks, uint8_t* bytes, const UnpackedPanel& out) {
  ForEachCodedPair<Rows>(rows, n_blocks, bytes, out.scales, [&](int64_t b, int p, const Ints& pair) {
    StoreMatrixPair<kSums>(BFloat16Pairs(pair), p, out.pairs + b * Rows::kScales * kTileWords);
  });
}

template <MatrixSums kSums, bool kHasMinimum>
constexpr void SetMatrixTile(TileKernels& kernels) {
  kernels.matrix = MatrixTile<kSums, kHasMinimum>;
  kernels.matrix_form = kSums == MatrixSums::kHalves ? MatrixForm::kHalves : MatrixForm::kWhole;
}

template <class Block>
constexpr void SetMatrix(TileKernels& kernels) {
  constexpr MatrixSums kSums = MatrixSumsOf(Block::kLargest, Block::kScales);
  if constexpr (kSums != MatrixSums::kNone) {
    SetMatrixTile<kSums, Block::kHasMinimum>(kernels);
    kernels.unpack_for_matrix = UnpackForMatrix<Block, kSums>;
  }
}

template <class Rows>
constexpr void SetCodebookMatrix(TileKernels& kernels) {
  constexpr MatrixSums kSums = MatrixSumsOf(kLargestByte, Rows::kScales);
  if constexpr (kSums != MatrixSums::kNone) {
    SetMatrixTile<kSums, false>(kernels);
    kernels.unpack_rows_for_matrix = UnpackRowsForMatrix<Rows, kSums>;
  }
}

#else

template <class Block>
constexpr void SetMatrix(TileKernels&) {}
template <class Rows>
constexpr void SetCodebookMatrix(TileKernels&) {}

#endif

}  // namespace
}  // namespace rf::cpu
