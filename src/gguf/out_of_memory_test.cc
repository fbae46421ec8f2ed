// Every allocation of loading a model fails once: an error comes back and nothing leaks. The global operator new is
// replaced, hence a program of its own.
#include <gtest/gtest.h>

#include "gguf/reader.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/counting_new.h"
#include "gguf/test_util/fake_files.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/writer.h"

namespace rf {
namespace {

struct Outcome {
  bool opened = false;
  ErrorCode code = ErrorCode::kBusy;
  int64_t n_allocations = 0;
  int64_t n_leaked = 0;
};

// Opens with allocations [from, from + count) failing.
Outcome OpenWithFailures(const std::string& path, const GgufOptions& options, int64_t from, int64_t count) {
  Outcome outcome;
  StartCounting(from, count);
  {
    const auto file = GgufFile::Open(path, options);
    outcome.opened = file.has_value();
    if (!file) outcome.code = file.error().code;
  }
  const AllocationCounts counts = StopCounting();
  outcome.n_allocations = counts.n_allocations;
  outcome.n_leaked = counts.n_live;
  return outcome;
}

class GgufOutOfMemory : public testing::TestWithParam<bool> {
 protected:
  // A split model, so that its code is reached too.
  void SetUp() override {
    RawGguf base = RawBaseModel();
    const auto number = [](uint32_t value) { return std::string(reinterpret_cast<const char*>(&value), 4); };
    RawGguf second;
    second.tensors.assign(base.tensors.begin() + 10, base.tensors.end());
    base.tensors.resize(10);
    for (uint32_t i = 0; i < 2; ++i) {
      RawGguf& raw = i == 0 ? base : second;
      raw.kvs.push_back({"split.no", 4, number(i)});
      raw.kvs.push_back({"split.count", 4, number(2)});
    }
    first_ = base.Bytes() + "trailing";
    second_ = second.Bytes();
    files_.Put("m-00001-of-00002.gguf", first_);
    files_.Put("m-00002-of-00002.gguf", second_);
  }
  GgufOptions Options() const { return {.use_mmap = GetParam(), .syscalls = &files_.syscalls()}; }

  std::string first_, second_;
  MemoryFiles files_;
};

TEST_P(GgufOutOfMemory, EveryAllocationFailsOnce) {
  OpenWithFailures("m-00001-of-00002.gguf", Options(), -1, 0);  // what is made once for the process
  const Outcome whole = OpenWithFailures("m-00001-of-00002.gguf", Options(), -1, 0);
  ASSERT_TRUE(whole.opened);
  ASSERT_EQ(whole.n_leaked, 0);
  ASSERT_GT(whole.n_allocations, 100);
  for (int64_t n = 0; n < whole.n_allocations; ++n) {
    const Outcome outcome = OpenWithFailures("m-00001-of-00002.gguf", Options(), n, 1);
    ASSERT_FALSE(outcome.opened) << "allocation " << n << " of " << whole.n_allocations;
    EXPECT_EQ(ErrorCodeName(outcome.code), "out_of_memory") << "allocation " << n;
    EXPECT_EQ(outcome.n_leaked, 0) << "allocation " << n;
    EXPECT_EQ(files_.n_open(), 0) << "allocation " << n;
  }
}

TEST_P(GgufOutOfMemory, MemoryStaysExhausted) {
  const Outcome whole = OpenWithFailures("m-00001-of-00002.gguf", Options(), -1, 0);
  for (int64_t n = 0; n < whole.n_allocations; n += 7) {
    const Outcome outcome = OpenWithFailures("m-00001-of-00002.gguf", Options(), n, INT64_MAX / 2);
    ASSERT_FALSE(outcome.opened);
    EXPECT_EQ(ErrorCodeName(outcome.code), "out_of_memory") << "allocation " << n;
    EXPECT_EQ(outcome.n_leaked, 0) << "allocation " << n;
  }
}

TEST_P(GgufOutOfMemory, RefusalsOfBrokenFiles) {
  // A file that is refused late: the message and what was read so far are on the way when memory ends.
  std::string cut = first_.substr(0, first_.size() - 100'000);
  files_.Put("m-00001-of-00002.gguf", cut);
  const Outcome whole = OpenWithFailures("m-00001-of-00002.gguf", Options(), -1, 0);
  ASSERT_FALSE(whole.opened);
  ASSERT_EQ(ErrorCodeName(whole.code), "corrupt_file");
  for (int64_t n = 0; n < whole.n_allocations; ++n) {
    const Outcome outcome = OpenWithFailures("m-00001-of-00002.gguf", Options(), n, 1);
    ASSERT_FALSE(outcome.opened);
    EXPECT_EQ(ErrorCodeName(outcome.code), "out_of_memory") << "allocation " << n;
    EXPECT_EQ(outcome.n_leaked, 0) << "allocation " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(MappedAndRead, GgufOutOfMemory, testing::Bool());

}  // namespace
}  // namespace rf
