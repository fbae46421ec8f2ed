// A file in the making: written beside its destination and renamed over it only when it is whole.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace rf::app {

/// Holds an exclusive lock on one name of a folder, so that two processes never make the same model at once. Waits for
/// it.
class NameLock {
 public:
  /// Errors: kIo. The lock file `.NAME.lock` is never followed if it is a symbolic link.
  static Result<NameLock> Take(const std::filesystem::path& dir, const std::string& name);
  NameLock(NameLock&& other) noexcept;
  NameLock& operator=(NameLock&&) = delete;
  ~NameLock();

 private:
  explicit NameLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Errors: kIo with the bytes needed and free if `dir` has no room for `bytes` more.
Status CheckFreeSpace(const std::filesystem::path& dir, uint64_t bytes);

/// Appends to a part file. Never follows a symbolic link.
class PartFile {
 public:
  /// Opens `path` for appending after its first `keep_bytes` bytes; what lies behind is cut off. Errors: kIo.
  static Result<PartFile> Open(const std::filesystem::path& path, uint64_t keep_bytes);

  Status Append(const void* data, size_t bytes);
  /// Hands everything written so far to the operating system.
  Status Flush();
  /// Empties the file.
  Status Restart();
  uint64_t size() const { return size_; }
  /// Writes everything to the disk and renames it to `destination`. Errors: kIo.
  Status Publish(const std::filesystem::path& destination);

 private:
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  PartFile(std::filesystem::path path, FILE* file, uint64_t size) : path_(std::move(path)), file_(file), size_(size) {}
  Error WriteError() const;

  std::filesystem::path path_;
  std::unique_ptr<FILE, Close> file_;
  uint64_t size_;
};

}  // namespace rf::app
