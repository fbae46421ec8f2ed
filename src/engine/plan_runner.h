// The Runner that executes a Plan on its device.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/runner.h"
#include "plan/plan.h"

namespace rf {

class PlanRunner final : public Runner {
 public:
  /// Called after each step: reports what only shows up while running, such as a mapped model file that was cut short.
  using HealthCheck = std::function<Status()>;

  /// Reserves the batch's arrays on the device and the logits on the host. Errors: kOutOfMemory.
  static Result<std::unique_ptr<PlanRunner>> Create(std::unique_ptr<Plan> plan, int32_t max_pages_per_sequence,
                                                    HealthCheck health_check);

  const RunnerLimits& limits() const override { return limits_; }
  Result<std::span<const float>> Run(const StepBatch& batch) override;
  Status CopyPage(int32_t source, int32_t destination) override { return plan_->CopyPage(source, destination); }

  const Plan& plan() const { return *plan_; }

 private:
  // Where one of the batch's arrays lies: on the device, and on the host as what the next upload brings there.
  struct Slot {
    int32_t* device = nullptr;
    int32_t* host = nullptr;
    size_t capacity = 0;
  };

  PlanRunner(std::unique_ptr<Plan> plan, HealthCheck health_check)
      : plan_(std::move(plan)), health_check_(std::move(health_check)) {}
  Status ReserveBatch();
  static void Stage(const Slot& slot, const std::vector<int32_t>& values);
  Result<BatchView> UploadBatch(const StepBatch& batch);
  Status QueueStep(const StepBatch& batch, std::span<float> logits);

  std::unique_ptr<Plan> plan_;
  HealthCheck health_check_;
  RunnerLimits limits_;
  std::unique_ptr<Buffer> batch_memory_;
  Slot token_ids_, positions_, sequence_of_, first_token_, kv_length_, page_table_, output_rows_;
  std::vector<int32_t> staged_;  // all slots, as they lie on the device
  std::vector<float> logits_;
};

}  // namespace rf
