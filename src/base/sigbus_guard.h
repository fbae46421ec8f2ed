// Keeps the process alive when a page of a mapped file cannot be read: the file was cut short by somebody else, or the
// disk failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.h"

namespace rf {

/// Watches one mapping of a file. While it exists, a read of a page that the system cannot provide gets zeros instead
/// of killing the process, in whatever thread it happens: everything from that page to the end of the mapping is
/// replaced by zeros, and damaged_offset() tells from then on.
///
/// The first guard installs a SIGBUS handler for the whole process; faults elsewhere go to the handler that was there
/// before. Two relaxed atomic loads are all that a check costs.
class SigbusGuard {
 public:
  static constexpr int kMaxGuards = 4096;

  SigbusGuard() = default;  ///< watches nothing

  /// REQUIRES: [address, address + n) is a mapping of whole pages up to its end. Errors: kUnsupported if kMaxGuards
  /// exist already or the handler cannot be installed.
  static Result<SigbusGuard> Watch(const void* address, size_t n);

  SigbusGuard(SigbusGuard&& other) noexcept;
  SigbusGuard& operator=(SigbusGuard&& other) noexcept;
  /// To be destroyed before the mapping is removed.
  ~SigbusGuard();

  /// Offset of the first page that was found unreadable; nothing if all is well.
  std::optional<uint64_t> damaged_offset() const;

 private:
  explicit SigbusGuard(int slot) : slot_(slot) {}
  int slot_ = -1;
};

}  // namespace rf
