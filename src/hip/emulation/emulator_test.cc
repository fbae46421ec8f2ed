// The emulator itself: what kernels may rely on works, and what a GPU would punish is seen.
#include "hip/emulation/emulator.h"

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

using testing::HasSubstr;

// A stream of one of the two devices.
class EmulatorTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    ASSERT_EQ(api_.describe(GetParam(), &traits_), 0);
    ASSERT_EQ(api_.create_stream(GetParam(), &context_.stream), 0);
    context_.device = GetParam();
    context_.traits = &traits_;
  }
  void TearDown() override {
    EXPECT_EQ(api_.destroy_stream(GetParam(), context_.stream), 0);
    for (void* pointer : allocated_) EXPECT_EQ(api_.release(GetParam(), pointer), 0);
    emulation::SetOrder(emulation::Order::kForward);
  }

  template <typename T>
  T* Allocate(size_t count) {
    void* pointer = nullptr;
    EXPECT_EQ(api_.allocate(GetParam(), count * sizeof(T), &pointer), 0);
    allocated_.push_back(pointer);
    return static_cast<T*>(pointer);
  }
  int Synchronize() { return api_.synchronize(GetParam(), context_.stream); }
  int wave() const { return traits_.wave_size; }

  const GpuApi& api_ = emulation::Api();
  GpuTraits traits_;
  GpuContext context_ = {};
  std::vector<void*> allocated_;
};

INSTANTIATE_TEST_SUITE_P(Wave, EmulatorTest, testing::Values(0, 1),
                         [](const auto& wave) { return wave.param == 0 ? "32" : "64"; });

// A round of a wave: eight products of 16 x 16 x 32.
TEST_P(EmulatorTest, TheMatrixPeakCountsItsOperations) {
  context_.workspace = Allocate<int32_t>(1);
  context_.workspace_bytes = sizeof(int32_t);
  const int64_t n_waves = int64_t{4} * traits_.n_processors * 256 / wave();
  EXPECT_EQ(api_.queue_matrix_products(&context_, 3), n_waves * 3 * 8 * 2 * 16 * 16 * 32);
  EXPECT_EQ(context_.error, 0);
  EXPECT_EQ(Synchronize(), 0);

  GpuTraits traits = traits_;
  std::strncpy(traits.arch, "gfx1030", sizeof(traits.arch) - 1);
  context_.traits = &traits;
  EXPECT_EQ(api_.queue_matrix_products(&context_, 3), 0);
}

RF_KERNEL WriteIndices(uint32_t* out) {
  const uint32_t block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  out[block * blockDim.x + threadIdx.x] = block * 1000 + threadIdx.x;
}

TEST_P(EmulatorTest, EveryThreadOfEveryBlockRunsOnce) {
  for (const auto order : {emulation::Order::kForward, emulation::Order::kReverse, emulation::Order::kRandom}) {
    emulation::SetOrder(order, 1);
    auto* out = Allocate<uint32_t>(24 * 128);
    Launch(&context_, WriteIndices, {2, 3, 4}, 128, 0, out);
    ASSERT_EQ(Synchronize(), 0);
    for (uint32_t i = 0; i < 24 * 128; ++i) ASSERT_EQ(out[i], i / 128 * 1000 + i % 128);
  }
}

struct SumShared {
  BlockSumScratch<float> scratch;
};

RF_KERNEL SumOfBlock(const float* in, float* out) {
  out[threadIdx.x] = BlockSum(in[threadIdx.x], Shared<SumShared>().scratch);
}

TEST_P(EmulatorTest, SumsOverWavesAndBlocks) {
  auto* in = Allocate<float>(256);
  auto* out = Allocate<float>(256);
  for (int i = 0; i < 256; ++i) in[i] = static_cast<float>(i);
  Launch(&context_, SumOfBlock, {1}, 256, sizeof(SumShared), in, out);
  ASSERT_EQ(Synchronize(), 0);
  for (int i = 0; i < 256; ++i) EXPECT_EQ(out[i], 255.0f * 128.0f);
}

RF_KERNEL WaveFunctions(int* rotated, uint64_t* ballots, int* dots) {
  const int lane = Lane();
  rotated[threadIdx.x] = Shuffle(lane * 10, lane + 1);
  ballots[threadIdx.x] = Ballot(lane % 3 == 0);
  dots[threadIdx.x] = Dot4(0x80ff017f, 0x02fe03ff, 5);
}

TEST_P(EmulatorTest, WaveFunctionsDoWhatTheirNamesSay) {
  auto* rotated = Allocate<int>(64);
  auto* ballots = Allocate<uint64_t>(64);
  auto* dots = Allocate<int>(64);
  Launch(&context_, WaveFunctions, {1}, 64, 0, rotated, ballots, dots);
  ASSERT_EQ(Synchronize(), 0);
  uint64_t thirds = 0;
  for (int lane = 0; lane < wave(); lane += 3) thirds |= uint64_t{1} << lane;
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(rotated[i], (i % wave() + 1) % wave() * 10);
    EXPECT_EQ(ballots[i], thirds);
    EXPECT_EQ(dots[i], 5 - 128 * 2 + 2 + 3 - 127);  // -128 * 2, -1 * -2, 1 * 3, 127 * -1
  }
}

RF_KERNEL BytesAndBits(const uint8_t* bytes, Int4* loaded, int* numbers) {
  loaded[0] = LoadSixteen(bytes + 2);
  loaded[1] = LoadSixteenAnywhere(bytes + 3);
  numbers[0] = PermuteBytes(0x13121110, 0x17161514, 0x07000503);
  numbers[1] = CountBits(0x8000000000000001u);
  numbers[2] = static_cast<int>(LoadEven16(bytes + 2));
  numbers[3] = static_cast<int>(LoadEven32(bytes + 6));
}

