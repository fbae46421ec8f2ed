// A GPU as a device, over a runtime that fails on demand: catalogue rows D02 to D04, D14 and D15, one device at a time.
#include "hip/hip_device.h"

#include <cstring>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "hip/gpu_buffer.h"
#include "hip/gpu_runtime.h"
#include "hip/test_util/shim.h"
#include "hip/uploader.h"

namespace rf::hip {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kMaxMessageBytes = 300;

class HipDeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    SetLogSink([this](LogLevel, std::string_view line) { log_ += std::string(line) + "\n"; });
  }
  void TearDown() override {
    SetLogSink({});
    EXPECT_THAT(shim_.violations, IsEmpty());
    EXPECT_EQ(shim_.n_live(), 0u);
  }
  std::unique_ptr<Device> Create() {
    auto device = CreateHipDevice(shim_.api(), "hip", 0);
    EXPECT_TRUE(device) << device.error().ToString();
    return std::move(*device);
  }
  Error CreateError() {
    auto device = CreateHipDevice(shim_.api(), "hip", 0);
    EXPECT_FALSE(device);
    if (device) return Error{ErrorCode::kInternal, "", ""};
    EXPECT_LE(device.error().ToString().size(), kMaxMessageBytes);
    return device.error();
  }
  // The next call that can fail does.
  void FailNext(int code, int n_failures = 1) {
    shim_.fail_at = shim_.n_calls;
    shim_.code = code;
    shim_.n_failures = n_failures;
  }

  Shim shim_;
  std::string log_;
};

TEST_F(HipDeviceTest, SaysWhatItIs) {
  shim_.n_devices = 3;
  const auto device = CreateHipDevice(shim_.api(), "hip", 2);
  ASSERT_TRUE(device);
  const DeviceProperties& it = (*device)->properties();
  EXPECT_EQ(it.name, "Shim GPU");
  EXPECT_EQ(it.kind, "hip");
  EXPECT_EQ(it.Label(), "hip:2");
  EXPECT_EQ(it.isa, "gfx1100");
  EXPECT_EQ(it.memory_bytes, shim_.claimed_total);
  EXPECT_EQ(it.free_bytes, shim_.claimed_free);
  EXPECT_FALSE(it.is_host_memory);
  EXPECT_FALSE(it.shares_host_memory);
  EXPECT_EQ(it.wave_size, 32);
  EXPECT_EQ(it.n_processors, 4);
  EXPECT_EQ(it.shared_bytes, 65536u);
  EXPECT_EQ(it.driver_version, "6.4.43484");
  EXPECT_EQ(it.runtime_version, "6.4.43482");
}

// A recording of two copies: what it does each time is what lies there then.
TEST_F(HipDeviceTest, ReplaysWhatItRecorded) {
  const auto device = Create();
  const auto buffer = device->Allocate(16, "a test");
  const auto stream = device->CreateStream();
  ASSERT_TRUE(buffer && stream);
  auto* bytes = static_cast<char*>((*buffer)->data());
  const auto copy_on = [&] {
    EXPECT_TRUE((*stream)->CopyOnDevice(bytes + 4, bytes, 4));
    EXPECT_TRUE((*stream)->CopyOnDevice(bytes + 8, bytes + 4, 4));
  };
  const auto recording = (*stream)->Record(copy_on);
  ASSERT_TRUE(recording && *recording);
  for (const char* text : {"abcd", "wxyz"}) {
    char read[12];
    ASSERT_TRUE((*stream)->CopyToDevice(bytes, text, 4));
    (*stream)->Replay(**recording);
    ASSERT_TRUE((*stream)->CopyToHost(read, bytes, sizeof(read)));
    ASSERT_TRUE((*stream)->Synchronize());
    EXPECT_EQ(std::string(read, sizeof(read)), std::string(text) + text + text);
  }
}

