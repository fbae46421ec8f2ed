// The mark that a running process leaves on its model's file.
#pragma once

#include <filesystem>
#include <utility>

namespace rf::app {

/// While it lives, IsInUse() says so to other processes: a shared lock (flock) on the file. Where the file or its file
/// system cannot be locked there is no mark; that is no error.
class FileInUse {
 public:
  FileInUse() = default;
  explicit FileInUse(const std::filesystem::path& path);
  FileInUse(FileInUse&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileInUse& operator=(FileInUse&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileInUse();

 private:
  int descriptor_ = -1;
};

/// Whether some process, this one included, has marked the file.
bool IsInUse(const std::filesystem::path& path);

}  // namespace rf::app
