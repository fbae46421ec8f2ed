// The matrix unit of AMX: eight registers ("tiles") of 16 rows of 64 bytes. TDPBF16PS multiplies 16 x 32 bfloat16
// numbers by 32 x 16 in 16 cycles (Intel 64 and IA-32 Architectures Software Developer's Manual, TDPBF16PS). In which
// order it adds does not matter here: all partial sums are exact. See matmul_matrix.h.
#pragma once

#include <immintrin.h>

#include "cpu/kernels/amx_unit.h"
#include "cpu/kernels/matmul_lanes_avx512.h"

namespace rf::cpu {
namespace {

// Where a batch begins to be decoded as fast as with vectors, or faster (models of 1 B weights, Q4_K_M and Q8_0).
inline constexpr int64_t kMatrixFromRows = 9;
inline constexpr int64_t kMatrixPanels = 4;

inline constexpr int kTileWords = kMatrixTokens * kPanelRows;

// One block's product, begun in one stage and fetched in the next, so that the unit never waits. The intrinsics take
// register numbers as text: Name##Multiply leaves the sums in tiles First and Second, Name##Store brings them to
// memory.
#define RF_MATRIX_STAGE(Name, First, Second)                                                             \
  template <MatrixSums kSums>                                                                            \
  RF_LANES_INLINE void Name##Multiply(const MatrixBlock& x, const int32_t* w) {                          \
    _tile_loadd(0, x.planes[0], kTileBytes);                                                             \
    _tile_loadd(1, x.planes[1], kTileBytes);                                                             \
    _tile_loadd(2, w, kTileBytes);                                                                       \
    if constexpr (kSums == MatrixSums::kHalves) _tile_loadd(3, w + kTileWords, kTileBytes);              \
    _tile_zero(First);                                                                                   \
    _tile_dpbf16ps(First, 0, 2);                                                                         \
    if constexpr (kSums == MatrixSums::kJoined) {                                                        \
      _tile_dpbf16ps(First, 1, 2);                                                                       \
    } else {                                                                                             \
      _tile_zero(Second);                                                                                \
      if constexpr (kSums == MatrixSums::kHalves) {                                                      \
        _tile_dpbf16ps(Second, 1, 3);                                                                    \
      } else {                                                                                           \
        _tile_dpbf16ps(Second, 1, 2);                                                                    \
      }                                                                                                  \
    }                                                                                                    \
  }                                                                                                      \
  template <MatrixSums kSums>                                                                            \
  RF_LANES_INLINE void Name##Store(float* products) {                                                    \
    _tile_stored(First, products, kTileBytes);                                                           \
    if constexpr (kSums != MatrixSums::kJoined) _tile_stored(Second, products + kTileWords, kTileBytes); \
  }
RF_MATRIX_STAGE(Even, 4, 5)
RF_MATRIX_STAGE(Odd, 6, 7)
#undef RF_MATRIX_STAGE

/// y += a block's products, with the roundings of the vector loops.
template <MatrixSums kSums, bool kHasMinimum>
RF_LANES_INLINE void AddMatrixProducts(const float* products, const float* w_scales, const MatrixBlock& x,
                                       Floats (&y)[kMatrixTokens]) {
  constexpr int kScales = kSums == MatrixSums::kHalves ? 2 : 1;
  for (int s = 0; s < kScales; ++s, w_scales += (kHasMinimum ? 2 : 1) * kPanelRows) {
    const Floats scale = LoadFloats(w_scales);
#pragma GCC unroll 16
    for (int t = 0; t < kMatrixTokens; ++t) {
      Floats sum = LoadFloats(products + s * kTileWords + t * kPanelRows);
      if constexpr (kSums == MatrixSums::kSeparate) sum = Add(sum, LoadFloats(products + kTileWords + t * kPanelRows));
      y[t] = MultiplyAdd(sum, Multiply(scale, SplatFloat(x.scales[t])), y[t]);
      if constexpr (kHasMinimum) {
        y[t] = MultiplyAdd(LoadFloats(w_scales + kPanelRows), SplatFloat(x.scaled_sums[s][t]), y[t]);
      }
    }
  }
}

