// See peak.h.
#include "cpu/kernels/peak.h"

#include "cpu/kernels/amx.h"
#include "cpu/kernels/matmul_lanes.h"
#include "cpu/kernels/register.h"

#if RF_HAS_AMX
#include "cpu/kernels/amx_unit.h"
#endif

namespace rf::cpu {
namespace {

#if RF_HAS_AMX

// As the kernels use the unit: four sums, two tiles of rows, two of weights.
int64_t Multiply(int32_t* results) {
  constexpr int64_t kRounds = 512;
  constexpr int64_t kOperations = 2 * kTileRows * kTileRows * (kTileBytes / 2);  // of one product of tiles
  const MatrixUnit unit;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int64_t i = 0; i < kRounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  for (int i = 0; i < kPeakResults; ++i) results[i] = 0;
  return kRounds * 4 * kOperations;
}

#else

#if defined(__AVXVNNI__)
constexpr bool kDotsAtOnce = true;  // a dot instruction takes longer than an addition
#else
constexpr bool kDotsAtOnce = false;
#endif

// Sums enough that none waits for its own last addition, and few enough for the registers.
int64_t Multiply(int32_t* results) {
  constexpr int64_t kRounds = 4096;
  constexpr int kSums = kTileTokens == 8 ? 12 : kDotsAtOnce ? 6 : 3;
  constexpr int64_t kOperations = 2 * 2 * 16;  // of 16 pairs
  Ints sums[kSums];
  Ints x[kSums];
#pragma GCC unroll 16
  for (int s = 0; s < kSums; ++s) {
    sums[s] = ZeroInts();
    x[s] = SplatInt(s + 1);
    asm("" : "+m"(x[s]));  // the compiler must not know that lanes are alike
  }
  Ints w = SplatInt(3);
  for (int64_t i = 0; i < kRounds; ++i) {
    asm("" : "+m"(w));  // other numbers as far as the compiler knows, or one product would do for all rounds
#pragma GCC unroll 16
    for (int s = 0; s < kSums; ++s) sums[s] = AddPairProducts(sums[s], w, x[s]);
  }
#pragma GCC unroll 16
  for (int s = 1; s < kSums; ++s) sums[0] = Add(sums[0], sums[s]);
  StoreInts(results, sums[0]);
  return kRounds * kSums * kOperations;
}

#endif

}  // namespace
}  // namespace rf::cpu

namespace rf::cpu::RF_ISA {

int64_t MultiplyInRegisters(int32_t* results) {
  return Multiply(results);
}

}  // namespace rf::cpu::RF_ISA
