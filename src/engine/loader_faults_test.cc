// Loading a model while allocations and reads fail: an error comes back, nothing leaks, and the next load works. The
// global operator new is replaced, hence a program of its own.
#include <gtest/gtest.h>

#include "cpu/cpu_device.h"
#include "engine/model_session.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/counting_new.h"
#include "gguf/test_util/fake_files.h"

namespace rf {
namespace {

class LoaderFaults : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    files_.Put("base.gguf", bytes_);
    auto device = cpu::CreateCpuDevice({.n_threads = 1, .isa = "generic"});
    ASSERT_TRUE(device);
    device_ = std::move(*device);
    expected_ = Generate(files_.syscalls());
    ASSERT_EQ(expected_.size(), 5u);
  }

  SessionOptions Options(const Syscalls& syscalls) const {
    SessionOptions options;
    options.use_mmap = GetParam();
    options.context_length = 64;
    options.syscalls = &syscalls;
    return options;
  }

  Result<std::unique_ptr<ModelSession>> Load(const Syscalls& syscalls) {
    Device* const devices[] = {device_.get()};
    return LoadModel("base.gguf", devices, Options(syscalls));
  }

  // Five greedy tokens, or none if the model cannot be loaded.
  std::vector<int32_t> Generate(const Syscalls& syscalls) {
    auto session = Load(syscalls);
    if (!session) return {};
    test::Answer answer;
    EXPECT_TRUE((*session)->engine->Submit(test::RequestFor({1, 20, 30}, 5, answer)));
    EXPECT_TRUE((*session)->engine->RunToCompletion());
    return answer.ids;
  }

  const std::string bytes_ = BaseModelBytes();
  MemoryFiles files_;
  std::unique_ptr<Device> device_;
  std::vector<int32_t> expected_;
};

TEST_P(LoaderFaults, EveryAllocationFailsOnce) {
  AllocationCounts counts;
  const auto load = [&](int64_t failing) {
    StartCounting(failing);
    std::string code = "ok";
    {
      const auto session = Load(files_.syscalls());
      if (!session) code = ErrorCodeName(session.error().code);
    }
    counts = StopCounting();
    return code;
  };
  load(-1);  // what is made once for the process
  ASSERT_EQ(load(-1), "ok");
  ASSERT_EQ(counts.n_live, 0);
  const int64_t n_all = counts.n_allocations;
  ASSERT_GT(n_all, 500);
  const int64_t stride = std::max<int64_t>(1, n_all / 1500);
  for (int64_t n = 0; n < n_all; n += stride) {
    const std::string code = load(n);
    ASSERT_EQ(code, counts.was_optional ? "ok" : "out_of_memory") << "allocation " << n << " of " << n_all;
    ASSERT_EQ(counts.n_live, 0) << "allocation " << n << " of " << n_all;
    ASSERT_EQ(files_.n_open(), 0) << "allocation " << n << " of " << n_all;
  }
  EXPECT_EQ(Generate(files_.syscalls()), expected_);
}

TEST_P(LoaderFaults, EverySystemCallFailsOnce) {
  FaultPlan none;
  const Syscalls counted = FaultyCalls(files_.syscalls(), none);
  EXPECT_EQ(Generate(counted), expected_);
  for (int n = 0; n < none.n_calls; ++n) {
    FaultPlan plan;
    plan.fail_at = n;
    const Syscalls faulty = FaultyCalls(files_.syscalls(), plan);
    const auto session = Load(faulty);
    // A hint or a mapping may fail: then the file is read without it.
    EXPECT_EQ(session ? "io" : ErrorCodeName(session.error().code), "io") << "call " << n;
  }
  EXPECT_EQ(files_.n_open(), 0);
  EXPECT_EQ(Generate(files_.syscalls()), expected_);
}

TEST_P(LoaderFaults, ShortAndInterruptedReadsChangeNothing) {
  FaultPlan plan;
  plan.max_bytes = 1000;
  EXPECT_EQ(Generate(FaultyCalls(files_.syscalls(), plan)), expected_);
  FaultPlan interrupted;
  interrupted.fail_at = 3;
  interrupted.error_number = 4;  // EINTR
  EXPECT_EQ(Generate(FaultyCalls(files_.syscalls(), interrupted)), expected_);
}

TEST_P(LoaderFaults, ACacheThatMemoryCannotHoldIsRefusedWithTheNumbers) {
  SessionOptions options = Options(files_.syscalls());
  options.kv_tokens = INT32_MAX;
  Device* const devices[] = {device_.get()};
  const auto session = LoadModel("base.gguf", devices, options);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(session.error().message.find("KV cache"), std::string::npos) << session.error().message;
  EXPECT_EQ(files_.n_open(), 0);
}

INSTANTIATE_TEST_SUITE_P(MappedAndRead, LoaderFaults, testing::Bool());

}  // namespace
}  // namespace rf
