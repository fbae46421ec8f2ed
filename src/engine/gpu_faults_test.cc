// A whole model on a GPU whose runtime fails on demand: catalogue rows D03, D04, D05 and D15. The device is the real
// one of hip/; the runtime beneath it lives on the heap and runs the ops' references, so the text is the CPU's with
// reference kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "cpu/cpu_device.h"
#include "engine/model_session.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "hip/hip_device.h"
#include "hip/test_util/shim.h"

namespace rf {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// What is said aloud meanwhile.
struct Warnings {
  Warnings() {
    SetLogSink([this](LogLevel level, std::string_view line) {
      if (level >= LogLevel::kWarning) lines += std::string(line) + "\n";
    });
  }
  ~Warnings() { SetLogSink({}); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  std::string lines;
};

class GpuFaults : public testing::Test {
 protected:
  struct Loaded {
    std::unique_ptr<Device> device;
    std::unique_ptr<Device> cpu;
    std::unique_ptr<ModelSession> session;  // goes before its device
  };

  void SetUp() override {
    files_.Put("base.gguf", bytes_);
    const auto cpu = cpu::CreateCpuDevice({.n_threads = 1, .isa = "reference"});
    ASSERT_TRUE(cpu);
    Device* const devices[] = {cpu->get()};
    auto session = LoadModel("base.gguf", devices, Options());
    ASSERT_TRUE(session);
    expected_ = Generate(**session).value();
    ASSERT_EQ(expected_.size(), 5u);
  }
  void TearDown() override {
    EXPECT_THAT(shim_.violations, IsEmpty());
    EXPECT_EQ(shim_.n_live(), 0u);
    EXPECT_EQ(files_.n_open(), 0);
  }

  SessionOptions Options() const {
    SessionOptions options;
    options.context_length = 64;
    options.syscalls = &files_.syscalls();
    options.check_weights = check_weights_;
    return options;
  }

  // Whichever call of a request fails for want of memory.
  void ExpectNextRequestWorks();

  Result<Loaded> Load() {
    Loaded loaded;
    RF_ASSIGN_OR_RETURN(loaded.device, hip::CreateHipDevice(shim_.api(), "hip", 0));
    Device* const devices[] = {loaded.device.get()};
    RF_ASSIGN_OR_RETURN(loaded.session, LoadModel("base.gguf", devices, Options()));
    return loaded;
  }

  // The CPU may take what the GPU cannot.
  Result<Loaded> LoadBesideCpu() {
    Loaded loaded;
    RF_ASSIGN_OR_RETURN(loaded.device, hip::CreateHipDevice(shim_.api(), "hip", 0));
    RF_ASSIGN_OR_RETURN(loaded.cpu, cpu::CreateCpuDevice({.n_threads = 1, .isa = "reference"}));
    Device* const devices[] = {loaded.device.get(), loaded.cpu.get()};
    SessionOptions options = Options();
    options.gpu_layers = gpu_layers_;
    options.prefill_chunk = 4;  // small activations: what counts are layers
    RF_ASSIGN_OR_RETURN(loaded.session, LoadModel("base.gguf", devices, options));
    return loaded;
  }

  // The least free memory on which `needed` bytes are planned: a 16th is kept back.
  static uint64_t FreeFor(uint64_t needed) {
    uint64_t free = needed;
    while (free - free / 16 < needed) ++free;
    return free;
  }

  // Five tokens, or how the request ended.
  Result<std::vector<int32_t>> Generate(ModelSession& session) const {
    test::Answer answer;
    Request request = test::RequestFor({1, 20, 30}, 5, answer);
    request.sampling = sampling_;
    EXPECT_TRUE(session.engine->Submit(std::move(request)));
    const Status ran = session.engine->RunToCompletion();
    const std::optional<Error> error = answer.result.value().error;
    EXPECT_EQ(ran.has_value(), !error.has_value());
    EXPECT_FALSE(session.engine->HasWork());
    EXPECT_EQ(session.engine->stats().n_free_pages, session.engine->stats().n_pages);
    if (error) return *error;
    return answer.ids;
  }