// After any failure nothing is left of the recording, and the stream works as before.
TEST_F(HipDeviceTest, ARecordingThatFails) {
  const auto device = Create();
  const auto buffer = device->Allocate(8, "a test");
  const auto stream = device->CreateStream();
  ASSERT_TRUE(buffer && stream);
  auto* bytes = static_cast<char*>((*buffer)->data());
  for (int call = 0; call < 2; ++call) {  // its begin, its end
    shim_.fail_at = shim_.n_calls + call;
    shim_.code = 900;
    const auto recording = (*stream)->Record([] {});
    ASSERT_FALSE(recording);
    EXPECT_EQ(recording.error().code, ErrorCode::kDevice);
  }
  char read[4];
  ASSERT_TRUE((*stream)->CopyToDevice(bytes, "abcd", 4));
  ASSERT_TRUE((*stream)->CopyToHost(read, bytes, 4));
  ASSERT_TRUE((*stream)->Synchronize());
  EXPECT_EQ(std::string(read, 4), "abcd");

  const auto recording = (*stream)->Record([] {});
  ASSERT_TRUE(recording && *recording);
  FailNext(900);
  (*stream)->Replay(**recording);
  EXPECT_FALSE((*stream)->Synchronize());
}

// The shim's clock ticks once for each thing that runs.
TEST_F(HipDeviceTest, MarksMeasureWhatIsBetweenThem) {
  const auto device = Create();
  const auto buffer = device->Allocate(8, "a test");
  const auto stream = device->CreateStream();
  ASSERT_TRUE(buffer && stream);
  auto* bytes = static_cast<char*>((*buffer)->data());
  for (int round = 0; round < 2; ++round) {  // what was taken is forgotten
    for (const int n_copies : {1, 3, 0}) {
      ASSERT_TRUE((*stream)->Mark());
      for (int i = 0; i < n_copies; ++i) ASSERT_TRUE((*stream)->CopyOnDevice(bytes + 4, bytes, 4));
    }
    ASSERT_TRUE((*stream)->Synchronize());
    const auto seconds = (*stream)->TakeMarks();
    ASSERT_TRUE(seconds);
    EXPECT_EQ(*seconds, (std::vector<double>{2, 4}));  // the copies, and the mark before them
  }
  const size_t n_live = shim_.n_live();
  for (int call = 0; call < 2; ++call) {  // the event is created, and recorded
    shim_.FailIn(call, 900);
    EXPECT_FALSE((*stream)->Mark());
  }
  EXPECT_EQ(shim_.n_live(), n_live);
}

TEST_F(HipDeviceTest, CopiesThereAndBack) {
  const auto device = Create();
  const auto buffer = device->Allocate(1000, "a test");
  const auto other = device->Allocate(1000, "a test");
  const auto stream = device->CreateStream();
  ASSERT_TRUE(buffer && other && stream);
  EXPECT_EQ((*buffer)->size(), 1000u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>((*buffer)->data()) % 256, 0u);
  std::vector<uint8_t> sent(1000);
  std::iota(sent.begin(), sent.end(), uint8_t{0});
  std::vector<uint8_t> received(700);
  ASSERT_TRUE((*stream)->CopyToDevice((*buffer)->data(), sent.data(), 1000));
  ASSERT_TRUE((*stream)->CopyOnDevice((*other)->data(), static_cast<char*>((*buffer)->data()) + 100, 900));
  ASSERT_TRUE((*stream)->CopyToHost(received.data(), static_cast<char*>((*other)->data()) + 200, 700));
  ASSERT_TRUE((*stream)->CopyToHost(received.data(), nullptr, 0));
  ASSERT_TRUE((*stream)->Synchronize());
  EXPECT_TRUE(std::equal(received.begin(), received.end(), sent.begin() + 300));
}

