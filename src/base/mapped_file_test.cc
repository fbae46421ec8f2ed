#include "base/mapped_file.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "base/sanitizers.h"

namespace rf {
namespace {

constexpr size_t kPages = 16;

class MappedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rocmforge-test-XXXXXX").string();
    const int fd = mkstemp(pattern.data());
    ASSERT_GE(fd, 0);
    close(fd);
    path_ = pattern;
    page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    std::ofstream(path_, std::ios::binary) << std::string(kPages * page_, 'x');
  }
  void TearDown() override { std::filesystem::remove(path_); }

  MappedFile Map() {
    const auto file = File::Open(path_);
    EXPECT_TRUE(file.has_value());
    auto mapped = MappedFile::Map(*file);
    EXPECT_TRUE(mapped.has_value());
    return std::move(mapped).value();
  }
  void Shrink(size_t pages) { std::filesystem::resize_file(path_, pages * page_); }

  std::string path_;
  size_t page_ = 0;
};

char At(const MappedFile& mapped, size_t i) {
  return static_cast<char>(*const_cast<const volatile std::byte*>(&mapped.bytes()[i]));
}

TEST_F(MappedFileTest, BytesOutliveTheDescriptor) {
  const MappedFile mapped = Map();
  ASSERT_EQ(mapped.bytes().size(), kPages * page_);
  EXPECT_EQ(At(mapped, 0), 'x');
  EXPECT_EQ(At(mapped, kPages * page_ - 1), 'x');
  EXPECT_EQ(mapped.damaged_offset(), std::nullopt);
}

TEST_F(MappedFileTest, LostPagesReadAsZeros) {
  const MappedFile mapped = Map();
  Shrink(5);
  EXPECT_EQ(At(mapped, 5 * page_ - 1), 'x');
  EXPECT_EQ(mapped.damaged_offset(), std::nullopt);
  EXPECT_EQ(At(mapped, 8 * page_ + 17), 0);
  EXPECT_EQ(mapped.damaged_offset(), 8 * page_);
  EXPECT_EQ(At(mapped, 6 * page_), 0);
  EXPECT_EQ(mapped.damaged_offset(), 6 * page_);
  EXPECT_EQ(At(mapped, kPages * page_ - 1), 0);
  EXPECT_EQ(At(mapped, 0), 'x');
}

TEST_F(MappedFileTest, EachMappingHasItsOwnFlag) {
  const MappedFile first = Map();
  auto second = std::make_unique<MappedFile>(Map());
  MappedFile third = Map();
  Shrink(0);
  EXPECT_EQ(At(third, page_), 0);
  EXPECT_EQ(first.damaged_offset(), std::nullopt);
  EXPECT_EQ(second->damaged_offset(), std::nullopt);
  EXPECT_EQ(third.damaged_offset(), page_);
  second.reset();
  std::filesystem::resize_file(path_, page_);
  EXPECT_EQ(Map().damaged_offset(), std::nullopt);  // a slot that is used again starts clean
  const MappedFile moved = std::move(third);
  EXPECT_EQ(moved.damaged_offset(), page_);
  EXPECT_EQ(At(first, 2 * page_), 0);
}

TEST_F(MappedFileTest, SeveralThreadsFaultAtOnce) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::resize_file(path_, kPages * page_);
    const MappedFile mapped = Map();
    Shrink(1);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t i = 1 + t; i < kPages; ++i) EXPECT_EQ(At(mapped, i * page_), 0);
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(mapped.damaged_offset(), page_);
  }
}

using MappedFileDeathTest = MappedFileTest;

// The guard's handler is installed once for each process, so this test comes first: death tests run before others.
TEST_F(MappedFileDeathTest, OtherFaultsGoToTheHandlerBefore) {
  EXPECT_EXIT(
      {
        struct sigaction action = {};
        action.sa_handler = [](int) { _exit(42); };
        sigaction(SIGBUS, &action, nullptr);
        const MappedFile guarded = Map();
        raise(SIGBUS);
      },
      testing::ExitedWithCode(42), "");
}

TEST_F(MappedFileDeathTest, OtherFaultsStillEndTheProcess) {
#if RF_ASAN || RF_TSAN
  GTEST_SKIP() << "sanitizers have a handler of their own for what is passed on";
#endif
  const MappedFile guarded = Map();
  EXPECT_EXIT(
      {
        const auto file = File::Open(path_);
        const volatile char* bare =
            static_cast<char*>(mmap(nullptr, kPages * page_, PROT_READ, MAP_SHARED, file->fd(), 0));
        Shrink(0);
        [[maybe_unused]] const char byte = bare[page_];
      },
      testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(kill(getpid(), SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

TEST_F(MappedFileTest, AdviceStaysInside) {
  std::vector<std::pair<size_t, size_t>> calls_made;
  const std::byte* begin = nullptr;
  Syscalls calls = RealSyscalls();
  calls.madvise = [&](void* address, size_t n, int) {
    calls_made.emplace_back(static_cast<std::byte*>(address) - begin, n);
    return 0;
  };
  const auto file = File::Open(path_, &calls);
  ASSERT_TRUE(file.has_value());
  const auto mapped = MappedFile::Map(*file);
  ASSERT_TRUE(mapped.has_value());
  begin = mapped->bytes().data();
  mapped->Advise(page_ + 5, 10, MapAdvice::kWillNeed);
  mapped->Advise(page_ + 5, UINT64_MAX, MapAdvice::kRandom);
  mapped->Advise(page_ + 5, 2 * page_, MapAdvice::kDontNeed);
  mapped->Advise(5, 10, MapAdvice::kDontNeed);              // less than a page
  mapped->Advise(kPages * page_, 1, MapAdvice::kWillNeed);  // outside
  const std::vector<std::pair<size_t, size_t>> expected = {
      {page_, 15}, {page_, (kPages - 1) * page_}, {2 * page_, page_}};
  EXPECT_EQ(calls_made, expected);
}

TEST_F(MappedFileTest, RefusalsHaveNumbers) {
  Syscalls calls = RealSyscalls();
  calls.map_read_only = [](size_t, int) { return errno = ENOMEM, MAP_FAILED; };
  const auto file = File::Open(path_, &calls);
  ASSERT_TRUE(file.has_value());
  const auto mapped = MappedFile::Map(*file);
  ASSERT_FALSE(mapped.has_value());
  EXPECT_EQ(mapped.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(mapped.error().message.find(std::to_string(kPages * page_) + " bytes"), std::string::npos);
  Shrink(0);
  EXPECT_EQ(MappedFile::Map(*File::Open(path_)).error().message, "file is empty");
}

TEST_F(MappedFileTest, GuardsAreLimitedAndReturned) {
  std::vector<SigbusGuard> guards;
  for (;;) {
    auto guard = SigbusGuard::Watch(&guards, 1);
    if (!guard) {
      EXPECT_EQ(guard.error().code, ErrorCode::kUnsupported);
      break;
    }
    guards.push_back(std::move(guard).value());
  }
  EXPECT_EQ(guards.size(), static_cast<size_t>(SigbusGuard::kMaxGuards));
  guards.clear();
  EXPECT_TRUE(SigbusGuard::Watch(&guards, 1).has_value());
}

}  // namespace
}  // namespace rf
