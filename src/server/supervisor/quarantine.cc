#include "server/supervisor/quarantine.h"

#include <xxhash.h>

#include <random>
#include <set>

namespace rf::server {

Quarantine::Quarantine() {
  std::random_device random;
  seed_ = uint64_t{random()} << 32 | random();
}

uint64_t Quarantine::Fingerprint(std::string_view path, std::string_view body) const {
  return XXH3_64bits_withSeed(body.data(), body.size(), XXH3_64bits_withSeed(path.data(), path.size(), seed_));
}

void Quarantine::RecordDeath(const std::vector<uint64_t>& running) {
  for (const uint64_t fingerprint : std::set<uint64_t>(running.begin(), running.end())) {
    if (++deaths_[fingerprint] == 1) order_.push_back(fingerprint);
  }
  while (order_.size() > kMaxEntries) {
    deaths_.erase(order_.front());
    order_.pop_front();
  }
}

bool Quarantine::IsRefused(uint64_t fingerprint) const {
  const auto found = deaths_.find(fingerprint);
  return found != deaths_.end() && found->second >= kMaxDeaths;
}

}  // namespace rf::server
