// Which requests were running when a worker process ended, so that one that ends it each time is found.
//
// Requests are known by a fingerprint of their content: a client that sends one again does not get it a third try.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rf::server {

class Quarantine {
 public:
  static constexpr int kMaxDeaths = 2;
  static constexpr size_t kMaxEntries = 4096;  ///< beyond that the oldest are forgotten

  Quarantine();

  /// Of a request; not to be guessed from outside.
  uint64_t Fingerprint(std::string_view path, std::string_view body) const;

  /// A worker ended while these ran. Each counts once.
  void RecordDeath(const std::vector<uint64_t>& running);
  /// It has been answered: whatever ended a worker, it was not this.
  void Clear(uint64_t fingerprint) { deaths_.erase(fingerprint); }

  /// Has seen a death: it must run without other suspects, so that the next death tells which one it is.
  bool IsSuspect(uint64_t fingerprint) const { return deaths_.count(fingerprint) != 0; }
  /// Has seen two: it is not run again.
  bool IsRefused(uint64_t fingerprint) const;

 private:
  uint64_t seed_;
  std::map<uint64_t, int> deaths_;
  std::deque<uint64_t> order_;  // of becoming a suspect
};

}  // namespace rf::server
