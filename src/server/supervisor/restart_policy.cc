#include "server/supervisor/restart_policy.h"

namespace rf::server {

std::optional<std::chrono::seconds> RestartPolicy::OnDeath(Clock::time_point now) {
  while (!deaths_.empty() && now - deaths_.front() >= kWindow) deaths_.pop_front();
  deaths_.push_back(now);
  if (n_deaths() >= kMaxDeaths) return std::nullopt;
  if (n_deaths() == 1) return std::chrono::seconds(0);
  return std::chrono::seconds(1 << (n_deaths() - 2));
}

}  // namespace rf::server
