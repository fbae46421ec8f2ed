#include "base/syscalls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rf {

const Syscalls& RealSyscalls() {
  static const Syscalls calls{
      .stat = [](const char* path, struct stat* out) { return ::stat(path, out); },
      .open = [](const char* path, int flags, unsigned mode) { return ::open(path, flags, mode); },
      .close = [](int fd) { return ::close(fd); },
      .fstat = [](int fd, struct stat* out) { return ::fstat(fd, out); },
      .pread = [](int fd, void* dst, size_t n, int64_t offset) { return ::pread(fd, dst, n, offset); },
      .write = [](int fd, const void* src, size_t n) { return ::write(fd, src, n); },
      .fsync = [](int fd) { return ::fsync(fd); },
      .rename = [](const char* from, const char* to) { return ::rename(from, to); },
      .unlink = [](const char* path) { return ::unlink(path); },
      .map_read_only = [](size_t n, int fd) { return ::mmap(nullptr, n, PROT_READ, MAP_SHARED, fd, 0); },
      .unmap = [](void* address, size_t n) { return ::munmap(address, n); },
      .madvise = [](void* address, size_t n, int advice) { return ::madvise(address, n, advice); },
  };
  return calls;
}

}  // namespace rf
