// A read-only mapping of a whole file that survives the file being damaged while it is mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/file.h"
#include "base/result.h"
#include "base/sigbus_guard.h"

namespace rf {

/// What the system may expect of a range.
enum class MapAdvice {
  kWillNeed,  ///< will be read soon: read ahead
  kDontNeed,  ///< not for a while: memory may be taken back
  kRandom,    ///< read here and there: no read-ahead
  kNormal,
};

/// Movable; unmapped by the destructor. Reads of a part that cannot be read give zeros (base/sigbus_guard.h).
class MappedFile {
 public:
  /// Maps all of `file`, which may be closed afterwards. Errors: kInvalidArgument for an empty file, kOutOfMemory, kIo;
  /// kUnsupported if the file system cannot map or too many files are mapped.
  static Result<MappedFile> Map(const File& file);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// The file's bytes; pages are read when they are touched.
  std::span<const std::byte> bytes() const { return bytes_; }
  /// A hint about [offset, offset + n), which is widened to whole pages (for kDontNeed narrowed) and cut to the
  /// mapping.
  void Advise(uint64_t offset, uint64_t n, MapAdvice advice) const;
  /// Offset of the first page that could not be read; nothing if all is well.
  std::optional<uint64_t> damaged_offset() const { return guard_.damaged_offset(); }

 private:
  MappedFile(std::span<const std::byte> bytes, SigbusGuard guard, const Syscalls* syscalls);

  std::span<const std::byte> bytes_;
  SigbusGuard guard_;
  const Syscalls* syscalls_;
};

}  // namespace rf
