#include "engine/plan_runner.h"

#include <utility>

namespace rf {

Result<std::unique_ptr<PlanRunner>> PlanRunner::Create(std::unique_ptr<Plan> plan, int32_t max_pages_per_sequence,
                                                       HealthCheck health_check) {
  std::unique_ptr<PlanRunner> runner(new PlanRunner(std::move(plan), std::move(health_check)));
  const PlanOptions& options = runner->plan_->options();
  runner->limits_ = RunnerLimits{runner->plan_->n_vocab(), static_cast<int32_t>(options.rows.max_tokens),
                                 options.max_sequences,    static_cast<int32_t>(options.rows.max_outputs),
                                 options.page_tokens,      options.n_pages,
                                 max_pages_per_sequence};
  for (const auto& part : runner->plan_->parts()) {
    RF_ASSIGN_OR_RETURN(DeviceBatch batch, DeviceBatch::Create(part->device(), runner->limits_));
    runner->batches_.push_back(std::move(batch));
  }
  runner->logits_.resize(static_cast<size_t>(runner->limits_.max_outputs) *
                         static_cast<size_t>(runner->limits_.n_vocab));
  return runner;
}

Status PlanRunner::QueueStep(const StepBatch& batch, std::span<float> logits) {
  const auto parts = plan_->parts();
  for (size_t i = 0; i < parts.size(); ++i) {
    RF_ASSIGN_OR_RETURN(const BatchView view, batches_[i].Upload(batch, parts[i]->stream()));
    RF_RETURN_IF_ERROR(plan_->Execute(i, view));
  }
  return plan_->last_stream().CopyToHost(logits.data(), plan_->logits().data, logits.size_bytes());
}

Result<std::span<const float>> PlanRunner::Run(const StepBatch& batch) {
  const std::span<float> logits(logits_.data(), batch.output_rows.size() * static_cast<size_t>(limits_.n_vocab));
  const Status queued = QueueStep(batch, logits);
  // Also after an error: what was queued reads the batch, which the caller may change next.
  const Status finished = plan_->Synchronize();
  RF_RETURN_IF_ERROR(queued);
  RF_RETURN_IF_ERROR(finished);
  if (health_check_) RF_RETURN_IF_ERROR(health_check_());
  return std::span<const float>(logits);
}

}  // namespace rf
