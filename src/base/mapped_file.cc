#include "base/mapped_file.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace rf {
namespace {

int AdviceNumber(MapAdvice advice) {
  switch (advice) {
    case MapAdvice::kWillNeed: return MADV_WILLNEED;
    case MapAdvice::kDontNeed: return MADV_DONTNEED;
    case MapAdvice::kRandom: return MADV_RANDOM;
    case MapAdvice::kNormal: return MADV_NORMAL;
  }
  return MADV_NORMAL;
}

ErrorCode MapErrorCode(int error_number) {
  switch (error_number) {
    case ENOMEM: return ErrorCode::kOutOfMemory;
    case ENODEV: return ErrorCode::kUnsupported;
    default: return ErrorCode::kIo;
  }
}

}  // namespace

Result<MappedFile> MappedFile::Map(const File& file) {
  const std::string where = PathForMessage(file.path());
  if (file.size() == 0) return Error{ErrorCode::kInvalidArgument, "file is empty", where};
  const Syscalls& calls = file.syscalls();
  void* const address = calls.map_read_only(file.size(), file.fd());
  if (address == MAP_FAILED) {
    const int error_number = errno;
    return Error{MapErrorCode(error_number),
                 fmt::format("cannot map {} bytes: {}", file.size(), ErrnoText(error_number)), where};
  }
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(address), file.size());
  MappedFile mapped(bytes, SigbusGuard(), &calls);
  RF_ASSIGN_OR_RETURN(mapped.guard_, SigbusGuard::Watch(address, file.size()));
  return mapped;
}

MappedFile::MappedFile(std::span<const std::byte> bytes, SigbusGuard guard, const Syscalls* syscalls)
    : bytes_(bytes), guard_(std::move(guard)), syscalls_(syscalls) {}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), guard_(std::move(other.guard_)), syscalls_(other.syscalls_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(guard_, other.guard_);
  std::swap(syscalls_, other.syscalls_);
  return *this;
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  { const SigbusGuard ended = std::move(guard_); }
  syscalls_->unmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::Advise(uint64_t offset, uint64_t n, MapAdvice advice) const {
  if (offset >= bytes_.size() || damaged_offset()) return;
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t begin = offset, end = offset + std::min<uint64_t>(n, bytes_.size() - offset);
  if (advice == MapAdvice::kDontNeed) {
    begin = (begin + page - 1) / page * page;
    end = end == bytes_.size() ? end : end / page * page;
  } else {
    begin = begin / page * page;
  }
  if (begin >= end) return;
  syscalls_->madvise(const_cast<std::byte*>(bytes_.data()) + begin, end - begin, AdviceNumber(advice));
}

}  // namespace rf
