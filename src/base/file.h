// Regular files for reading at offsets, with every short read, interruption and odd kind of file handled in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/syscalls.h"

namespace rf {

/// A path as error messages show it: escaped, and of a long one the end, which says more.
std::string PathForMessage(std::string_view path, size_t max_bytes = 120);

/// "Permission denied" and the like. Safe with threads.
std::string ErrnoText(int error_number);

/// An open regular file. Closed by the destructor; movable. Const members may be used from several threads at once.
class File {
 public:
  /// Opens for reading. `syscalls` (null: the real ones) must outlive the file.
  /// Errors: kNotFound; kInvalidArgument for an empty path, a folder, a FIFO, a socket or a device; kIo otherwise, e.g.
  /// without permission. All name the path in `where`.
  static Result<File> Open(const std::string& path, const Syscalls* syscalls = nullptr);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  const std::string& path() const { return path_; }
  /// Size in bytes when it was opened.
  uint64_t size() const { return size_; }
  int fd() const { return fd_; }
  const Syscalls& syscalls() const { return *syscalls_; }

  /// Reads exactly dst.size() bytes at `offset`. Errors: kIo with the offset, also if the file ends before.
  Status ReadAt(uint64_t offset, std::span<std::byte> dst) const;

 private:
  File(std::string path, int fd, uint64_t size, const Syscalls* syscalls);
  void Close();

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  const Syscalls* syscalls_;
};

/// A file being written: bytes go to a temporary file beside `path`, which Commit() moves over `path`. Without Commit()
/// the temporary file is removed and an older file at `path` stays as it was.
class OutputFile {
 public:
  /// Errors: kIo, kNotFound (no such folder).
  static Result<OutputFile> Create(const std::string& path, const Syscalls* syscalls = nullptr);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  /// Appends all of `bytes`. Errors: kIo.
  Status Write(std::span<const std::byte> bytes);
  /// Flushes to disk, closes and renames. Errors: kIo.
  Status Commit();

 private:
  OutputFile(std::string path, std::string temporary, int fd, const Syscalls* syscalls);

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
  uint64_t written_ = 0;
  const Syscalls* syscalls_;
};

}  // namespace rf
