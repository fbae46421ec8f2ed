#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <utility>

#include "base/utf8.h"

namespace rf {
namespace {

// Linux moves at most 0x7ffff000 bytes per call; smaller steps also bound the time to the next interruption.
constexpr size_t kMaxBytesPerCall = size_t{1} << 28;

Error IoError(const std::string& path, int error_number, std::string_view what) {
  const ErrorCode code = error_number == ENOENT || error_number == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  return Error{code, fmt::format("{}: {}", what, ErrnoText(error_number)), PathForMessage(path)};
}

Error WrongKind(const std::string& path, std::string_view kind) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("is {}, not a regular file", kind), PathForMessage(path)};
}

Status CheckRegular(const std::string& path, mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return WrongKind(path, "a folder");
  if (S_ISFIFO(mode)) return WrongKind(path, "a FIFO");
  if (S_ISSOCK(mode)) return WrongKind(path, "a socket");
  return WrongKind(path, "a device");
}

template <typename Call>
auto RetryInterrupted(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace

std::string PathForMessage(std::string_view path, size_t max_bytes) {
  std::string escaped = EscapeForMessage(path, std::max<size_t>(path.size() * 8, 4));
  if (escaped.size() <= max_bytes) return escaped;
  // Drop from the front, not inside an escape or a multi-byte character.
  size_t begin = 0;
  for (size_t raw = 1; raw < path.size() && (raw == 1 || escaped.size() + 3 > max_bytes); ++raw) {
    if ((static_cast<unsigned char>(path[raw]) & 0xC0) == 0x80) continue;
    if (path.size() - raw > max_bytes) continue;
    begin = raw;
    escaped = EscapeForMessage(path.substr(begin), path.size() * 8);
  }
  return "..." + escaped;
}

std::string ErrnoText(int error_number) {
  return std::generic_category().message(error_number);
}

Result<File> File::Open(const std::string& path, const Syscalls* syscalls) {
  const Syscalls& calls = syscalls ? *syscalls : RealSyscalls();
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "the file name is empty", {}};
  if (path.find('\0') != std::string::npos)
    return Error{ErrorCode::kInvalidArgument, "the file name contains a NUL byte", PathForMessage(path)};
  // Looked at before it is opened: opening a FIFO would wait for a writer, and opening a device can have effects.
  struct stat info;
  if (RetryInterrupted([&] { return calls.stat(path.c_str(), &info); }) != 0)
    return IoError(path, errno, "cannot open the file");
  RF_RETURN_IF_ERROR(CheckRegular(path, info.st_mode));
  std::string owned_path = path;
  const int fd =
      RetryInterrupted([&] { return calls.open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0); });
  if (fd < 0) return IoError(path, errno, "cannot open the file");
  File file(std::move(owned_path), fd, 0, &calls);
  if (RetryInterrupted([&] { return calls.fstat(fd, &info); }) != 0)
    return IoError(path, errno, "cannot get the file's size");
  RF_RETURN_IF_ERROR(CheckRegular(path, info.st_mode));
  file.size_ = static_cast<uint64_t>(info.st_size);
  return file;
}

File::File(std::string path, int fd, uint64_t size, const Syscalls* syscalls)
    : path_(std::move(path)), fd_(fd), size_(size), syscalls_(syscalls) {}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      syscalls_(other.syscalls_) {}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  Close();
  path_ = std::move(other.path_);
  fd_ = std::exchange(other.fd_, -1);
  size_ = other.size_;
  syscalls_ = other.syscalls_;
  return *this;
}

File::~File() {
  Close();
}

void File::Close() {
  if (fd_ >= 0) syscalls_->close(fd_);  // not retried: on Linux the descriptor is gone even after EINTR
  fd_ = -1;
}

Status File::ReadAt(uint64_t offset, std::span<std::byte> dst) const {
  uint64_t at = offset;
  while (!dst.empty()) {
    const size_t want = std::min(dst.size(), kMaxBytesPerCall);
    const ssize_t got =
        RetryInterrupted([&] { return syscalls_->pread(fd_, dst.data(), want, static_cast<int64_t>(at)); });
    if (got < 0) {
      const int error_number = errno;
      return Error{ErrorCode::kIo, fmt::format("cannot read at byte {}: {}", at, ErrnoText(error_number)),
                   PathForMessage(path_)};
    }
    if (got == 0)
      return Error{ErrorCode::kIo,
                   fmt::format("the file ends at byte {}; it had {} bytes when it was opened", at, size_),
                   PathForMessage(path_)};
    at += static_cast<uint64_t>(got);
    dst = dst.subspan(static_cast<size_t>(got));
  }
  return {};
}

Result<OutputFile> OutputFile::Create(const std::string& path, const Syscalls* syscalls) {
  static std::atomic<unsigned> counter{0};
  const Syscalls& calls = syscalls ? *syscalls : RealSyscalls();
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "the file name is empty", {}};
  if (path.find('\0') != std::string::npos)
    return Error{ErrorCode::kInvalidArgument, "the file name contains a NUL byte", PathForMessage(path)};
  std::string temporary = fmt::format("{}.{}-{}.tmp", path, ::getpid(), counter.fetch_add(1));
  std::string owned_path = path;
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const int fd = RetryInterrupted([&] { return calls.open(temporary.c_str(), flags, 0666); });
  if (fd < 0) return IoError(path, errno, "cannot create the file");
  return OutputFile(std::move(owned_path), std::move(temporary), fd, &calls);
}

OutputFile::OutputFile(std::string path, std::string temporary, int fd, const Syscalls* syscalls)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), syscalls_(syscalls) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::exchange(other.fd_, -1)),
      written_(other.written_),
      syscalls_(other.syscalls_) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0) syscalls_->close(fd_);
  if (!temporary_.empty()) syscalls_->unlink(temporary_.c_str());
}

Status OutputFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t want = std::min(bytes.size(), kMaxBytesPerCall);
    const ssize_t put = RetryInterrupted([&] { return syscalls_->write(fd_, bytes.data(), want); });
    const int error_number = put < 0 ? errno : EIO;
    if (put <= 0) return IoError(path_, error_number, fmt::format("cannot write at byte {}", written_));
    written_ += static_cast<uint64_t>(put);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

Status OutputFile::Commit() {
  if (RetryInterrupted([&] { return syscalls_->fsync(fd_); }) != 0)
    return IoError(path_, errno, "cannot flush the file to disk");
  const int closed = syscalls_->close(std::exchange(fd_, -1));
  if (closed != 0 && errno != EINTR) return IoError(path_, errno, "cannot close the file");
  if (RetryInterrupted([&] { return syscalls_->rename(temporary_.c_str(), path_.c_str()); }) != 0)
    return IoError(path_, errno, "cannot move the finished file into place");
  temporary_.clear();
  return {};
}

}  // namespace rf
