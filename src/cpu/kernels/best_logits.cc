#include "base/fast_exp2.h"
#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

constexpr float kNone = -__builtin_inff();

void MakeChanges(const BatchView& batch, int64_t row, float* logits) {
  for (int32_t i = batch.first_change[row]; i < batch.first_change[row + 1]; ++i) {
    float& logit = logits[batch.changes[i].token];
    logit = ChangedLogit(logit, batch.changes[i]);
  }
}

// A sorted list of the best so far; most logits are below its last. Later ones have higher ids: they go behind equals.
void FindBest(const float* logits, int64_t n_vocab, int32_t* ids, float* values, int64_t k) {
  for (int64_t j = 0; j < k; ++j) {
    ids[j] = -1;
    values[j] = kNone;
  }
  for (int64_t id = 0; id < n_vocab; ++id) {
    if (!(logits[id] > values[k - 1])) continue;
    int64_t place = k - 1;
    for (; place > 0 && logits[id] > values[place - 1]; --place) {
      ids[place] = ids[place - 1];
      values[place] = values[place - 1];
    }
    ids[place] = static_cast<int32_t>(id);
    values[place] = logits[id] + 0.0f;
  }
}

float SumOfPart(const float* logits, int64_t n, float largest, float factor) {
  float lanes[BestLogits::kLanes] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i % BestLogits::kLanes] += FastExp2((logits[i] - largest) * factor);
  double sum = 0.0;
  for (const float lane : lanes) sum += lane;
  return static_cast<float>(sum);
}

void LookAtRow(const BestLogits::Args& args, int64_t row) {
  const float factor = args.batch->best_factors[row];
  if (factor < 0.0f) return;
  float* logits = static_cast<float*>(args.logits.data) + row * args.logits.row_stride;
  float* values = static_cast<float*>(args.values.data) + row * args.values.row_stride;
  float* sums = static_cast<float*>(args.sums.data) + row * args.sums.row_stride;
  const int64_t n_vocab = args.logits.n_cols;
  MakeChanges(*args.batch, row, logits);
  FindBest(logits, n_vocab, static_cast<int32_t*>(args.ids.data) + row * args.ids.row_stride, values, args.ids.n_cols);
  if (factor == 0.0f) return;
  const float largest = values[0] > kNone ? values[0] : 0.0f;
  for (int64_t part = 0; part < args.sums.n_cols; ++part) {
    const int64_t begin = part * BestLogits::kPart;
    const int64_t n = n_vocab - begin < BestLogits::kPart ? n_vocab - begin : BestLogits::kPart;
    sums[part] = SumOfPart(logits + begin, n, largest, factor);
  }
}

void Launch(void* context, const BestLogits::Args& args) {
  ForEachRow(*static_cast<const CpuContext*>(context), args.logits.n_rows, args.logits.n_cols,
             [&](int64_t row) { LookAtRow(args, row); });
}

}  // namespace

void RF_ISA::RegisterBestLogits(KernelTable& table) {
  table.best_logits.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("best_logits")});
}

}  // namespace rf::cpu
