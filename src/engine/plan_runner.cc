#include "engine/plan_runner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rf {

namespace {

// Changes of logits for each sequence of a step, and for all: how much is reserved for them. Who needs more gets its
// whole row.
constexpr int32_t kChangesOfSequence = 1024;
constexpr int32_t kMaxChanges = 64 * kChangesOfSequence;

size_t BytesOf(const TensorView& view, size_t n_rows) {
  return n_rows * static_cast<size_t>(RowBytes(GetFormatInfo(view.format), view.n_cols));
}

template <typename T>
std::span<const T> RowOf(const void* data, const TensorView& view, size_t row) {
  const auto n_cols = static_cast<size_t>(view.n_cols);
  return {static_cast<const T*>(data) + row * n_cols, n_cols};
}

}  // namespace

Result<std::unique_ptr<PlanRunner>> PlanRunner::Create(std::unique_ptr<Plan> plan, int32_t max_pages_per_sequence,
                                                       HealthCheck health_check) {
  std::unique_ptr<PlanRunner> runner(new PlanRunner(std::move(plan), std::move(health_check)));
  const PlanOptions& options = runner->plan_->options();
  RunnerLimits& limits = runner->limits_;
  limits = RunnerLimits{runner->plan_->n_vocab(), static_cast<int32_t>(options.rows.max_tokens),
                        options.max_sequences,    static_cast<int32_t>(options.rows.max_outputs),
                        options.page_tokens,      options.n_pages,
                        max_pages_per_sequence};
  if (const auto best = runner->plan_->best(); best.ids != nullptr) {
    limits.n_best = static_cast<int32_t>(best.ids->n_cols);
    limits.max_changes = std::min(kMaxChanges / kChangesOfSequence, limits.max_sequences) * kChangesOfSequence;
  }
  for (const auto& part : runner->plan_->parts()) {
    RF_ASSIGN_OR_RETURN(DeviceBatch batch, DeviceBatch::Create(part->device(), limits));
    runner->batches_.push_back(std::move(batch));
  }
  RF_RETURN_IF_ERROR(runner->ReserveLandings());
  return runner;
}

Status PlanRunner::Landing::Reserve(Device& device, size_t bytes) {
  RF_ASSIGN_OR_RETURN(pinned, device.AllocateOnHost(bytes));
  if (pinned == nullptr) ordinary.resize(bytes);
  data = pinned == nullptr ? ordinary.data() : pinned->data();
  return {};
}

Status PlanRunner::ReserveLandings() {
  Device& device = plan_->parts().back()->device();
  const auto n_rows = static_cast<size_t>(limits_.max_outputs);
  RF_RETURN_IF_ERROR(logits_.Reserve(device, BytesOf(plan_->logits(), n_rows)));
  const Plan::BestViews best = plan_->best();
  if (best.ids == nullptr) return {};
  RF_RETURN_IF_ERROR(ids_.Reserve(device, BytesOf(*best.ids, n_rows)));
  RF_RETURN_IF_ERROR(values_.Reserve(device, BytesOf(*best.values, n_rows)));
  return sums_.Reserve(device, BytesOf(*best.sums, n_rows));
}

std::span<float> PlanRunner::RowsOnHost(size_t first, size_t count) const {
  const auto n_vocab = static_cast<size_t>(limits_.n_vocab);
  return {static_cast<float*>(logits_.data) + first * n_vocab, count * n_vocab};
}

Status PlanRunner::QueueStep(const StepBatch& batch) {
  const auto parts = plan_->parts();
  for (size_t i = 0; i < parts.size(); ++i) {
    RF_ASSIGN_OR_RETURN(const BatchView view, batches_[i].Upload(batch, parts[i]->stream()));
    RF_RETURN_IF_ERROR(plan_->Execute(i, view));
  }
  RF_RETURN_IF_ERROR(QueueRows(batch));
  return QueueBest(batch);
}

// Neighbouring rows by one copy.
Status PlanRunner::QueueRows(const StepBatch& batch) {
  const size_t n_rows = batch.output_rows.size();
  const auto* logits = static_cast<const float*>(plan_->logits().data);
  for (size_t first = 0; first < n_rows; ++first) {
    size_t end = first;
    while (end < n_rows && !batch.WantsBest(end)) ++end;
    const std::span<float> rows = RowsOnHost(first, end - first);
    const float* source = logits + first * static_cast<size_t>(limits_.n_vocab);
    if (!rows.empty()) RF_RETURN_IF_ERROR(plan_->last_stream().CopyToHost(rows.data(), source, rows.size_bytes()));
    first = end;  // which is none, or one of which the best are wanted
  }
  return {};
}

Status PlanRunner::QueueBest(const StepBatch& batch) {
  const std::vector<float>& factors = batch.best_factors;
  has_sums_ = std::any_of(factors.begin(), factors.end(), [](float factor) { return factor > 0.0f; });
  if (std::none_of(factors.begin(), factors.end(), [](float factor) { return factor >= 0.0f; })) return {};
  const Plan::BestViews best = plan_->best();
  RF_CHECK(best.ids != nullptr, "the plan gives only whole rows");
  Stream& stream = plan_->last_stream();
  const size_t n_rows = factors.size();
  RF_RETURN_IF_ERROR(stream.CopyToHost(ids_.data, best.ids->data, BytesOf(*best.ids, n_rows)));
  RF_RETURN_IF_ERROR(stream.CopyToHost(values_.data, best.values->data, BytesOf(*best.values, n_rows)));
  if (!has_sums_) return {};
  return stream.CopyToHost(sums_.data, best.sums->data, BytesOf(*best.sums, n_rows));
}

Result<std::span<const float>> PlanRunner::Run(const StepBatch& batch) {
  const Status queued = QueueStep(batch);
  // Also after an error: what was queued reads the batch, which the caller may change next.
  const Status finished = plan_->Synchronize();
  RF_RETURN_IF_ERROR(queued);
  RF_RETURN_IF_ERROR(finished);
  if (plan_->options().profile != nullptr) RF_RETURN_IF_ERROR(AddToProfile(batch));
  if (health_check_) RF_RETURN_IF_ERROR(health_check_());
  return std::span<const float>(RowsOnHost(0, batch.output_rows.size()));
}

Status PlanRunner::AddToProfile(const StepBatch& batch) {
  BatchSizes sizes{static_cast<int64_t>(batch.token_ids.size()), static_cast<int64_t>(batch.output_rows.size()), {}};
  for (size_t i = 0; i < batch.kv_length.size(); ++i) {
    sizes.sequences.push_back({batch.first_token[i + 1] - batch.first_token[i], batch.kv_length[i]});
  }
  for (const auto& part : plan_->parts()) RF_RETURN_IF_ERROR(part->AddToProfile(sizes));
  return {};
}

BestOfRow PlanRunner::Best(size_t output) const {
  const Plan::BestViews best = plan_->best();
  BestOfRow of_row{RowOf<int32_t>(ids_.data, *best.ids, output), RowOf<float>(values_.data, *best.values, output), {}};
  if (has_sums_) of_row.sums = RowOf<float>(sums_.data, *best.sums, output);
  return of_row;
}

Status PlanRunner::FetchRow(size_t output) {
  const std::span<float> row = RowsOnHost(output, 1);
  const auto* logits = static_cast<const float*>(plan_->logits().data);
  Stream& stream = plan_->last_stream();
  const Status queued =
      stream.CopyToHost(row.data(), logits + output * static_cast<size_t>(limits_.n_vocab), row.size_bytes());
  const Status finished = stream.Synchronize();
  RF_RETURN_IF_ERROR(queued);
  return finished;
}

}  // namespace rf