/// Adds n_blocks blocks of a panel that was unpacked for the unit to sums [kMatrixTokens, 16].
template <MatrixSums kSums, bool kHasMinimum>
void MatrixTile(const UnpackedPanel& panel, int64_t n_blocks, const MatrixBlock* x, float* sums) {
  constexpr int kScales = kSums == MatrixSums::kHalves ? 2 : 1;
  alignas(64) float products[2][2 * kTileWords];
  Floats y[kMatrixTokens];
#pragma GCC unroll 16
  for (int t = 0; t < kMatrixTokens; ++t) y[t] = LoadFloats(sums + t * kPanelRows);
  const auto weights = [&](int64_t b) __attribute__((always_inline)) {
    return panel.pairs + b * kScales * kTileWords;
  };
  const auto add = [&](int64_t b) __attribute__((always_inline)) {
    const float* scales = panel.scales + b * kScales * (kHasMinimum ? 2 : 1) * kPanelRows;
    AddMatrixProducts<kSums, kHasMinimum>(products[b % 2], scales, x[b], y);
  };
  asm volatile("" ::: "memory");  // GCC's tile loads do not say that they read memory
  EvenMultiply<kSums>(x[0], weights(0));
  for (int64_t b = 0; b < n_blocks; b += 2) {
    if (b + 1 < n_blocks) OddMultiply<kSums>(x[b + 1], weights(b + 1));
    EvenStore<kSums>(products[0]);
    if (b > 0) add(b - 1);
    if (b + 2 < n_blocks) EvenMultiply<kSums>(x[b + 2], weights(b + 2));
    if (b + 1 < n_blocks) OddStore<kSums>(products[1]);
    add(b);
  }
  if (n_blocks % 2 == 0) add(n_blocks - 1);
#pragma GCC unroll 16
  for (int t = 0; t < kMatrixTokens; ++t) StoreFloats(sums + t * kPanelRows, y[t]);
}

/// For each 16-bit word of a row of planes the word of 32 F32 numbers that goes there: a number's upper half is its
/// bfloat16, and numbers go in the order of the pairs; with `halves` the even pairs before the odd ones.
struct alignas(64) PlaneOrder {
  uint16_t words[kBlock];
};
constexpr PlaneOrder PlaneOrderOf(bool halves) {
  PlaneOrder order{};
  for (int i = 0; i < kPairs; ++i) {
    const int pair = !halves ? i : i < kPairs / 2 ? 2 * i : 2 * (i - kPairs / 2) + 1;
    const int first = pair / 4 * 4 + kPairFirst[pair % 4];
    order.words[2 * i] = static_cast<uint16_t>(2 * first + 1);
    order.words[2 * i + 1] = static_cast<uint16_t>(2 * (first + 2) + 1);
  }
  return order;
}
inline constexpr PlaneOrder kPlaneOrders[2] = {PlaneOrderOf(false), PlaneOrderOf(true)};

/// Stores 32 quantized activations q of one token.
inline void PrepareMatrixBlock(const int32_t (&q)[kBlock], const BlockScales& numbers, MatrixForm form, int token,
                               MatrixBlock& block) {
  const bool halves = form == MatrixForm::kHalves;
  const Ints order = LoadInts(kPlaneOrders[halves].words);
  const Ints first = LoadInts(q);
  const Ints second = LoadInts(q + kPanelRows);
  const auto plane = [&](uint32_t mask) {
    return _mm512_permutex2var_epi16(_mm512_castps_si512(ToFloats(And(first, mask))), order,
                                     _mm512_castps_si512(ToFloats(And(second, mask))));
  };
  const Ints upper = plane(0xffffff00u);
  const Ints lower = plane(0x000000ffu);
  StoreInts(block.planes[0][token], halves ? _mm512_shuffle_i64x2(upper, lower, 0x44) : upper);
  StoreInts(block.planes[1][token], halves ? _mm512_shuffle_i64x2(upper, lower, 0xee) : lower);
  block.scales[token] = numbers.scale;
  block.scaled_sums[0][token] = halves ? numbers.first : numbers.whole;
  block.scaled_sums[1][token] = numbers.whole - numbers.first;
}

}  // namespace
}  // namespace rf::cpu
