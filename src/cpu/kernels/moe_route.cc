#include <math.h>

#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

// The softmax over a few dozen to a few hundred experts; the chosen ones by repeated search, which keeps the order of
// equal values.
void RouteToken(const MoeRoute::Args& args, int64_t row) {
  const float* logits = static_cast<const float*>(args.logits.data) + row * args.logits.row_stride;
  auto* ids = static_cast<int32_t*>(args.ids.data) + row * args.ids.row_stride;
  float* weights = static_cast<float*>(args.weights.data) + row * args.weights.row_stride;
  const auto n_experts = static_cast<int32_t>(args.logits.n_cols);

  for (int32_t j = 0; j < args.attrs.n_used; ++j) {
    int32_t best = -1;
    for (int32_t e = 0; e < n_experts; ++e) {
      if (best >= 0 && !(logits[e] > logits[best])) continue;
      bool is_taken = false;
      for (int32_t k = 0; k < j; ++k) is_taken = is_taken || ids[k] == e;
      if (!is_taken) best = e;
    }
    ids[j] = best;
  }
  double sum = 0.0;
  for (int32_t e = 0; e < n_experts; ++e) sum += exp(static_cast<double>(logits[e]) - logits[ids[0]]);
  double used = 0.0;
  for (int32_t j = 0; j < args.attrs.n_used; ++j) used += exp(static_cast<double>(logits[ids[j]]) - logits[ids[0]]);
  const double scale = args.attrs.scale / (args.attrs.normalize ? used : sum);
  for (int32_t j = 0; j < args.attrs.n_used; ++j) {
    weights[j] = static_cast<float>(exp(static_cast<double>(logits[ids[j]]) - logits[ids[0]]) * scale);
  }
}

void Launch(void* context, const MoeRoute::Args& args) {
  ForEachRow(*static_cast<const CpuContext*>(context), args.logits.n_rows, args.logits.n_cols * args.attrs.n_used,
             [&](int64_t row) { RouteToken(args, row); });
}

}  // namespace

void RF_ISA::RegisterMoeRoute(KernelTable& table) {
  table.moe_route.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("moe_route")});
}

}  // namespace rf::cpu
