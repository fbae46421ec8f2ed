#include "cpu/cpu_device.h"

#include <chrono>
#include <cstring>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/test_util/failing_threads.h"
#include "cpu/isa.h"
#include "ops/tensor.h"

namespace rf::cpu {
namespace {

using testing::HasSubstr;

std::unique_ptr<Device> MakeDevice(const char* isa) {
  return std::move(CreateCpuDevice({1, isa}).value());
}

// [n_rows, 32] of one format, for an op.
WeightSource SourceOf(const std::vector<std::byte>& bytes, Format format, int64_t n_rows, OpId op, bool may_reference) {
  return {"blk.0.weight", format, 1, n_rows, 32, bytes, op, may_reference};
}

TEST(CpuDevice, AllocationThatCannotSucceedSaysWhatItWasFor) {
  const auto buffer = MakeDevice("generic")->Allocate(SIZE_MAX, "KV cache");
  ASSERT_FALSE(buffer.has_value());
  EXPECT_EQ(buffer.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(buffer.error().message, HasSubstr("KV cache"));
  EXPECT_THAT(buffer.error().message, HasSubstr("18446744073709551615 bytes"));
}

TEST(CpuDevice, BuffersAreAlignedAndMayBeEmpty) {
  const std::unique_ptr<Device> device = MakeDevice("generic");
  for (size_t size : {size_t{0}, size_t{1}, size_t{257}, size_t{3} << 20}) {
    const auto buffer = device->Allocate(size, "test");
    ASSERT_TRUE(buffer.has_value());
    EXPECT_EQ((*buffer)->size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>((*buffer)->data()) % 256, 0u);
  }
}

TEST(CpuDevice, RefusesThreadCountsThatMakeNoSense) {
  for (int n_threads : {-1, 1025}) {
    const auto device = CreateCpuDevice({n_threads, "generic"});
    ASSERT_FALSE(device.has_value());
    EXPECT_EQ(device.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(device.error().message, HasSubstr(std::to_string(n_threads)));
  }
}

// Workspaces are sized by this number, so it must be that of the threads that run.
TEST(CpuDevice, NamesTheThreadsThatCouldBeStarted) {
  const FailingThreads failing(2);
  const auto device = CreateCpuDevice({8, "generic"});
  ASSERT_TRUE(device.has_value());
  EXPECT_EQ((*device)->properties().n_threads, 3);
}

// What the device logs while it is created.
std::string WarningOf(const CpuDeviceOptions& options) {
  std::string warning;
  SetLogSink([&](LogLevel, std::string_view line) { warning += line; });
  EXPECT_TRUE(CreateCpuDevice(options).has_value());
  SetLogSink({});
  return warning;
}

TEST(CpuDevice, SaysWhereBFloat16HasNoEffect) {
  for (const char* isa : {"reference", "generic"}) {
    const CpuDeviceOptions options{1, isa, Precision::kBFloat16};
    EXPECT_THAT(WarningOf(options), testing::StartsWith("--activations bf16 has no effect: it needs AMX")) << isa;
    const auto device = std::move(CreateCpuDevice(options).value());
    EXPECT_THAT(device->kernels().matmul.Get(Format::kQ4_0).name, testing::Not(HasSubstr("bf16"))) << isa;
  }
  EXPECT_EQ(WarningOf({1, "generic", Precision::kExact}), "");
}

// A device of either precision beside the other: nothing is global.
TEST(CpuDevice, NamesTheKernelsInBFloat16) {
  const auto rounded = CreateCpuDevice({1, "amx", Precision::kBFloat16});
  if (!rounded) GTEST_SKIP() << rounded.error().message;
  const std::unique_ptr<Device> exact = MakeDevice("amx");
  EXPECT_STREQ((*rounded)->kernels().matmul.Get(Format::kQ4_0).name, "amx/matmul_Q4_0_bf16");
  EXPECT_STREQ((*rounded)->kernels().matmul.Get(Format::kF32).name, "amx/matmul_F32");
  EXPECT_STREQ((*rounded)->kernels().attention.Get(Format::kF16).name, "amx/attention_F16_bf16");
  EXPECT_STREQ(exact->kernels().matmul.Get(Format::kQ4_0).name, "amx/matmul_Q4_0");
  EXPECT_STREQ(exact->kernels().attention.Get(Format::kF16).name, "amx/attention_F16");
}

// A compiler that left the products out would make them take no time.
TEST(CpuDevice, MultipliesWhatItSaysForThePeak) {
  constexpr double kMost = 16e12;  // operations per second of a core: four times what tiles of bfloat16 reach
  for (const Isa& isa : AllIsas()) {
    if (!isa.is_supported) continue;
    const std::unique_ptr<Device> device = MakeDevice(isa.name.data());
    const auto stream = std::move(device->CreateStream().value());
    const int64_t of_one = device->QueueMatrixProducts(*stream, 1);
    EXPECT_EQ(of_one == 0, isa.name == "reference") << isa.name;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(device->QueueMatrixProducts(*stream, 100), 100 * of_one) << isa.name;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    EXPECT_GE(elapsed.count(), static_cast<double>(100 * of_one) / kMost) << isa.name;
  }
}

TEST(CpuDevice, WeightsOfProductsArePackedAndOwned) {
  const std::vector<std::byte> bytes(7 * 18);
  const auto loaded = MakeDevice("generic")->LoadWeight(SourceOf(bytes, Format::kQ4_0, 7, OpId::kMatMul, true));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_NE(loaded->view.layout, kFileLayout);
  EXPECT_NE(loaded->storage, nullptr);
  EXPECT_EQ(loaded->bytes_owned, 16u * 18u) << "one panel of 16 rows";
}

TEST(CpuDevice, WeightsStayWhereTheyLieIfNothingIsPacked) {
  const std::vector<std::byte> bytes(7 * 18);
  const auto device = std::move(CreateCpuDevice({.n_threads = 1, .isa = "generic", .packs_weights = false}).value());
  const auto mapped = device->LoadWeight(SourceOf(bytes, Format::kQ4_0, 7, OpId::kMatMul, true));
  EXPECT_EQ(mapped->view.layout, kFileLayout);
  EXPECT_EQ(mapped->view.data, bytes.data());
  EXPECT_EQ(mapped->bytes_owned, 0u);
  const auto read = device->LoadWeight(SourceOf(bytes, Format::kQ4_0, 7, OpId::kMatMul, false));
  EXPECT_EQ(read->view.layout, kFileLayout);
  EXPECT_EQ(read->bytes_owned, bytes.size()) << "what the file was read into does not stay";
}

TEST(CpuDevice, TheReferenceReadsTheFilesLayout) {
  const std::vector<std::byte> bytes(7 * 18);
  const auto loaded = MakeDevice("reference")->LoadWeight(SourceOf(bytes, Format::kQ4_0, 7, OpId::kMatMul, true));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->view.data, bytes.data());
  EXPECT_EQ(loaded->bytes_owned, 0u);
}

TEST(CpuDevice, WhatIsNotPackedIsReferencedOnlyIfItMayBe) {
  const std::unique_ptr<Device> device = MakeDevice("generic");
  std::vector<std::byte> bytes(32 * 4);
  bytes[5] = std::byte{42};
  const auto referenced = device->LoadWeight(SourceOf(bytes, Format::kF32, 1, OpId::kRmsNorm, true));
  EXPECT_EQ(referenced->view.data, bytes.data());
  EXPECT_EQ(referenced->bytes_owned, 0u);
  const auto copied = device->LoadWeight(SourceOf(bytes, Format::kF32, 1, OpId::kRmsNorm, false));
  EXPECT_NE(copied->view.data, bytes.data());
  EXPECT_EQ(copied->bytes_owned, bytes.size());
  EXPECT_EQ(memcmp(copied->view.data, bytes.data(), bytes.size()), 0);
  const auto bias = device->LoadWeight(SourceOf(bytes, Format::kF32, 1, OpId::kMatMul, true));
  EXPECT_EQ(bias->view.layout, kFileLayout) << "a product's bias is read as it is";
}

TEST(CpuDevice, FindsTheFirstDamagedByte) {
  const std::unique_ptr<Device> device = MakeDevice("generic");
  std::vector<std::byte> bytes(33 * 18, std::byte{3});
  for (const OpId op : {OpId::kMatMul, OpId::kEmbed}) {  // packed, and as it is
    const WeightSource source = SourceOf(bytes, Format::kQ4_0, 33, op, false);
    const auto loaded = device->LoadWeight(source);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(device->FindDamage(*loaded, source).value(), std::nullopt);
    auto* held = static_cast<std::byte*>(loaded->storage->data());
    held[500] ^= std::byte{16};
    EXPECT_EQ(device->FindDamage(*loaded, source).value(), 500u);
    held[7] ^= std::byte{1};
    EXPECT_EQ(device->FindDamage(*loaded, source).value(), 7u);
  }
  const WeightSource mapped = SourceOf(bytes, Format::kQ4_0, 33, OpId::kEmbed, true);
  EXPECT_EQ(device->FindDamage(device->LoadWeight(mapped).value(), mapped).value(), std::nullopt);
}

// A file with general.alignment 1 may have F32 tensors at odd addresses.
TEST(CpuDevice, MisalignedPlainWeightsAreCopied) {
  std::vector<std::byte> bytes(32 * 4 + 1);
  const WeightSource source{"norm", Format::kF32, 1, 1, 32, std::span(bytes).subspan(1), OpId::kRmsNorm, true};
  for (const char* isa : {"reference", "generic"}) {
    const auto loaded = MakeDevice(isa)->LoadWeight(source);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(loaded->view.data) % alignof(float), 0u);
    EXPECT_EQ(memcmp(loaded->view.data, source.bytes.data(), source.bytes.size()), 0);
  }
}

}  // namespace
}  // namespace rf::cpu
