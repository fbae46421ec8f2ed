// How weights are brought to bfloat16 for matmul_bfloat16.h:
//   SetBFloat16<Block>(kernels), SetCodebookBFloat16<Rows>(kernels), SetColumnsBFloat16<Columns>(kernels): the
//   functions for a packed format, for one in the file's layout, and for columns of floats; nothing on instruction sets
//   without a unit. F32 weights stay as they are: what a file keeps so is small or meant to be exact.
#pragma once

#include "cpu/kernels/amx.h"
#include "cpu/kernels/matmul_bfloat16.h"
#include "cpu/kernels/matmul_matrix_unpack.h"
#include "cpu/kernels/matmul_tiles.h"

namespace rf::cpu {
namespace {

#if RF_HAS_AMX

/// A number of each of 16 rows twice in a row, as pairs lie when each half is widened to 32 bits: rows 0 to 7, 8 to 15.
struct DoubledFloats {
  Floats first;
  Floats second;
};

struct alignas(64) DoubledOrder {
  int32_t words[2][kPanelRows];
  constexpr DoubledOrder() : words{} {
    for (int i = 0; i < kPanelRows; ++i) {
      words[0][i] = i / 2;
      words[1][i] = kPanelRows / 2 + i / 2;
    }
  }
};
inline constexpr DoubledOrder kDoubledOrder;

RF_LANES_INLINE DoubledFloats Double(Floats rows) {
  return {_mm512_permutexvar_ps(LoadInts(kDoubledOrder.words[0]), rows),
          _mm512_permutexvar_ps(LoadInts(kDoubledOrder.words[1]), rows)};
}

/// scale * pair + constant, in bfloat16.
RF_LANES_INLINE Ints ScaledPair(Ints pair, const DoubledFloats& scale, const DoubledFloats& constant) {
  const Floats first = ToFloats(_mm512_cvtepi16_epi32(_mm512_castsi512_si256(pair)));
  const Floats second = ToFloats(_mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(pair, 1)));
  return ToBFloat16(MultiplyAdd(first, scale.first, constant.first),
                    MultiplyAdd(second, scale.second, constant.second));
}

/// What a weight is at quant 0.
template <class Block>
RF_LANES_INLINE Floats ConstantOf(const Block& block, int s) {
  Floats constant = ZeroFloats();
  if constexpr (Block::kOffset != 0) {
    constant = Multiply(block.Scale(s), SplatFloat(static_cast<float>(-Block::kOffset)));
  }
  if constexpr (Block::kHasMinimum) constant = Block::kOffset == 0 ? block.Minimum(s) : Add(constant, block.Minimum(s));
  return constant;
}

template <class Block>
void UnpackToBFloat16(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) {
  constexpr int kRecordBlocks = Block::kLayout.record_weights / kBlock;
  int32_t* pairs = out.pairs;
  for (int64_t r = 0; r < n_records; ++r, panel += Block::kLayout.record_bytes) {
    for (int b = 0; b < kRecordBlocks; ++b, pairs += kBFloat16TileWords) {
      const Block block(panel, b);
#pragma GCC unroll 2
      for (int s = 0; s < Block::kScales; ++s) {
        const DoubledFloats scale = Double(block.Scale(s));
        const DoubledFloats constant = Double(ConstantOf(block, s));
#pragma GCC unroll 16
        for (int p = s; p < kPairs; p += Block::kScales) {
          StoreInts(pairs + p * kPanelRows, ScaledPair(block.Pair(p), scale, constant));
        }
      }
    }
  }
}

/// Whether all weights of a record but zeros have the same significant bits: quants -1, 0, 1 and 2 by one scale. The
/// error of rounding them would be that of the whole record, up to 2^-8, where those of other formats balance each
/// other. Their quants are multiplied as they are, and each record's sum is scaled.
template <class Block>
constexpr bool kHasOneMagnitude = Block::kLargest <= 2 && Block::kScales == 1 && !Block::kHasMinimum;

template <class Block>
void UnpackQuantsToBFloat16(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) {
  constexpr int kRecordBlocks = Block::kLayout.record_weights / kBlock;
  int32_t* pairs = out.pairs;
  for (int64_t r = 0; r < n_records; ++r, panel += Block::kLayout.record_bytes) {
    StoreFloats(out.scales + r * kPanelRows, Block(panel, 0).Scale(0));
    for (int b = 0; b < kRecordBlocks; ++b, pairs += kBFloat16TileWords) {
      const Block block(panel, b);
#pragma GCC unroll 16
      for (int p = 0; p < kPairs; ++p) StoreInts(pairs + p * kPanelRows, BFloat16Pair(block, p));
    }
  }
}

template <class Rows>
void UnpackRowsToBFloat16(const FileRows& rows, int64_t n_blocks, const CodedScratch& scratch, int32_t* pairs) {
  const DoubledFloats zero = Double(ZeroFloats());
  ForEachCodedPair<Rows>(rows, n_blocks, scratch.bytes, scratch.scales, [&](int64_t b, int p, const Ints& pair) {
    const float* scale = scratch.scales + (b * Rows::kScales + p % Rows::kScales) * kPanelRows;
    StoreInts(pairs + (b * kPairs + p) * kPanelRows, ScaledPair(pair, Double(LoadFloats(scale)), zero));
  });
}

/// A column's 16 numbers in the upper halves of 32 bits.
RF_LANES_INLINE Ints UpperBFloat16(const BF16Columns&, const uint8_t* column) {
  return ShiftLeft(LoadUnsigned16(column), 16);
}
RF_LANES_INLINE Ints UpperBFloat16(const F16Columns&, const uint8_t* column) {
  return ShiftLeft(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(LoadHalfs(column)))), 16);
}

