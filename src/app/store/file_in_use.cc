#include "app/store/file_in_use.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rf::app {
namespace {

// Without waiting for the other end of a FIFO. -1: not a regular file, or not for us.
int OpenRegular(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat info {};
  if (descriptor < 0 || (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode))) return descriptor;
  close(descriptor);
  return -1;
}

}  // namespace

FileInUse::FileInUse(const std::filesystem::path& path) : descriptor_(OpenRegular(path)) {
  if (descriptor_ >= 0) flock(descriptor_, LOCK_SH | LOCK_NB);
}

FileInUse::~FileInUse() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool IsInUse(const std::filesystem::path& path) {
  const int descriptor = OpenRegular(path);
  if (descriptor < 0) return false;
  const bool in_use = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(descriptor);
  return in_use;
}

}  // namespace rf::app
