#include "gguf/test_util/fake_files.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace rf {
namespace {

int Fail(int error_number) {
  errno = error_number;
  return -1;
}

int Describe(std::string_view bytes, struct stat* out) {
  *out = {};
  out->st_mode = S_IFREG | 0444;
  out->st_size = static_cast<off_t>(bytes.size());
  return 0;
}

}  // namespace

MemoryFiles::MemoryFiles() : syscalls_(RealSyscalls()) {
  Install();
}

void MemoryFiles::Install() {
  syscalls_.stat = [this](const char* path, struct stat* out) {
    const auto it = files_.find(path);
    return it == files_.end() ? Fail(ENOENT) : Describe(it->second, out);
  };
  syscalls_.open = [this](const char* path, int, unsigned) {
    if (!files_.contains(path)) return Fail(ENOENT);
    open_.emplace(next_fd_, path);  // all or nothing, also when memory ends here
    return next_fd_++;
  };
  syscalls_.close = [this](int fd) { return open_.erase(fd) == 1 ? 0 : Fail(EBADF); };
  syscalls_.fstat = [this](int fd, struct stat* out) { return Describe(files_.at(open_.at(fd)), out); };
  syscalls_.pread = [this](int fd, void* dst, size_t n, int64_t offset) -> ssize_t {
    const std::string_view bytes = files_.at(open_.at(fd));
    if (static_cast<uint64_t>(offset) >= bytes.size()) return 0;
    const std::string_view part = bytes.substr(static_cast<size_t>(offset), n);
    std::memcpy(dst, part.data(), part.size());
    return static_cast<ssize_t>(part.size());
  };
  syscalls_.map_read_only = [this](size_t n, int fd) -> void* {
    void* const out = ::mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (out == MAP_FAILED) return out;
    const std::string_view bytes = files_.at(open_.at(fd));
    std::memcpy(out, bytes.data(), std::min(n, bytes.size()));
    ++n_mapped_;
    return out;
  };
  // Advice changes no byte of a file; of this memory "don't need" would.
  syscalls_.madvise = [](void*, size_t, int) { return 0; };
  syscalls_.unmap = [this](void* address, size_t n) {
    --n_mapped_;
    return ::munmap(address, n);
  };
}

Syscalls FaultyCalls(const Syscalls& base, FaultPlan& plan) {
  // True for the calls that are to fail.
  const auto fails = [&plan] {
    const int index = plan.n_calls++;
    const bool now = plan.fail_at >= 0 && index >= plan.fail_at && index - plan.fail_at < plan.n_failures;
    if (now) errno = plan.error_number;
    return now;
  };
  Syscalls out = base;
  out.stat = [&base, fails](const char* path, struct stat* info) { return fails() ? -1 : base.stat(path, info); };
  out.open = [&base, fails](const char* path, int flags, unsigned mode) {
    return fails() ? -1 : base.open(path, flags, mode);
  };
  out.fstat = [&base, fails](int fd, struct stat* info) { return fails() ? -1 : base.fstat(fd, info); };
  out.pread = [&base, &plan, fails](int fd, void* dst, size_t n, int64_t offset) -> ssize_t {
    return fails() ? -1 : base.pread(fd, dst, std::min(n, plan.max_bytes), offset);
  };
  out.write = [&base, &plan, fails](int fd, const void* src, size_t n) -> ssize_t {
    return fails() ? -1 : base.write(fd, src, std::min(n, plan.max_bytes));
  };
  out.fsync = [&base, fails](int fd) { return fails() ? -1 : base.fsync(fd); };
  out.rename = [&base, fails](const char* from, const char* to) { return fails() ? -1 : base.rename(from, to); };
  out.map_read_only = [&base, fails](size_t n, int fd) { return fails() ? MAP_FAILED : base.map_read_only(n, fd); };
  return out;
}

}  // namespace rf
