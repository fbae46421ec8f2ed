// The writer against independent code: files of the Python package `gguf` and the raw builder of the tests.
#include "gguf/writer.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/half.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/test_util/temp_folder.h"

namespace rf {
namespace {

const std::string kReference = std::string(RF_SOURCE_DIR) + "/tests/data/gguf/reference.gguf";

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string AsString(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <typename T>
std::vector<T> TensorAs(const GgufFile& file, std::string_view name) {
  const auto index = file.FindTensor(name);
  EXPECT_TRUE(index.has_value()) << name;
  const auto bytes = file.TensorBytes(*index);
  EXPECT_TRUE(bytes.has_value());
  std::vector<T> out(bytes->size() / sizeof(T));
  std::memcpy(out.data(), bytes->data(), bytes->size());
  return out;
}

// Values 0, 1, … n - 1.
template <typename T>
std::vector<T> Count(int n) {
  std::vector<T> out;
  for (int i = 0; i < n; ++i) out.push_back(static_cast<T>(i));
  return out;
}

class GgufReference : public testing::Test {
 protected:
  void SetUp() override {
    auto file = GgufFile::Open(kReference);
    ASSERT_TRUE(file.has_value()) << file.error().ToString();
    file_.emplace(std::move(file).value());
  }
  std::optional<GgufFile> file_;
};

TEST_F(GgufReference, Scalars) {
  const GgufMetadata& keys = file_->metadata();
  EXPECT_EQ(keys.Find("scalar.u8")->type(), GgufType::kU8);
  EXPECT_EQ(keys.Find("scalar.u8")->AsU64(), 200u);
  EXPECT_EQ(keys.Find("scalar.i8")->AsI64(), -100);
  EXPECT_EQ(keys.Find("scalar.u16")->AsU64(), 60000u);
  EXPECT_EQ(keys.Find("scalar.i16")->AsI64(), -30000);
  EXPECT_EQ(*keys.GetU32("scalar.u32"), 4000000000u);
  EXPECT_EQ(*keys.GetI32("scalar.i32"), -2000000000);
  EXPECT_EQ(*keys.GetF32("scalar.f32"), 0.1f);
  EXPECT_EQ(*keys.GetU64("scalar.u64"), (uint64_t{1} << 63) + 1);
  EXPECT_EQ(*keys.GetI64("scalar.i64"), INT64_MIN);
  EXPECT_EQ(keys.Find("scalar.f64")->AsF64(), 0.1);
  EXPECT_TRUE(*keys.GetBool("scalar.true"));
  EXPECT_FALSE(*keys.GetBool("scalar.false"));
  EXPECT_EQ(*keys.GetString("scalar.string"), "grüße\n");
  EXPECT_EQ(*keys.GetString("general.architecture"), "reference");
}

TEST_F(GgufReference, Arrays) {
  const GgufMetadata& keys = file_->metadata();
  EXPECT_EQ(*keys.GetU32Array("array.u8"), (std::vector<uint32_t>{1, 2, 3}));
  EXPECT_EQ(*keys.GetI32Array("array.i32"), (std::vector<int32_t>{-1, 0, 1}));
  EXPECT_EQ(*keys.GetF32Array("array.f32"), (std::vector<float>{0.5f, -2.25f}));
  EXPECT_EQ(*keys.GetBoolArray("array.bool"), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(keys.Find("array.u64")->AsU64(0), UINT64_MAX);
  EXPECT_EQ(keys.Find("array.f64")->AsF64(0), 1e300);
  EXPECT_EQ((*keys.GetStringArray("array.string"))->ToVector(),
            (std::vector<std::string>{"", "a", "<s>", "\u2581the"}));
}

TEST_F(GgufReference, Tensors) {
  EXPECT_EQ(file_->shards()[0].alignment, 64u);
  const auto shape = [&](std::string_view name) { return file_->tensors()[*file_->FindTensor(name)].shape; };
  EXPECT_EQ(shape("f32.vector"), (std::vector<int64_t>{5}));
  EXPECT_EQ(shape("f16.matrix"), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(shape("i32.cube"), (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(shape("i8.four"), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(shape("q8_0.matrix"), (std::vector<int64_t>{2, 64}));
  EXPECT_EQ(TensorAs<float>(*file_, "f32.vector"), Count<float>(5));
  EXPECT_EQ(TensorAs<int32_t>(*file_, "i32.cube"), Count<int32_t>(24));
  EXPECT_EQ(TensorAs<int8_t>(*file_, "i8.four"), Count<int8_t>(24));
  const auto halves = TensorAs<uint16_t>(*file_, "f16.matrix");
  ASSERT_EQ(halves.size(), 6u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(HalfToFloat(halves[i]), static_cast<float>(i));
  // The last block holds 96 … 127: its scale is 127/127 and the last weight 127.
  const auto blocks = TensorAs<int8_t>(*file_, "q8_0.matrix");
  ASSERT_EQ(blocks.size(), 4u * 34);
  EXPECT_EQ(blocks.back(), 127);
  EXPECT_EQ(blocks[3 * 34 + 2], 96);
}

TEST_F(GgufReference, RewritingGivesTheSameBytes) {
  const auto contents = ContentsOf(*file_);
  ASSERT_TRUE(contents.has_value());
  const auto bytes = SerializeGguf(*contents);
  ASSERT_TRUE(bytes.has_value()) << bytes.error().ToString();
  EXPECT_TRUE(AsString(*bytes) == ReadAll(kReference));
}

TEST(GgufWriter, SameBytesAsTheRawBuilder) {
  const BaseModel model = MakeBaseModel();
  const auto bytes = SerializeGguf(model.contents);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_TRUE(AsString(*bytes) == RawFrom(model.contents).Bytes());
}

TEST(GgufWriter, FilesOfEveryVersionAndAlignmentComeBackTheSame) {
  const TempFolder folder;
  for (const uint32_t version : {2u, 3u}) {
    for (const uint32_t alignment : {32u, 64u, 4096u}) {
      BaseModel model = MakeBaseModel();
      model.contents.version = version;
      model.contents.metadata.Set("general.alignment", GgufValue::Scalar(alignment));
      const std::string path = folder.Path("b.gguf");
      ASSERT_TRUE(WriteGguf(model.contents, path).has_value());
      const auto file = GgufFile::Open(path);
      ASSERT_TRUE(file.has_value()) << file.error().ToString();
      EXPECT_EQ(file->shards()[0].version, version);
      for (const GgufTensor& tensor : file->tensors()) EXPECT_EQ(tensor.file_offset % alignment, 0u);
      const auto contents = ContentsOf(*file);
      ASSERT_TRUE(contents.has_value());
      EXPECT_EQ(contents->metadata.entries().size(), model.contents.metadata.entries().size());
      const auto again = SerializeGguf(*contents);
      ASSERT_TRUE(again.has_value());
      EXPECT_TRUE(AsString(*again) == ReadAll(path));
    }
  }
}

TEST(GgufWriter, RefusesWhatTheFormatCannotHold) {
  const auto message = [](const std::function<void(BaseModel&)>& change) {
    BaseModel model = MakeBaseModel();
    change(model);
    const auto bytes = SerializeGguf(model.contents);
    EXPECT_FALSE(bytes.has_value());
    return bytes ? std::string() : bytes.error().message;
  };
  EXPECT_EQ(message([](BaseModel& model) { model.contents.tensors[3].name = model.contents.tensors[1].name; }),
            "duplicate tensor name 'blk.0.attn_norm.weight'");
  EXPECT_EQ(message([](BaseModel& model) { model.contents.tensors[1].bytes = {}; }),
            "tensor 'blk.0.attn_norm.weight' needs 1024 bytes, 0 are given");
  EXPECT_EQ(message([](BaseModel& model) {
              model.contents.tensors[0].shape = {1, 1, 1, 1, 1};
            }),
            "tensor 'token_embd.weight' has 5 dimensions (max 4)");
  EXPECT_EQ(message([](BaseModel& model) { model.contents.tensors[0].shape = {0}; }),
            "tensor 'token_embd.weight' has a dimension of 0");
  EXPECT_EQ(message([](BaseModel& model) { model.contents.tensors[0].shape = {31}; }),
            "tensor 'token_embd.weight' of type Q8_0: row of 31 is not a multiple of block 32");
  EXPECT_EQ(message([](BaseModel& model) { model.contents.tensors[0].format = Format::kMXFP6_E2M3; }),
            "tensor 'token_embd.weight': GGUF has no type MXFP6_E2M3");
  EXPECT_EQ(message([](BaseModel& model) { model.contents.tensors[0].name = std::string(64, 'n'); }).substr(0, 13),
            "tensor name '");
  EXPECT_EQ(message([](BaseModel& model) {
              model.contents.metadata.Set("general.alignment", GgufValue::Scalar<uint32_t>(3));
            }),
            "key 'general.alignment' must be a u32 power of two");
  EXPECT_EQ(message([](BaseModel& model) { model.contents.version = 1; }), "version 1 not supported (2-3)");
}

TEST(GgufWriter, AFailedWriteLeavesTheOldFileAlone) {
  const TempFolder folder;
  const BaseModel model = MakeBaseModel();
  FaultPlan count;
  const Syscalls counting = FaultyCalls(RealSyscalls(), count);
  ASSERT_TRUE(WriteGguf(model.contents, folder.Path("probe.gguf"), &counting).has_value());
  std::filesystem::remove(folder.Path("probe.gguf"));
  const std::string path = folder.Put("b.gguf", "the old file");
  for (int n = 0; n < count.n_calls; ++n) {
    FaultPlan plan{.fail_at = n, .error_number = ENOSPC};
    const Syscalls faulty = FaultyCalls(RealSyscalls(), plan);
    const Status status = WriteGguf(model.contents, path, &faulty);
    ASSERT_FALSE(status.has_value()) << "call " << n;
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
    EXPECT_NE(status.error().message.find("No space left"), std::string::npos) << status.error().message;
    EXPECT_EQ(ReadAll(path), "the old file");
    const auto n_files = std::distance(std::filesystem::directory_iterator(folder.Path("")), {});
    EXPECT_EQ(n_files, 1) << "a temporary file is left after call " << n;
  }
}

TEST(GgufWriter, InterruptionsAndShortWritesAreRetried) {
  const TempFolder folder;
  const BaseModel model = MakeBaseModel();
  for (int n = 0; n < 20; ++n) {
    FaultPlan plan{.fail_at = n, .n_failures = 2, .error_number = EINTR, .max_bytes = 12'345};
    const Syscalls faulty = FaultyCalls(RealSyscalls(), plan);
    ASSERT_TRUE(WriteGguf(model.contents, folder.Path("b.gguf"), &faulty).has_value());
    EXPECT_TRUE(ReadAll(folder.Path("b.gguf")) == BaseModelBytes());
  }
}

}  // namespace
}  // namespace rf
