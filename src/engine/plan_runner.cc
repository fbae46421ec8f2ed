#include "engine/plan_runner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rf {

Result<std::unique_ptr<PlanRunner>> PlanRunner::Create(std::unique_ptr<Plan> plan, int32_t max_pages_per_sequence,
                                                       HealthCheck health_check) {
  std::unique_ptr<PlanRunner> runner(new PlanRunner(std::move(plan), std::move(health_check)));
  const PlanOptions& options = runner->plan_->options();
  runner->limits_ = RunnerLimits{runner->plan_->n_vocab(), static_cast<int32_t>(options.rows.max_tokens),
                                 options.max_sequences,    static_cast<int32_t>(options.rows.max_outputs),
                                 options.page_tokens,      options.n_pages,
                                 max_pages_per_sequence};
  RF_RETURN_IF_ERROR(runner->ReserveBatch());
  return runner;
}

Status PlanRunner::ReserveBatch() {
  const auto tokens = static_cast<size_t>(limits_.max_tokens);
  const auto sequences = static_cast<size_t>(limits_.max_sequences);
  const struct {
    Slot* slot;
    size_t capacity;
  } arrays[] = {
      {&token_ids_, tokens},
      {&positions_, tokens},
      {&sequence_of_, tokens},
      {&first_token_, sequences + 1},
      {&kv_length_, sequences},
      {&output_rows_, static_cast<size_t>(limits_.max_outputs)},
      {&page_table_,
       sequences * static_cast<size_t>(limits_.max_pages_per_sequence)},  // last: what is not used is not copied
  };
  size_t total = 0;
  for (const auto& array : arrays) total += array.capacity;
  RF_ASSIGN_OR_RETURN(batch_memory_, plan_->device().Allocate(total * sizeof(int32_t), "batch"));
  staged_.resize(total);
  size_t begin = 0;
  for (const auto& array : arrays) {
    *array.slot = Slot{static_cast<int32_t*>(batch_memory_->data()) + begin, staged_.data() + begin, array.capacity};
    begin += array.capacity;
  }
  logits_.resize(static_cast<size_t>(limits_.max_outputs) * static_cast<size_t>(limits_.n_vocab));
  return {};
}

void PlanRunner::Stage(const Slot& slot, const std::vector<int32_t>& values) {
  RF_CHECK(values.size() <= slot.capacity);
  std::copy(values.begin(), values.end(), slot.host);
}

Result<BatchView> PlanRunner::UploadBatch(const StepBatch& batch) {
  const size_t n_tokens = batch.token_ids.size();
  RF_CHECK(batch.positions.size() == n_tokens && batch.sequence_of.size() == n_tokens);
  RF_CHECK(batch.first_token.size() == batch.kv_length.size() + 1);
  RF_CHECK(batch.page_table.size() == batch.kv_length.size() * static_cast<size_t>(batch.page_table_stride));
  Stage(token_ids_, batch.token_ids);
  Stage(positions_, batch.positions);
  Stage(sequence_of_, batch.sequence_of);
  Stage(first_token_, batch.first_token);
  Stage(kv_length_, batch.kv_length);
  Stage(output_rows_, batch.output_rows);
  Stage(page_table_, batch.page_table);
  const size_t n_staged = static_cast<size_t>(page_table_.host - staged_.data()) + batch.page_table.size();
  RF_RETURN_IF_ERROR(plan_->stream().CopyToDevice(batch_memory_->data(), staged_.data(), n_staged * sizeof(int32_t)));

  BatchView view;
  view.n_tokens = static_cast<int32_t>(n_tokens);
  view.n_sequences = static_cast<int32_t>(batch.kv_length.size());
  view.n_outputs = static_cast<int32_t>(batch.output_rows.size());
  view.token_ids = token_ids_.device;
  view.positions = positions_.device;
  view.sequence_of = sequence_of_.device;
  view.first_token = first_token_.device;
  view.kv_length = kv_length_.device;
  view.page_table = page_table_.device;
  view.page_table_stride = batch.page_table_stride;
  view.output_rows = output_rows_.device;
  return view;
}

Status PlanRunner::QueueStep(const StepBatch& batch, std::span<float> logits) {
  RF_ASSIGN_OR_RETURN(const BatchView view, UploadBatch(batch));
  plan_->Execute(view);
  return plan_->stream().CopyToHost(logits.data(), plan_->logits().data, logits.size_bytes());
}

Result<std::span<const float>> PlanRunner::Run(const StepBatch& batch) {
  const std::span<float> logits(logits_.data(), batch.output_rows.size() * static_cast<size_t>(limits_.n_vocab));
  const Status queued = QueueStep(batch, logits);
  // Also after an error: what was queued reads the batch, which the caller may change next.
  const Status finished = plan_->stream().Synchronize();
  RF_RETURN_IF_ERROR(queued);
  RF_RETURN_IF_ERROR(finished);
  if (health_check_) RF_RETURN_IF_ERROR(health_check_());
  return std::span<const float>(logits);
}

}  // namespace rf
