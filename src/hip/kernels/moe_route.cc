#include "base/half.h"
#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

constexpr int kThreads = 128;

// A logit and its expert as a number that is the larger, the earlier the expert is chosen: by the logit, then the lower
// index. NaN comes after everything else. Never 0, never the largest number.
RF_DEVICE uint64_t RankOf(float logit, int expert) {
  const uint32_t bits = FloatToBits(logit + 0.0f);  // -0 becomes 0
  uint32_t order = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  if (logit != logit) order = 0;
  return static_cast<uint64_t>(order) << 32 | (0xfffffffeu - static_cast<uint32_t>(expert));
}
RF_DEVICE int ExpertOf(uint64_t rank) {
  return static_cast<int>(0xfffffffeu - static_cast<uint32_t>(rank));
}

// The best rank below `bound`, over the wave.
RF_DEVICE uint64_t BestBelow(uint64_t bound, const float* logits, int n_experts) {
  uint64_t best = 0;
  for (int e = Lane(); e < n_experts; e += WaveSize()) {
    const uint64_t rank = RankOf(logits[e], e);
    if (rank < bound && rank > best) best = rank;
  }
  return WaveMax(best);
}

// A wave for each token. Lane j mod the wave's size writes the j-th expert, and later scales its weight.
RF_KERNEL RouteTokens(MoeRoute::Args args) {
  AdmitNext();
  AwaitPrevious();
  const int64_t row = static_cast<int64_t>(blockIdx.x) * WavesInBlock() + WaveIndex();
  if (row >= args.logits.n_rows) return;
  const auto n_experts = static_cast<int>(args.logits.n_cols);
  const float* logits = RowOf(args.logits, row);
  int32_t* ids = static_cast<int32_t*>(args.ids.data) + row * args.ids.row_stride;
  float* weights = RowOf(args.weights, row);

  uint64_t rank = ~uint64_t{0};
  float largest = 0.0f;
  float used = 0.0f;
  for (int j = 0; j < args.attrs.n_used; ++j) {
    rank = BestBelow(rank, logits, n_experts);
    const int expert = ExpertOf(rank);
    if (j == 0) largest = logits[expert];
    const float share = expf(logits[expert] - largest);
    used += share;
    if (j % WaveSize() != Lane()) continue;
    ids[j] = expert;
    weights[j] = share;
  }
  float sum = 0.0f;
  for (int e = Lane(); e < n_experts; e += WaveSize()) sum += expf(logits[e] - largest);
  sum = WaveSum(sum);
  const float scale = args.attrs.scale / (args.attrs.normalize ? used : sum);
  for (int j = Lane(); j < args.attrs.n_used; j += WaveSize()) weights[j] *= scale;
}

void LaunchMoeRoute(void* native, const MoeRoute::Args& args) {
  const int n_waves = kThreads / static_cast<GpuContext*>(native)->traits->wave_size;
  LaunchEarly(native, RouteTokens, dim3(static_cast<uint32_t>(CeilDivide(args.logits.n_rows, n_waves))), kThreads, 0,
              args);
}

}  // namespace

void RegisterMoeRoute(const GpuTraits& /*traits*/, KernelTable& table) {
  table.moe_route.Set(Format::kF32, {LaunchMoeRoute, nullptr, "hip/moe_route"});
}

}  // namespace rf::hip
