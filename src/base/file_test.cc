#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/utf8.h"

namespace rf {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rocmforge-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Put(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }
  std::string Read(const std::string& path) const {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void ExpectRefused(const std::string& path, ErrorCode code, const std::string& part) const {
    const auto file = File::Open(path);
    ASSERT_FALSE(file.has_value()) << path;
    EXPECT_EQ(ErrorCodeName(file.error().code), ErrorCodeName(code));
    EXPECT_NE(file.error().message.find(part), std::string::npos) << file.error().ToString();
    EXPECT_EQ(file.error().where, PathForMessage(path));
  }
  std::string folder_;
};

std::string ReadText(const File& file, uint64_t offset, size_t n) {
  std::string text(n, '\0');
  const Status status = file.ReadAt(offset, std::as_writable_bytes(std::span(text)));
  return status ? text : status.error().ToString();
}

TEST_F(FileTest, ReadsAtOffsets) {
  const auto file = File::Open(Put("f", "0123456789"));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->size(), 10u);
  EXPECT_EQ(ReadText(*file, 0, 10), "0123456789");
  EXPECT_EQ(ReadText(*file, 7, 3), "789");
  EXPECT_EQ(ReadText(*file, 10, 0), "");
  EXPECT_EQ(ReadText(*file, 8, 3), Path("f") + ": the file ends at byte 10; it had 10 bytes when it was opened");
}

TEST_F(FileTest, OnlyRegularFilesAreOpened) {
  ExpectRefused(Path("none"), ErrorCode::kNotFound, "No such file or directory");
  ExpectRefused(Put("f", "") + "/below", ErrorCode::kNotFound, "Not a directory");
  ExpectRefused(folder_, ErrorCode::kInvalidArgument, "is a folder");
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  ExpectRefused(Path("fifo"), ErrorCode::kInvalidArgument, "is a FIFO");
  ExpectRefused("/dev/null", ErrorCode::kInvalidArgument, "is a device");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  Path("socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ExpectRefused(Path("socket"), ErrorCode::kInvalidArgument, "is a socket");
  close(fd);
  ExpectRefused("", ErrorCode::kInvalidArgument, "empty");
  ExpectRefused(std::string("a\0b", 3), ErrorCode::kInvalidArgument, "NUL");
  ExpectRefused(std::string(5000, 'p'), ErrorCode::kIo, "File name too long");
}

TEST_F(FileTest, NoPermission) {
  Syscalls calls = RealSyscalls();  // the superuser may read everything: the refusal is played
  calls.open = [](const char*, int, unsigned) { return errno = EACCES, -1; };
  const auto file = File::Open(Put("f", "x"), &calls);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kIo);
  EXPECT_EQ(file.error().ToString(), Path("f") + ": cannot open the file: Permission denied");
}

TEST_F(FileTest, AFifoThatAppearsAfterTheLookIsRefusedWithoutWaiting) {
  Syscalls calls = RealSyscalls();
  const std::string path = Put("f", "x");
  calls.stat = [](const char* p, struct stat* out) {
    const int result = ::stat(p, out);
    ::unlink(p);
    EXPECT_EQ(mkfifo(p, 0600), 0);
    return result;
  };
  const auto file = File::Open(path, &calls);
  ASSERT_FALSE(file.has_value());
  EXPECT_NE(file.error().message.find("is a FIFO"), std::string::npos);
}

TEST_F(FileTest, InterruptedAndShortReadsGoOn) {
  Syscalls calls = RealSyscalls();
  int n = 0;
  calls.pread = [&n](int fd, void* dst, size_t, int64_t offset) -> ssize_t {
    if (n++ % 2 == 0) return errno = EINTR, -1;
    return ::pread(fd, dst, 1, offset);
  };
  const auto file = File::Open(Put("f", "0123456789"), &calls);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(ReadText(*file, 2, 6), "234567");
  EXPECT_EQ(n, 12);
}

TEST_F(FileTest, ReadErrorsNameTheByte) {
  Syscalls calls = RealSyscalls();
  calls.pread = [](int fd, void* dst, size_t, int64_t offset) -> ssize_t {
    if (offset >= 5) return errno = EIO, -1;
    return ::pread(fd, dst, 1, offset);
  };
  const auto file = File::Open(Put("f", "0123456789"), &calls);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(ReadText(*file, 2, 6), Path("f") + ": cannot read at byte 5: Input/output error");
}

TEST_F(FileTest, DescriptorsAreClosedOnce) {
  Syscalls calls = RealSyscalls();
  int n_closed = 0;
  calls.close = [&n_closed](int fd) { return ++n_closed, ::close(fd); };
  {
    auto file = File::Open(Put("f", "0123456789"), &calls);
    ASSERT_TRUE(file.has_value());
    File moved = std::move(file).value();
    auto other = File::Open(Put("g", "abc"), &calls);
    ASSERT_TRUE(other.has_value());
    moved = std::move(other).value();
    EXPECT_EQ(n_closed, 1);
    EXPECT_EQ(ReadText(moved, 0, 3), "abc");
  }
  EXPECT_EQ(n_closed, 2);
}

TEST_F(FileTest, OutputAppearsOnlyWhenCommitted) {
  const std::string path = Put("f", "old");
  {
    auto out = OutputFile::Create(path);
    ASSERT_TRUE(out.has_value());
    ASSERT_TRUE(out->Write(std::as_bytes(std::span(std::string_view("new")))).has_value());
    EXPECT_EQ(Read(path), "old");
  }
  EXPECT_EQ(Read(path), "old");
  auto out = OutputFile::Create(path);
  ASSERT_TRUE(out.has_value());
  ASSERT_TRUE(out->Write(std::as_bytes(std::span(std::string_view("new")))).has_value());
  ASSERT_TRUE(out->Commit().has_value());
  EXPECT_EQ(Read(path), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  EXPECT_EQ(OutputFile::Create(Path("no/such/f")).error().code, ErrorCode::kNotFound);
}

TEST(PathForMessage, KeepsTheEnd) {
  EXPECT_EQ(PathForMessage("/a/b.gguf"), "/a/b.gguf");
  EXPECT_EQ(PathForMessage("a\nb"), "a\\nb");
  for (const char* piece : {"dir/", "\xc3\xa9/", "\n", "\xff"}) {
    std::string path;
    for (int i = 0; i < 1000; ++i) path += piece;
    path += "model.gguf";
    const std::string shown = PathForMessage(path, 60);
    EXPECT_LE(shown.size(), 63u);
    EXPECT_GE(shown.size(), 50u);
    EXPECT_TRUE(shown.starts_with("...")) << shown;
    EXPECT_TRUE(shown.ends_with("model.gguf")) << shown;
    EXPECT_TRUE(IsValidUtf8(shown));
  }
}

}  // namespace
}  // namespace rf
