// The system calls that files are read and written with, as a table that tests replace to inject faults.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>

struct stat;

namespace rf {

/// Each member behaves as the call of its name: -1 (MAP_FAILED for mmap) and errno on failure. Must be safe to call
/// from several threads.
struct Syscalls {
  std::function<int(const char* path, struct stat* out)> stat;
  std::function<int(const char* path, int flags, unsigned mode)> open;
  std::function<int(int fd)> close;
  std::function<int(int fd, struct stat* out)> fstat;
  std::function<ssize_t(int fd, void* dst, size_t n, int64_t offset)> pread;
  std::function<ssize_t(int fd, const void* src, size_t n)> write;
  std::function<int(int fd)> fsync;
  std::function<int(const char* from, const char* to)> rename;
  std::function<int(const char* path)> unlink;
  std::function<void*(size_t n, int fd)> map_read_only;  ///< mmap of n bytes from offset 0, shared, PROT_READ
  std::function<int(void* address, size_t n)> unmap;
  std::function<int(void* address, size_t n, int advice)> madvise;
};

/// The kernel's own.
const Syscalls& RealSyscalls();

}  // namespace rf