  const std::string bytes_ = BaseModelBytes();
  MemoryFiles files_;
  hip::Shim shim_;
  SamplingParams sampling_;  // greedy
  bool check_weights_ = false;
  std::optional<int32_t> gpu_layers_;
  std::vector<int32_t> expected_;
};

// The best logits do not decide what so flat a choice keeps: each step fetches its row too.
class GpuFaultsOfRows : public GpuFaults {
 protected:
  GpuFaultsOfRows() {
    sampling_.temperature = 3.0f;
    sampling_.min_p = 0.001f;
    sampling_.repetition_penalty = 1.2f;
  }
};

TEST_F(GpuFaults, WritesTheSameTextAsTheCpu) {
  auto loaded = Load();
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(Generate(*loaded->session).value(), expected_);
  EXPECT_EQ(Generate(*loaded->session).value(), expected_);  // with the first one's pages in the prefix cache
  EXPECT_EQ(loaded->session->steps.front().device, "hip:0");
  EXPECT_EQ(loaded->session->memory.weights_mapped, 0u);
  EXPECT_GT(loaded->session->memory.weights, 400'000u);
}

TEST_F(GpuFaults, D03AByteTooLittleIsRefusedWithNumbersBeforeAnythingIsLoaded) {
  uint64_t needed = 0;
  {
    const auto loaded = Load();
    ASSERT_TRUE(loaded);
    needed = loaded->session->memory.Total();
    // The batch's arrays beside it, with 12 KiB for changes of logits.
    EXPECT_LE(shim_.live_bytes(), needed + 4096 + 12 * 1024);
  }
  const uint64_t enough = FreeFor(needed);
  for (const uint64_t missing : {uint64_t{1}, needed / 2}) {
    shim_.claimed_free = enough - missing;
    const uint64_t copied = shim_.n_copied_to_device;
    const auto loaded = Load();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(loaded.error().message, HasSubstr("hip:0 has"));
    EXPECT_THAT(loaded.error().message, HasSubstr("needed: weights"));
    EXPECT_LT(shim_.n_copied_to_device - copied, 64u * 1024) << "more than the self-test was copied";
  }
  shim_.claimed_free = enough;
  EXPECT_TRUE(Load());
}

// Less memory can be had than is said to be free: the plan is made again with that, before the CPU gets everything.
TEST_F(GpuFaults, D03MemoryThatIsNotThereLeavesLayersToTheCpu) {
  uint64_t needed = 0;
  {
    const auto loaded = LoadBesideCpu();
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->session->parts.size(), 1u);
    needed = shim_.live_bytes();
  }
  int n_divided = 0;
  for (uint64_t sixteenths = 1; sixteenths < 16; ++sixteenths) {
    shim_.capacity = needed * sixteenths / 16;
    const Warnings warnings;
    const auto loaded = LoadBesideCpu();
    ASSERT_TRUE(loaded) << sixteenths << ": " << loaded.error().ToString();
    EXPECT_EQ(Generate(*loaded->session).value(), expected_) << sixteenths;
    n_divided += loaded->session->parts.size() == 2 ? 1 : 0;
    EXPECT_THAT(warnings.lines, HasSubstr("1024 MiB were said to be free, ")) << sixteenths;
  }
  EXPECT_GT(n_divided, 2);
}

TEST_F(GpuFaults, D03LayersThatWereAskedForAreNotLessened) {
  uint64_t needed = 0;
  gpu_layers_ = 99;
  {
    const auto loaded = LoadBesideCpu();
    ASSERT_TRUE(loaded);
    needed = shim_.live_bytes();
  }
  shim_.capacity = needed * 3 / 4;
  const auto loaded = LoadBesideCpu();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kOutOfMemory);
}

// Somebody else takes the memory after the plan was made.
TEST_F(GpuFaults, D03MemoryThatGoesDuringLoadingLeavesNothingBehind) {
  uint64_t needed = 0;
  {
    const auto loaded = Load();
    ASSERT_TRUE(loaded);
    needed = shim_.live_bytes();
  }
  for (const uint64_t left : {needed - 1, needed / 2, uint64_t{50'000}}) {
    shim_.capacity = left;
    const auto loaded = Load();
    ASSERT_FALSE(loaded) << left;
    EXPECT_EQ(loaded.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(loaded.error().message, HasSubstr("1024.0 of 2048.0 MiB are free"));
    EXPECT_EQ(shim_.n_live(), 0u);
  }
}

TEST_F(GpuFaults, D04EveryCallOfLoadingFailsOnce) {
  int n_calls = 0;
  {
    shim_.n_calls = 0;
    const auto loaded = Load();
    ASSERT_TRUE(loaded);
    n_calls = shim_.n_calls;
  }
  ASSERT_GT(n_calls, 100);
  for (int n = 0; n < n_calls; ++n) {
    shim_.n_calls = 0;
    shim_.FailIn(n, n % 2 == 0 ? hip::kGpuOutOfMemory : 719);
    auto loaded = Load();
    if (loaded) {  // it was a call that loading can do without
      EXPECT_EQ(Generate(*loaded->session).value(), expected_) << n;
      continue;
    }
    EXPECT_EQ(loaded.error().code, n % 2 == 0 ? ErrorCode::kOutOfMemory : ErrorCode::kDevice) << n;
    ASSERT_EQ(shim_.n_live(), 0u) << n;
    ASSERT_EQ(files_.n_open(), 0) << n;
  }
  shim_.fail_at = -1;
  const auto loaded = Load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(Generate(*loaded->session).value(), expected_);
}

// Without memory for something the request ends and the next one works.
void GpuFaults::ExpectNextRequestWorks() {
  const auto loaded = Load();
  ASSERT_TRUE(loaded);
  const int before = shim_.n_calls;
  ASSERT_TRUE(Generate(*loaded->session));
  const int n_calls = shim_.n_calls - before;
  ASSERT_GT(n_calls, 50);
  for (int n = 0; n < n_calls; ++n) {
    shim_.FailIn(n, hip::kGpuOutOfMemory);
    const auto failed = Generate(*loaded->session);
    if (failed) {  // the prefix cache has made this one shorter
      EXPECT_EQ(*failed, expected_) << n;
    } else {
      EXPECT_EQ(failed.error().code, ErrorCode::kOutOfMemory) << n;
    }
    shim_.fail_at = -1;
    const auto next = Generate(*loaded->session);
    ASSERT_TRUE(next) << n;
    ASSERT_EQ(*next, expected_) << n;
  }
}

TEST_F(GpuFaults, D05EveryCallOfARequestRunsOutOfMemoryOnce) {
  ExpectNextRequestWorks();
}

TEST_F(GpuFaultsOfRows, D05EveryCallOfARequestRunsOutOfMemoryOnce) {
  ExpectNextRequestWorks();
}

// After these the device is lost, whatever it says: no text comes any more.
TEST_F(GpuFaults, D05EveryCallOfARequestLosesTheDeviceOnce) {
  constexpr int kFatal[] = {700, 702, 719};
  int n_lost = 0;
  for (int n = 0; n < 60; ++n) {
    const auto loaded = Load();
    ASSERT_TRUE(loaded);
    shim_.FailIn(n, kFatal[n % 3]);
    const auto failed = Generate(*loaded->session);
    ASSERT_FALSE(failed) << n;
    EXPECT_EQ(failed.error().code, ErrorCode::kDevice) << n;
    shim_.fail_at = -1;
    const auto next = Generate(*loaded->session);
    ASSERT_FALSE(next) << n;
    EXPECT_THAT(next.error().message, HasSubstr("the device was lost earlier")) << n;
    ++n_lost;
  }
  EXPECT_EQ(n_lost, 60);
}

// Memory is reserved when the model is loaded: after the first requests no step asks for more, or gives any back.
TEST_F(GpuFaultsOfRows, StepsNeitherAllocateNorRelease) {
  const auto loaded = Load();
  ASSERT_TRUE(loaded);
  const auto first = Generate(*loaded->session);
  ASSERT_TRUE(first);
  ASSERT_TRUE(Generate(*loaded->session));
  shim_.forbids_memory = true;
  EXPECT_EQ(Generate(*loaded->session).value(), *first);
  EXPECT_THAT(shim_.violations, IsEmpty());
  shim_.forbids_memory = false;
}

TEST_F(GpuFaults, ACallThatTakesLongChangesNothing) {
  const auto loaded = Load();
  ASSERT_TRUE(loaded);
  for (const int call : {1, 20, 40}) {
    shim_.delay_at = shim_.n_calls + call;
    shim_.delay = std::chrono::milliseconds(50);
    EXPECT_EQ(Generate(*loaded->session).value(), expected_);
  }
}

// New device memory is full of NaN here, and so are pages of the cache: none may be read before it is written.
TEST_F(GpuFaults, D17WhatNobodyWroteReachesNoText) {
  for (int i = 0; i < 3; ++i) {
    const auto loaded = Load();
    ASSERT_TRUE(loaded);
    for (int request = 0; request < 3; ++request) EXPECT_EQ(Generate(*loaded->session).value(), expected_);
  }
}

// A bit that arrives wrong, in each of many places of the weights, is found when it is looked for.
TEST_F(GpuFaults, D14AFlippedBitOfTheWeightsIsFound) {
  shim_.n_copied_to_device = 0;
  ASSERT_TRUE(Load());
  const uint64_t n_copied = shim_.n_copied_to_device;
  check_weights_ = true;
  const auto right = Load();
  ASSERT_TRUE(right) << right.error().ToString();
  int n_found = 0;
  for (uint64_t place = 40; place > 0; --place) {  // backwards: the self-test's own bytes come first
    shim_.n_copied_to_device = 0;
    shim_.flips_byte = n_copied - 1 - (40 - place) * 997;
    const auto loaded = Load();
    ASSERT_FALSE(loaded) << place;
    EXPECT_EQ(loaded.error().code, ErrorCode::kDevice);
    EXPECT_THAT(loaded.error().ToString(), HasSubstr("hip:0"));
    EXPECT_THAT(loaded.error().message, HasSubstr("of the weight '"));
    ++n_found;
  }
  EXPECT_EQ(n_found, 40);
}

TEST_F(GpuFaults, D15LoadsWithoutPinnedMemory) {
  shim_.fails_pinned = true;
  const auto loaded = Load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(Generate(*loaded->session).value(), expected_);
}

}  // namespace
}  // namespace rf
