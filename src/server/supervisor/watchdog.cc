#include "server/supervisor/watchdog.h"

namespace rf::server {

Watchdog::Verdict Watchdog::Look(uint64_t beats, const StepView& step, bool expects_beats) {
  n_silent_ = beats == beats_ && expects_beats ? n_silent_ + 1 : 0;
  n_running_ = step.is_running && step.number == step_ ? n_running_ + 1 : 0;
  beats_ = beats;
  step_ = step.number;
  if (n_silent_ * kInterval >= kSilence) return Verdict::kSilent;
  if (n_running_ * kInterval > std::chrono::milliseconds(step.allowed_ms)) return Verdict::kStuck;
  return Verdict::kSound;
}

}  // namespace rf::server