/// Columns of a panel, and zeros that make the last block whole.
template <class Columns>
void UnpackColumnsToBFloat16(const uint8_t* panel, int64_t n_cols, const UnpackedPanel& out) {
  for (int64_t b = 0; b * kBlock < n_cols; ++b) {
    const int64_t left = n_cols - b * kBlock;
    const uint8_t* columns = panel + b * kBlock * Columns::kBytes;
    const auto load = [&](int i) {
      return i < left ? UpperBFloat16(Columns{}, columns + i * Columns::kBytes) : ZeroInts();
    };
    for (int p = 0; p < kPairs; ++p) {
      const uint16_t* pair = kPairOrder.words + 2 * p;
      StoreInts(out.pairs + (b * kPairs + p) * kPanelRows, Or(ShiftRight(load(pair[0]), 16), load(pair[1])));
    }
  }
}

template <class Block>
constexpr void SetBFloat16(TileKernels& kernels) {
  if constexpr (kHasOneMagnitude<Block>) {
    kernels.unpack_to_bfloat16 = UnpackQuantsToBFloat16<Block>;
    kernels.keeps_bfloat16_scales = true;
  } else {
    kernels.unpack_to_bfloat16 = UnpackToBFloat16<Block>;
  }
}
template <class Rows>
constexpr void SetCodebookBFloat16(TileKernels& kernels) {
  kernels.unpack_rows_to_bfloat16 = UnpackRowsToBFloat16<Rows>;
}
template <class Columns>
constexpr void SetColumnsBFloat16(TileKernels& kernels) {
  if constexpr (Columns::kBytes == kHalfPlane) kernels.unpack_to_bfloat16 = UnpackColumnsToBFloat16<Columns>;
}

#else

template <class Block>
constexpr void SetBFloat16(TileKernels&) {}
template <class Rows>
constexpr void SetCodebookBFloat16(TileKernels&) {}
template <class Columns>
constexpr void SetColumnsBFloat16(TileKernels&) {}

#endif

}  // namespace
}  // namespace rf::cpu
