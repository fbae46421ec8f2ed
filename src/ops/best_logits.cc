#include "ops/best_logits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {
namespace {

void MakeChanges(const BatchView& batch, int64_t row, float* logits) {
  for (int32_t i = batch.first_change[row]; i < batch.first_change[row + 1]; ++i) {
    float& logit = logits[batch.changes[i].token];
    logit = ChangedLogit(logit, batch.changes[i]);
  }
}

// All that may be chosen, best first.
std::vector<int32_t> Sorted(const float* logits, int64_t n_vocab) {
  std::vector<int32_t> order;
  for (int32_t id = 0; id < n_vocab; ++id) {
    if (logits[id] > -std::numeric_limits<float>::infinity()) order.push_back(id);
  }
  std::stable_sort(order.begin(), order.end(), [logits](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  return order;
}

double SumOfPart(const float* logits, int64_t begin, int64_t end, double largest, double factor) {
  double sum = 0.0;
  for (int64_t id = begin; id < end; ++id) {
    const double weight = std::exp2((logits[id] - largest) * factor);
    sum += std::isnan(weight) ? 0.0 : weight;
  }
  return sum;
}

}  // namespace

Status BestLogits::Check(const Args& args) {
  const int64_t n_rows = args.batch->n_outputs;
  const int64_t n_vocab = args.logits.n_cols;
  const int64_t k = args.ids.n_cols;
  RF_RETURN_IF_ERROR(CheckThat(k > 0 && k <= kMostBest, "best_logits", "ids must have 1 to 128 columns"));
  RF_RETURN_IF_ERROR(CheckTensor("best_logits", "logits", args.logits, {n_rows, -1}));
  RF_RETURN_IF_ERROR(CheckTensor("best_logits", "ids", args.ids, {n_rows, k}, Format::kI32));
  RF_RETURN_IF_ERROR(CheckTensor("best_logits", "values", args.values, {n_rows, k}));
  RF_RETURN_IF_ERROR(CheckTensor("best_logits", "sums", args.sums, {n_rows, PartsOf(n_vocab)}));
  return CheckThat(args.changed.data == args.logits.data, "best_logits", "logits must be changed in place");
}

void BestLogits::Reference(const Args& args) {
  const int64_t n_vocab = args.logits.n_cols;
  for (int64_t row = 0; row < args.logits.n_rows; ++row) {
    const double factor = args.batch->best_factors[row];
    if (factor < 0.0) continue;
    float* logits = Row(args.logits, row);
    MakeChanges(*args.batch, row, logits);
    const std::vector<int32_t> order = Sorted(logits, n_vocab);
    auto* ids = static_cast<int32_t*>(args.ids.data) + row * args.ids.row_stride;
    for (size_t j = 0; j < static_cast<size_t>(args.ids.n_cols); ++j) {
      const bool is_there = j < order.size();
      ids[j] = is_there ? order[j] : -1;
      Row(args.values, row)[j] = is_there ? logits[order[j]] + 0.0f : -std::numeric_limits<float>::infinity();
    }
    if (factor == 0.0) continue;
    const double largest = order.empty() ? 0.0 : logits[order[0]];
    for (int64_t part = 0; part < args.sums.n_cols; ++part) {
      const int64_t end = std::min(n_vocab, (part + 1) * kPart);
      Row(args.sums, row)[part] = static_cast<float>(SumOfPart(logits, part * kPart, end, largest, factor));
    }
  }
}

}  // namespace rf
