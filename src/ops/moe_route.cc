#include "ops/moe_route.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status MoeRoute::Check(const Args& args) {
  const int64_t n_used = args.attrs.n_used;
  RF_RETURN_IF_ERROR(
      CheckThat(n_used > 0 && n_used <= args.logits.n_cols, "moe_route", "n_used must be 1 to n_experts"));
  RF_RETURN_IF_ERROR(CheckTensor("moe_route", "logits", args.logits, {}));
  RF_RETURN_IF_ERROR(CheckTensor("moe_route", "ids", args.ids, {args.logits.n_rows, n_used}, Format::kI32));
  return CheckTensor("moe_route", "weights", args.weights, {args.logits.n_rows, n_used});
}

void MoeRoute::Reference(const Args& args) {
  const int n_used = args.attrs.n_used;
  std::vector<int32_t> order(static_cast<size_t>(args.logits.n_cols));
  std::vector<double> p(order.size());
  for (int64_t t = 0; t < args.logits.n_rows; ++t) {
    const float* logits = Row(args.logits, t);
    const double largest = *std::max_element(logits, logits + args.logits.n_cols);
    double sum = 0.0;
    for (size_t e = 0; e < p.size(); ++e) sum += p[e] = std::exp(logits[e] - largest);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
    double used = 0.0;
    for (int j = 0; j < n_used; ++j) used += p[static_cast<size_t>(order[static_cast<size_t>(j)])] / sum;
    auto* ids = static_cast<int32_t*>(args.ids.data) + t * args.ids.row_stride;
    for (int j = 0; j < n_used; ++j) {
      ids[j] = order[static_cast<size_t>(j)];
      const double share = p[static_cast<size_t>(ids[j])] / sum / (args.attrs.normalize ? used : 1.0);
      Row(args.weights, t)[j] = static_cast<float>(share * args.attrs.scale);
    }
  }
}

}  // namespace rf
