#include "hip/kernels/matrix_peak.h"

#include "hip/kernels/matrix_fragments.h"

namespace rf::hip {
namespace {

constexpr int kPeakThreads = 256;
constexpr int kBlocksOfProcessor = 4;
constexpr int kChains = 8;  // products that do not wait for each other
constexpr int kColumns = 32;
constexpr int64_t kOperations = 2 * kMatrixSide * kMatrixSide * kColumns;  // of one product

// Operands that are not all the same, so that the hardware has what to do.
template <typename Fragment>
RF_DEVICE Fragment FragmentOf(int seed) {
  Fragment fragment;
  auto bits = static_cast<uint32_t>(Lane() + seed) * 2654435761u;
  for (int& word : fragment.words) {
    bits = bits * 1664525u + 1013904223u;
    word = static_cast<int>(bits);
  }
  return fragment;
}

// The sums may wrap around; nobody looks at them.
RF_KERNEL RF_LAUNCH_BOUNDS(kPeakThreads) MultiplyRegisters(int32_t n_rounds, int* sink) {
  if constexpr (kHasMatrixInstructions) {
    const auto a = FragmentOf<RowFragment<kColumns>>(1);
    const auto b = FragmentOf<ColumnFragment<kColumns>>(2);
    MatrixSums sums[kChains];
    for (int32_t round = 0; round < n_rounds; ++round) {
      RF_UNROLL
      for (int chain = 0; chain < kChains; ++chain) sums[chain] = MultiplyMatrices<kColumns>(a, b, sums[chain]);
    }
    uint32_t mixed = 0;
    RF_UNROLL
    for (int chain = 0; chain < kChains; ++chain) {
      RF_UNROLL
      for (int i = 0; i < MatrixValuesOfLane(); ++i) mixed += static_cast<uint32_t>(sums[chain].values[i]);
    }
    if (mixed == 0x5eed5eedu) *sink = 0;  // hardly ever; without it the products would be dropped
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
