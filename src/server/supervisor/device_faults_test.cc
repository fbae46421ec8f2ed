// Catalogue row D05 as a worker process sees it: every call of a request fails once, on a GPU whose runtime fails on
// demand. What is out of memory ends the request; what loses the device ends the worker, here once and at once.
#include <gtest/gtest.h>

#include "engine/model_session.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "hip/hip_device.h"
#include "hip/test_util/shim.h"
#include "server/supervisor/watched_runner.h"

namespace rf::server {
namespace {

class DeviceFaults : public testing::Test {
 protected:
  void SetUp() override {
    files_.Put("base.gguf", bytes_);
    Load();
  }

  void Load() {
    session_.reset();
    device_.reset();
    n_lost_ = 0;
    auto device = hip::CreateHipDevice(shim_.api(), "hip", 0);
    ASSERT_TRUE(device);
    device_ = std::move(*device);
    SessionOptions options;
    options.context_length = 64;
    options.syscalls = &files_.syscalls();
    options.wrap_runner = [this](std::unique_ptr<Runner> runner) {
      return std::make_unique<WatchedRunner>(std::move(runner), board_, [this](const Error&) { ++n_lost_; });
    };
    Device* const devices[] = {device_.get()};
    auto session = LoadModel("base.gguf", devices, options);
    ASSERT_TRUE(session);
    session_ = std::move(*session);
  }

  std::optional<Error> Generate() {
    test::Answer answer;
    EXPECT_TRUE(session_->engine->Submit(test::RequestFor({1, 20, 30}, 5, answer)));
    (void)session_->engine->RunToCompletion();
    return answer.result.value().error;
  }

  int CallsOfARequest() {
    const int before = shim_.n_calls;
    EXPECT_FALSE(Generate());
    return shim_.n_calls - before;
  }

  const std::string bytes_ = BaseModelBytes();
  MemoryFiles files_;
  hip::Shim shim_;
  SharedBoard board_ = SharedBoard::Create().value();
  int n_lost_ = 0;
  std::unique_ptr<Device> device_;
  std::unique_ptr<ModelSession> session_;  // goes before its device
};

TEST_F(DeviceFaults, D05ALackOfMemoryIsTheRequestsAlone) {
  const int n_calls = CallsOfARequest();
  ASSERT_GT(n_calls, 50);
  for (int n = 0; n < n_calls; ++n) {
    shim_.FailIn(n, hip::kGpuOutOfMemory);
    const auto error = Generate();
    EXPECT_TRUE(!error || error->code == ErrorCode::kOutOfMemory) << n;
    EXPECT_EQ(n_lost_, 0) << n;
    shim_.fail_at = -1;
    ASSERT_FALSE(Generate()) << n;
  }
}

TEST_F(DeviceFaults, D05ALostDeviceEndsTheWorkerAtOnce) {
  const int n_calls = CallsOfARequest();
  for (const int code : {700, 702, 719}) {
    for (int n = 0; n < n_calls; ++n) {
      Load();
      shim_.FailIn(n, code);
      const auto error = Generate();
      shim_.fail_at = -1;
      ASSERT_TRUE(error) << n;
      EXPECT_EQ(error->code, ErrorCode::kDevice) << n;
      EXPECT_EQ(n_lost_, 1) << n;
    }
  }
}

}  // namespace
}  // namespace rf::server
