// One step's batch in the memory of a device.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.h"
#include "engine/runner.h"

namespace rf {

class DeviceBatch {
 public:
  /// Reserves the arrays for the largest step. Errors: kOutOfMemory.
  static Result<DeviceBatch> Create(Device& device, const RunnerLimits& limits);

  /// Queues the copies of all arrays. They and the object must stay until the stream was synchronized. REQUIRES: within
  /// the limits. Errors: those of copying.
  Result<BatchView> Upload(const StepBatch& batch, Stream& stream);

 private:
  // Where one of the arrays lies: on the device, and on the host as what the next upload brings there. In words of 4
  // bytes.
  struct Slot {
    int32_t* device = nullptr;
    int32_t* host = nullptr;
    size_t capacity = 0;
  };

  DeviceBatch() = default;
  template <typename T>
  static void Stage(const Slot& slot, const std::vector<T>& values);
  void StageBest(const StepBatch& batch);
  void StageAll(const StepBatch& batch);
  BatchView ViewOf(const StepBatch& batch) const;

  std::unique_ptr<Buffer> memory_;
  Slot token_ids_, positions_, sequence_of_, first_token_, kv_length_, page_table_, output_rows_, best_factors_,
      first_change_, changes_;
  std::vector<int32_t> staged_;  // all slots, as they lie on the device
};

}  // namespace rf
