#include "server/supervisor/watched_runner.h"

#include <chrono>

namespace rf::server {

Result<std::span<const float>> WatchedRunner::Run(const StepBatch& batch) {
  using Clock = std::chrono::steady_clock;
  const auto n_tokens = static_cast<int64_t>(batch.token_ids.size());
  board_.BeginStep(batch.token_ids.size(), batch.tags, times_.AllowedMs(n_tokens));
  const auto begin = Clock::now();
  auto logits = RunOrFail(batch);
  if (logits) times_.Record(n_tokens, std::chrono::duration<double>(Clock::now() - begin).count());
  if (!logits && logits.error().code == ErrorCode::kDevice) on_lost_(logits.error());
  board_.EndStep();
  return logits;
}

Result<std::span<const float>> WatchedRunner::RunOrFail(const StepBatch& batch) {
  if (fault_ && fault_->Hits(++n_steps_, batch.token_ids)) RF_RETURN_IF_ERROR(Commit(*fault_, fail_gpu_));
  return inner_->Run(batch);
}

Status WatchedRunner::CopyPage(int32_t source, int32_t destination) {
  return Watched(inner_->CopyPage(source, destination));
}

Status WatchedRunner::Watched(Status status) {
  if (!status && status.error().code == ErrorCode::kDevice) on_lost_(status.error());
  return status;
}

}  // namespace rf::server
