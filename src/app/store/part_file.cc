#include "app/store/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace rf::app {
namespace {

constexpr int kMode = 0644;

Error IoError(const std::filesystem::path& path, const char* what) {
  return Error{ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno)), path.string()};
}

}  // namespace

Result<NameLock> NameLock::Take(const std::filesystem::path& dir, const std::string& name) {
  const auto path = dir / ("." + name + ".lock");
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (descriptor < 0) return IoError(path, "cannot open the lock file");
  while (flock(descriptor, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const Error error = IoError(path, "cannot lock");
    close(descriptor);
    return error;
  }
  return NameLock(descriptor);
}

NameLock::NameLock(NameLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

NameLock::~NameLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status CheckFreeSpace(const std::filesystem::path& dir, uint64_t bytes) {
  struct statvfs info {};
  if (statvfs(dir.c_str(), &info) != 0) return IoError(dir, "cannot ask for free space");
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (free >= bytes) return {};
  return Error{ErrorCode::kIo, fmt::format("not enough disk space: {} bytes needed, {} free", bytes, free),
               dir.string()};
}

Result<PartFile> PartFile::Open(const std::filesystem::path& path, uint64_t keep_bytes) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (descriptor < 0) return IoError(path, "cannot open");
  FILE* file = fdopen(descriptor, "r+b");
  if (file == nullptr) {
    close(descriptor);
    return IoError(path, "cannot open");
  }
  PartFile part(path, file, keep_bytes);
  if (ftruncate(descriptor, static_cast<off_t>(keep_bytes)) != 0 || std::fseek(file, 0, SEEK_END) != 0) {
    return part.WriteError();
  }
  return part;
}

Error PartFile::WriteError() const {
  return IoError(path_, "cannot write");
}

Status PartFile::Append(const void* data, size_t bytes) {
  if (std::fwrite(data, 1, bytes, file_.get()) != bytes) return WriteError();
  size_ += bytes;
  return {};
}

Status PartFile::Flush() {
  if (std::fflush(file_.get()) != 0) return WriteError();
  return {};
}

Status PartFile::Restart() {
  if (std::fflush(file_.get()) != 0 || ftruncate(fileno(file_.get()), 0) != 0) return WriteError();
  std::rewind(file_.get());
  size_ = 0;
  return {};
}

Status PartFile::Publish(const std::filesystem::path& destination) {
  if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) return WriteError();
  if (std::rename(path_.c_str(), destination.c_str()) != 0)
    return IoError(destination, "cannot rename the finished file");
  return {};
}

}  // namespace rf::app
