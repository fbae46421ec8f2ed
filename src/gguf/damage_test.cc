// Files that change or fail while they are used. G57 to G59 are rows of the acceptance catalogue.
#include <errno.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "gguf/reader.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/test_util/refusal.h"
#include "gguf/test_util/temp_folder.h"

namespace rf {
namespace {

const std::string& BaseBytes() {
  static const std::string bytes = BaseModelBytes();
  return bytes;
}

uint64_t SumOfAllTensors(const GgufFile& file) {
  uint64_t sum = 0;
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const auto bytes = file.TensorBytes(i);
    if (!bytes) return sum;
    for (const std::byte byte : *bytes) sum += static_cast<uint64_t>(byte);
  }
  return sum;
}

TEST(GgufDamage, G57MappedFileShrinksWhileItServes) {
  const TempFolder folder;
  const std::string path = folder.Put("b.gguf", BaseBytes());
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(file->is_mapped());
  EXPECT_TRUE(file->Damage().has_value());
  // Whole pages go: the rest of the last one stays readable as zeros.
  const auto bytes = file->TensorBytes(10);
  ASSERT_TRUE(bytes.has_value());
  std::filesystem::resize_file(path, 100'000);
  const GgufTensor& tensor = file->tensors()[10];
  ASSERT_GT(tensor.file_offset, 110'000u);
  uint64_t sum = 0;
  for (const std::byte byte : *bytes) sum += static_cast<uint64_t>(byte);  // what a kernel does
  EXPECT_EQ(sum, 0u);
  ASSERT_TRUE(file->DamagedOffset().has_value());
  EXPECT_EQ(*file->DamagedOffset(), tensor.file_offset / 4096 * 4096);
  const Status damage = file->Damage();
  ASSERT_FALSE(damage.has_value());
  EXPECT_EQ(damage.error().code, ErrorCode::kIo);
  EXPECT_NE(damage.error().message.find("at byte " + std::to_string(*file->DamagedOffset())), std::string::npos);
  EXPECT_EQ(MessageFlaw(damage.error().ToString()), "");
  EXPECT_FALSE(file->TensorBytes(0).has_value());
}

TEST(GgufDamage, G57FileShrinksAndIsReadWithoutMapping) {
  const TempFolder folder;
  const std::string path = folder.Put("b.gguf", BaseBytes());
  const auto file = GgufFile::Open(path, {.use_mmap = false});
  ASSERT_TRUE(file.has_value());
  EXPECT_FALSE(file->is_mapped());
  EXPECT_EQ(file->TensorBytes(0).error().code, ErrorCode::kUnsupported);
  std::filesystem::resize_file(path, 100'000);
  std::vector<std::byte> bytes(file->tensors()[10].n_bytes);
  const Status status = file->ReadTensor(10, bytes);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  const std::string expected = "tensor 'blk.1.attn_norm.weight': the file ends at byte " +
                               std::to_string(file->tensors()[10].file_offset) + "; it had " +
                               std::to_string(BaseBytes().size()) + " bytes";
  EXPECT_NE(status.error().message.find(expected), std::string::npos) << status.error().message;
}

TEST(GgufDamage, G57FileShrinksWhileItLoads) {
  MemoryFiles files;
  for (size_t size = 0; size < 7000; size += 97) {
    files.Put("b.gguf", BaseBytes());
    Syscalls calls = files.syscalls();
    calls.pread = [&](int fd, void* dst, size_t n, int64_t offset) {
      files.Put("b.gguf", std::string_view(BaseBytes()).substr(0, size));  // after its size was asked for
      return files.syscalls().pread(fd, dst, n, offset);
    };
    const auto file = GgufFile::Open("b.gguf", {.syscalls = &calls});
    ASSERT_FALSE(file.has_value()) << size;
    EXPECT_EQ(file.error().code, ErrorCode::kIo);
    EXPECT_NE(file.error().message.find("the file ends at byte " + std::to_string(size)), std::string::npos)
        << file.error().message;
  }
}

TEST(GgufDamage, G58ReplacedFileKeepsServing) {
  const TempFolder folder;
  const std::string path = folder.Put("b.gguf", BaseBytes());
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.has_value());
  const uint64_t before = SumOfAllTensors(*file);
  std::filesystem::rename(folder.Put("new.gguf", "something else"), path);
  EXPECT_EQ(SumOfAllTensors(*file), before);
  EXPECT_TRUE(file->Damage().has_value());
  EXPECT_FALSE(GgufFile::Open(path).has_value());
}

// Opens and reads all tensors; the first error, if any.
Status LoadAll(const std::string& path, const GgufOptions& options) {
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path, options));
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    std::vector<std::byte> bytes(file.tensors()[i].n_bytes);
    RF_RETURN_IF_ERROR(file.ReadTensor(i, bytes));
  }
  return {};
}

TEST(GgufDamage, G59EveryCallFailsOnce) {
  MemoryFiles files;
  files.Put("b.gguf", BaseBytes());
  for (const bool use_mmap : {true, false}) {
    FaultPlan count;
    const Syscalls counting = FaultyCalls(files.syscalls(), count);
    ASSERT_TRUE(LoadAll("b.gguf", {.use_mmap = use_mmap, .syscalls = &counting}).has_value());
    ASSERT_GT(count.n_calls, 20);
    for (int n = 0; n < count.n_calls; ++n) {
      FaultPlan plan{.fail_at = n};
      const Syscalls faulty = FaultyCalls(files.syscalls(), plan);
      const Status status = LoadAll("b.gguf", {.use_mmap = use_mmap, .syscalls = &faulty});
      ASSERT_FALSE(status.has_value()) << "call " << n;
      EXPECT_EQ(status.error().code, ErrorCode::kIo) << status.error().ToString();
      EXPECT_NE(status.error().ToString().find("b.gguf"), std::string::npos);
      if (n >= 3 && status.error().message.find("map") == std::string::npos) {
        EXPECT_NE(status.error().message.find("at byte "), std::string::npos) << status.error().message;
      }
      EXPECT_EQ(MessageFlaw(status.error().ToString()), "");
      EXPECT_EQ(files.n_open(), 0) << "left open after call " << n;
    }
  }
}

TEST(GgufDamage, G59InterruptionsAndShortReadsAreRetried) {
  MemoryFiles files;
  files.Put("b.gguf", BaseBytes());
  for (int n = 0; n < 40; ++n) {
    FaultPlan plan{.fail_at = n, .n_failures = 3, .error_number = EINTR, .max_bytes = 1000 + static_cast<size_t>(n)};
    const Syscalls faulty = FaultyCalls(files.syscalls(), plan);
    // mmap never fails with EINTR.
    const Status status = LoadAll("b.gguf", {.use_mmap = false, .syscalls = &faulty});
    EXPECT_TRUE(status.has_value()) << status.error().ToString();
  }
}

TEST(GgufDamage, AFileThatCannotBeMappedIsRead) {
  MemoryFiles files;
  files.Put("b.gguf", BaseBytes());
  for (const int error_number : {ENODEV, ENOMEM}) {
    FaultPlan plan{.fail_at = 4, .error_number = error_number};  // stat, open, fstat, pread, mmap
    const Syscalls faulty = FaultyCalls(files.syscalls(), plan);
    const auto file = GgufFile::Open("b.gguf", {.syscalls = &faulty});
    ASSERT_TRUE(file.has_value()) << file.error().ToString();
    EXPECT_FALSE(file->is_mapped());
    ASSERT_EQ(file->warnings().size(), 1u);
    EXPECT_NE(file->warnings()[0].find("reading it instead"), std::string::npos);
  }
}

}  // namespace
}  // namespace rf