// Pieces of the upload share two staging buffers; each size ends in another place of them.
TEST_F(HipDeviceTest, WeightsArriveWholeAndUnchanged) {
  const auto device = Create();
  for (const size_t size : {size_t{4}, Uploader::kPieceBytes, 3 * Uploader::kPieceBytes + 20}) {
    std::vector<float> values(size / sizeof(float));
    std::iota(values.begin(), values.end(), 1.0f);
    WeightSource source;
    source.name = "token_embd.weight";
    source.n_rows = 1;
    source.n_cols = static_cast<int64_t>(values.size());
    source.bytes = std::as_bytes(std::span(values));
    source.may_reference = true;
    const uint64_t before = shim_.n_copied_to_device;
    const auto loaded = device->LoadWeight(source);
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    EXPECT_EQ(shim_.n_copied_to_device - before, size);
    EXPECT_EQ(std::memcmp(loaded->view.data, values.data(), size), 0);  // the shim's device memory is the host's
    EXPECT_NE(loaded->view.data, source.bytes.data());
    EXPECT_GE(loaded->storage->size(), size + kReadableBeyond);
    const LoadedWeight described = device->DescribeWeight(source);
    EXPECT_EQ(described.bytes_owned, loaded->bytes_owned);
    EXPECT_EQ(described.view.layout, loaded->view.layout);
    EXPECT_EQ(described.view.n_cols, source.n_cols);
    EXPECT_EQ(described.view.data, nullptr);
  }
}

TEST_F(HipDeviceTest, D02AChipWithoutKernelsIsNamedWithThoseThatHaveThem) {
  shim_.table().targets = "gfx1030 gfx1100 gfx90a:xnack-";
  shim_.name = "Radeon RX 580";
  shim_.arch = "gfx803";
  const Error error = CreateError();
  EXPECT_EQ(error.code, ErrorCode::kDevice);
  EXPECT_THAT(error.ToString(), AllOf(HasSubstr("hip:0: Radeon RX 580 is a gfx803"), HasSubstr("gfx1030 gfx1100")));
  shim_.arch = "gfx90";
  CreateError();
  shim_.arch = "gfx90a:sramecc+:xnack-";
  Create();
}

TEST(HasCodeForTest, AGenericTargetIsCodeForItsFamily) {
  for (const char* arch : {"gfx1100", "gfx1103", "gfx1151", "gfx1153"}) {
    EXPECT_TRUE(HasCodeFor("gfx1030 gfx11-generic", arch)) << arch;
    EXPECT_FALSE(HasCodeFor("gfx1030 gfx12-generic", arch)) << arch;
  }
  EXPECT_TRUE(HasCodeFor("gfx9-generic", "gfx906"));
  EXPECT_TRUE(HasCodeFor("gfx10-3-generic", "gfx1036"));
  EXPECT_TRUE(HasCodeFor("gfx12-generic gfx90a", "gfx1201"));
  // Not of the family, although their names begin so.
  for (const char* arch : {"gfx90a", "gfx942", "gfx908", "gfx1010", "gfx110", "gfx11", "", "gfx1037"}) {
    EXPECT_FALSE(HasCodeFor("gfx9-generic gfx10-3-generic gfx11-generic gfx12-generic", arch)) << arch;
  }
}

TEST_F(HipDeviceTest, D02TwoChipsOfWhichOneHasKernels) {
  shim_.table().targets = "gfx11-generic";
  shim_.n_devices = 2;
  shim_.arch = "gfx1103";
  EXPECT_TRUE(CreateHipDevice(shim_.api(), "hip", 0));
  shim_.arch = "gfx1030";
  const auto other = CreateHipDevice(shim_.api(), "hip", 1);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().ToString(), AllOf(HasSubstr("hip:1: "), HasSubstr("kernels for gfx11-generic only")));
}

TEST_F(HipDeviceTest, D14ADeviceThatComputesWronglyIsRefused) {
  for (const char* op : {"add", "matmul"}) {
    shim_.wrong_op = op;
    const Error error = CreateError();
    EXPECT_EQ(error.code, ErrorCode::kDevice);
    EXPECT_THAT(error.message, HasSubstr("'Shim GPU' (gfx1100)"));
    EXPECT_THAT(error.message, HasSubstr(op[0] == 'a' ? "adds wrongly" : "multiplies matrices wrongly"));
  }
  shim_.wrong_op.clear();
  shim_.has_kernels = false;
  EXPECT_THAT(CreateError().message, HasSubstr("has no kernel for add with F32"));
}

