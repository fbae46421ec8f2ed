#include "hip/kernels/matrix_peak.h"

#include "hip/kernels/matrix_fragments.h"

namespace rf::hip {
namespace {

constexpr int kPeakThreads = 256;
constexpr int kBlocksOfProcessor = 4;
constexpr int kChains = 8;  // products that do not wait for each other
constexpr int64_t kColumns = kStretch / kProductsOfStretch;
constexpr int64_t kOperations = 2 * kMatrixSide * kMatrixSide * kColumns;  // of one product

// Operands that are not all the same, so that the hardware has what to do: halves between 1 and 2, of either sign.
RF_DEVICE HalfFragment FragmentOf(int seed) {
  HalfFragment fragment;
  auto bits = static_cast<uint32_t>(Lane() + seed) * 2654435761u;
  const auto next = [&] {
    bits = bits * 1664525u + 1013904223u;
    return static_cast<int>((bits & 0x83ff83ffu) | 0x3c003c00u);
  };
  RF_UNROLL
  for (int r = 0; r < kMostRows; ++r) {
    RF_UNROLL
    for (int p = 0; p < kMostPieces; ++p) fragment.pieces[r][p] = {next(), next(), next(), next()};
  }
  return fragment;
}

// Nobody looks at the sums.
RF_KERNEL RF_LAUNCH_BOUNDS(kPeakThreads) MultiplyRegisters(int32_t n_rounds, int* sink) {
  if constexpr (kHasMatrixInstructions) {
    const auto a = FragmentOf(1);
    const auto b = FragmentOf(2);
    MatrixSums sums[kChains];
    for (int32_t round = 0; round < n_rounds; ++round) {
      RF_UNROLL
      for (int chain = 0; chain < kChains; ++chain) sums[chain] = MultiplyHalves<false>(a, b, sums[chain]);
    }
    float mixed = 0.0f;
    RF_UNROLL
    for (int chain = 0; chain < kChains; ++chain) {
      RF_UNROLL
      for (int i = 0; i < MatrixValuesOfLane(); ++i) mixed += sums[chain].values[i];
    }
    if (mixed == 0.12345678f) *sink = 0;  // hardly ever; without it the products would be dropped
  }
}

}  // namespace

int64_t LaunchMatrixPeak(void* native, int32_t n_rounds) {
  const auto& context = *static_cast<GpuContext*>(native);
  const GpuTraits& traits = *context.traits;
  if (!HasMatrixInstructions(traits)) return 0;
  const int64_t n_blocks = int64_t{kBlocksOfProcessor} * traits.n_processors;
  const int64_t n_waves = n_blocks * (kPeakThreads / traits.wave_size);
  Launch(native, MultiplyRegisters, dim3(static_cast<uint32_t>(n_blocks)), kPeakThreads, 0, n_rounds,
         static_cast<int*>(context.workspace));
  return n_waves * n_rounds * kChains * kOperations;
}

}  // namespace rf::hip