TEST_P(EmulatorTest, BytesAndBits) {
  auto* bytes = Allocate<uint8_t>(19);
  auto* loaded = Allocate<Int4>(2);
  auto* numbers = Allocate<int>(4);
  for (int i = 0; i < 19; ++i) bytes[i] = static_cast<uint8_t>(i);
  Launch(&context_, BytesAndBits, {1}, 64, 0, bytes, loaded, numbers);
  ASSERT_EQ(Synchronize(), 0);
  EXPECT_EQ(loaded[0].x, 0x05040302);
  EXPECT_EQ(loaded[0].w, 0x11100f0e);
  EXPECT_EQ(loaded[1].y, 0x0a090807);
  EXPECT_EQ(loaded[1].w, 0x1211100f);
  EXPECT_THAT(std::vector<int>(numbers, numbers + 4), testing::ElementsAre(0x17101513, 2, 0x0302, 0x09080706));
}

struct Pair {
  int values[2];
};

// Thread 0 writes what the last thread reads, with or without the barrier between.
RF_KERNEL PassOn(int with_barrier, int* out) {
  auto& shared = Shared<Pair>();
  if (threadIdx.x == 0) shared.values[0] = 7;
  if (with_barrier != 0) BlockBarrier();
  if (threadIdx.x == blockDim.x - 1) *out = shared.values[0];
}

TEST_P(EmulatorTest, AMissingBarrierShows) {
  auto* out = Allocate<int>(1);
  std::set<int> with;
  std::set<int> without;
  for (const auto order : {emulation::Order::kForward, emulation::Order::kReverse}) {
    emulation::SetOrder(order);
    for (const int has_barrier : {0, 1}) {
      Launch(&context_, PassOn, {1}, 128, sizeof(Pair), has_barrier, out);
      ASSERT_EQ(Synchronize(), 0);
      (has_barrier == 1 ? with : without).insert(*out);
    }
  }
  EXPECT_EQ(with, std::set<int>{7});
  EXPECT_EQ(without, (std::set<int>{7, -1}));  // -1: the poison of shared memory
}

RF_KERNEL HalfAtBarrier() {
  if (threadIdx.x < 64) BlockBarrier();
}
RF_KERNEL OneLaneShuffles(int* out) {
  if (Lane() == 3) *out = Shuffle(1, 0);
}
RF_KERNEL DifferentExchanges(int* out) {
  if (Lane() == 0) {
    *out = Shuffle(1, 0);
    BlockBarrier();
  } else {
    BlockBarrier();
    *out = Shuffle(1, 0);
  }
}

TEST_P(EmulatorTest, DivergenceIsAnErrorAndTheNextLaunchRuns) {
  auto* out = Allocate<int>(1);
  const auto expect_failure = [&](const char* wanted) {
    const int code = Synchronize();
    EXPECT_STREQ(api_.error_name(code), "kernel failed");
    EXPECT_THAT(api_.error_text(code), HasSubstr(wanted));
  };
  Launch(&context_, HalfAtBarrier, {1}, 128, 0);
  expect_failure("64 of 128 threads wait at a barrier that the others do not reach");
  Launch(&context_, OneLaneShuffles, {1}, 64, 0, out);
  expect_failure("wait at a wave function that the others do not reach");
  Launch(&context_, DifferentExchanges, {1}, 64, 0, out);
  expect_failure("wait at a wave function that the others do not reach");
  Launch(&context_, WriteIndices, {1}, 64, 0, Allocate<uint32_t>(64));
  EXPECT_EQ(Synchronize(), 0);
}

TEST_P(EmulatorTest, LaunchesThatNoGpuTakesAreErrors) {
  const auto error_of = [&](int n_threads, size_t shared_bytes) {
    context_.error = 0;
    Launch(&context_, HalfAtBarrier, {1}, n_threads, shared_bytes);
    return context_.error;
  };
  EXPECT_NE(error_of(2048, 0), 0);
  EXPECT_NE(error_of(wave() / 2, 0), 0);
  EXPECT_NE(error_of(64, size_t{1} << 20), 0);
}

TEST_P(EmulatorTest, WorkRunsInOrderAndNotBeforeSynchronization) {
  auto* out = Allocate<uint32_t>(64);
  std::vector<uint32_t> host(64, 5);
  ASSERT_EQ(api_.copy(GetParam(), out, host.data(), 256, GpuCopy::kToDevice, context_.stream), 0);
  EXPECT_EQ(out[0], 0xffffffffu);
  Launch(&context_, WriteIndices, {1}, 64, 0, out);
  ASSERT_EQ(api_.copy(GetParam(), host.data(), out, 256, GpuCopy::kToHost, context_.stream), 0);
  EXPECT_EQ(host[3], 5u);
  ASSERT_EQ(Synchronize(), 0);
  EXPECT_EQ(host[3], 3u);
}

TEST(Emulator, MemoryIsCountedAndItsEndIsKnown) {
  const GpuApi& api = emulation::Api();
  uint64_t free_before = 0;
  uint64_t free_after = 0;
  uint64_t total = 0;
  ASSERT_EQ(api.memory(0, &free_before, &total), 0);
  void* pointer = nullptr;
  ASSERT_EQ(api.allocate(0, 1000, &pointer), 0);
  ASSERT_EQ(api.memory(0, &free_after, &total), 0);
  EXPECT_EQ(free_before - free_after, 1000u);
  EXPECT_STREQ(api.error_name(api.allocate(0, total + 1, &pointer)), "out of memory");
  EXPECT_EQ(api.release(0, pointer), 0);
  int on_stack = 0;
  EXPECT_STREQ(api.error_name(api.release(0, &on_stack)), "not this runtime's pointer");
}

}  // namespace
}  // namespace rf::hip
