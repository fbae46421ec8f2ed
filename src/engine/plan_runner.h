// The Runner that executes a Plan on its devices.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "device/device.h"
#include "engine/device_batch.h"
#include "engine/runner.h"
#include "plan/plan.h"

namespace rf {

class PlanRunner final : public Runner {
 public:
  /// Called after each step: reports what only shows up while running, such as a mapped model file that was cut short.
  using HealthCheck = std::function<Status()>;

  /// Reserves the batch's arrays on each device and the logits on the host. Errors: kOutOfMemory.
  static Result<std::unique_ptr<PlanRunner>> Create(std::unique_ptr<Plan> plan, int32_t max_pages_per_sequence,
                                                    HealthCheck health_check);

  const RunnerLimits& limits() const override { return limits_; }
  Result<std::span<const float>> Run(const StepBatch& batch) override;
  BestOfRow Best(size_t output) const override;
  Status FetchRow(size_t output) override;
  Status CopyPage(int32_t source, int32_t destination) override { return plan_->CopyPage(source, destination); }

 private:
  PlanRunner(std::unique_ptr<Plan> plan, HealthCheck health_check)
      : plan_(std::move(plan)), health_check_(std::move(health_check)) {}
  /// Memory on the host in which results arrive.
  struct Landing {
    std::unique_ptr<Buffer> pinned;
    std::vector<std::byte> ordinary;  // if there is no other
    void* data = nullptr;

    Status Reserve(Device& device, size_t bytes);
  };
  Status ReserveLandings();
  Status QueueStep(const StepBatch& batch);
  Status QueueRows(const StepBatch& batch);
  Status QueueBest(const StepBatch& batch);
  Status AddToProfile(const StepBatch& batch);
  std::span<float> RowsOnHost(size_t first, size_t count) const;

  std::unique_ptr<Plan> plan_;
  HealthCheck health_check_;
  RunnerLimits limits_;
  std::vector<DeviceBatch> batches_;  // one for each part of the plan
  Landing logits_;
  Landing ids_, values_, sums_;  // of the best
  bool has_sums_ = false;        // of the last step
};

}  // namespace rf