TEST_F(HipDeviceTest, D04EveryCallOfCreationFailsOnce) {
  Create();
  const int n_calls = shim_.n_calls;
  ASSERT_GT(n_calls, 10);
  for (const int code : {kGpuOutOfMemory, 719}) {
    int n_errors = 0;
    for (int n = 0; n < n_calls; ++n) {
      shim_.n_calls = 0;
      shim_.fail_at = n;
      shim_.code = code;
      const auto device = CreateHipDevice(shim_.api(), "hip", 0);
      if (!device) {
        ++n_errors;
        const ErrorCode wanted = code == kGpuOutOfMemory ? ErrorCode::kOutOfMemory : ErrorCode::kDevice;
        EXPECT_EQ(device.error().code, wanted) << n;
      }
    }
    // Not the question for free memory, nor those for two pinned buffers, nor waiting for three streams at their end.
    EXPECT_EQ(n_errors, n_calls - 6);
  }
}

TEST_F(HipDeviceTest, D15MemoryThatIsNotKnown) {
  shim_.claimed_free = shim_.claimed_total + 1;
  EXPECT_EQ(Create()->properties().free_bytes, 0u);
  EXPECT_THAT(log_, HasSubstr("how much memory is free is not known"));
}

TEST_F(HipDeviceTest, D15NoPinnedMemory) {
  shim_.fails_pinned = true;
  Create();
  EXPECT_THAT(log_, HasSubstr("no pinned host memory, copies will be slower"));
}

TEST_F(HipDeviceTest, D03MemoryThatDoesNotSufficeIsAnErrorWithNumbers) {
  const auto device = Create();
  shim_.claimed_free = 5 * kMiB;
  const auto buffer = device->Allocate(shim_.capacity + 1, "KV cache");
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(buffer.error().ToString(),
            "hip:0: cannot allocate 1073741825 bytes for KV cache: 5.0 of 2048.0 MiB are free; a smaller --ctx needs "
            "less");
}

// A launch returns nothing: what went wrong shows when the stream is waited for, once.
TEST_F(HipDeviceTest, ALaunchErrorShowsAtSynchronize) {
  const auto device = Create();
  const auto stream = device->CreateStream();
  const auto buffer = device->Allocate(4, "a test");
  ASSERT_TRUE(stream && buffer);
  const TensorView one{(*buffer)->data(), Format::kF32, 1, 1, 1};
  const auto& entry = device->kernels().add.Get(Format::kF32);
  FailNext(98);
  entry.launch((*stream)->native(), {one, one, one});
  entry.launch((*stream)->native(), {one, one, one});
  const Status failed = (*stream)->Synchronize();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kDevice);
  EXPECT_EQ(failed.error().ToString(),
            "hip:0: HIP failed at starting a kernel: hipErrorUnknown (98), as the test wants it");
  EXPECT_TRUE((*stream)->Synchronize());
}

// After such an error the runtime may go on answering, but nothing that the device says is worth anything.
TEST_F(HipDeviceTest, AFatalErrorLosesTheDevice) {
  const auto device = Create();
  const auto stream = device->CreateStream();
  const auto buffer = device->Allocate(4, "a test");
  ASSERT_TRUE(stream && buffer);
  FailNext(700);
  const Status failed = (*stream)->Synchronize();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, AllOf(HasSubstr("running what was queued: hipErrorIllegalAddress (700)"),
                                            HasSubstr("restart the program")));
  for (const Status& status : {(*stream)->Synchronize(), (*stream)->CopyToDevice((*buffer)->data(), &shim_, 4)}) {
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message, HasSubstr("the device was lost earlier by hipErrorIllegalAddress (700)"));
  }
  EXPECT_FALSE(device->Allocate(4, "a test"));
  EXPECT_FALSE(device->CreateStream());
}

TEST_F(HipDeviceTest, TheDefaultStreamIsRefused) {
  shim_.table().create_stream = [](int32_t, void** stream) {
    *stream = nullptr;
    return 0;
  };
  EXPECT_THAT(CreateError().message, HasSubstr("default stream"));
}

}  // namespace
}  // namespace rf::hip
