// A runner that shows its steps on a board.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "engine/runner.h"
#include "server/supervisor/board.h"
#include "server/supervisor/fault.h"
#include "server/supervisor/step_times.h"

namespace rf::server {

class WatchedRunner final : public Runner {
 public:
  /// Called with the error of a step that the device failed; on the engine's thread, before anyone else learns of it.
  using OnLost = std::function<void(const Error&)>;

  WatchedRunner(std::unique_ptr<Runner> inner, SharedBoard& board, OnLost on_lost)
      : inner_(std::move(inner)), board_(board), on_lost_(std::move(on_lost)) {}

  /// From the next step on, which is number 1 to it. REQUIRES: no step runs.
  void SetFault(const Fault& fault, FailGpu fail_gpu) {
    fault_ = fault;
    fail_gpu_ = std::move(fail_gpu);
  }

  const RunnerLimits& limits() const override { return inner_->limits(); }
  Result<std::span<const float>> Run(const StepBatch& batch) override;
  BestOfRow Best(size_t output) const override { return inner_->Best(output); }
  Status FetchRow(size_t output) override { return Watched(inner_->FetchRow(output)); }
  Status CopyPage(int32_t source, int32_t destination) override;

 private:
  Status Watched(Status status);
  Result<std::span<const float>> RunOrFail(const StepBatch& batch);

  std::unique_ptr<Runner> inner_;
  SharedBoard& board_;
  OnLost on_lost_;
  StepTimes times_;
  std::optional<Fault> fault_;
  FailGpu fail_gpu_;
  uint64_t n_steps_ = 0;  // since there is a fault
};

}  // namespace rf::server
