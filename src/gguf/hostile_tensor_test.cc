// Broken tensor records and sparse files. Names begin with the row of the acceptance catalogue that the test covers.
#include <gtest/gtest.h>

#include <filesystem>

#include "gguf/reader.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/test_util/refusal.h"
#include "gguf/test_util/temp_folder.h"

namespace rf {
namespace {

constexpr uint32_t kF32 = 0, kQ8_0 = 8, kQ4_K = 12, kI8 = 24;

const RawGguf& Base() {
  static const RawGguf base = RawBaseModel();
  return base;
}

const RawImage& BaseImage() {
  static const RawImage image = Base().Image();
  return image;
}

// The base file with one more tensor 't' that has no data.
RawGguf WithTensor(std::vector<uint64_t> ne, uint32_t type) {
  RawGguf raw = Base();
  raw.tensors.push_back({"t", std::move(ne), type, {}, {}});
  return raw;
}

TEST(GgufTensors, G09NoTensors) {
  RawGguf raw = Base();
  raw.tensors.clear();
  ExpectRefusedBytes(raw.Bytes(), {"no tensors"});
  GgufOptions options;
  options.vocab_only_ok = true;
  ExpectAccepted(raw.Bytes(), {}, options);
}

TEST(GgufTensors, TensorCount) {
  for (const uint64_t n : {UINT64_MAX, uint64_t{1} << 63, uint64_t{1} << 32})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("n_tensors", n).bytes,
                       {"n_tensors " + std::to_string(n), "more than file can hold"});
  ExpectRefusedBytes(RawImage(BaseImage()).Patch<uint64_t>("n_tensors", 21).bytes, {"tensor #20"});
  GgufOptions options;
  options.limits.n_tensors = 20;
  ExpectAccepted(BaseImage().bytes, {}, options);
  options.limits.n_tensors = 19;
  ExpectRefusedBytes(BaseImage().bytes, {"n_tensors 20 is over the limit of 19"}, ErrorCode::kCorruptFile, options);
}

TEST(GgufTensors, G21DimensionCount) {
  for (const uint32_t n : {5u, 255u, UINT32_MAX})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("tensor[0].n_dims", n).bytes,
                       {"tensor 'token_embd.weight' has " + std::to_string(n) + " dimensions (max 4)"});
  ExpectRefusedBytes(RawImage(BaseImage()).Patch<uint32_t>("tensor[0].n_dims", 0).bytes,
                     {"tensor 'token_embd.weight' has 0 dimensions"});
}

TEST(GgufTensors, G22SizeOverflow) {
  const uint64_t two31 = uint64_t{1} << 31, two32 = uint64_t{1} << 32, two40 = uint64_t{1} << 40;
  const std::vector<std::vector<uint64_t>> shapes = {
      {two32, two32},         {(uint64_t{1} << 42) + 1, 1}, {(uint64_t{1} << 42) + 1, (uint64_t{1} << 42) + 1},
      {uint64_t{1} << 63, 1}, {two31, two31, 2, 1},         {two40 + 1},
      {two31, two31},  // 2^62 elements fit, their 2^64 bytes do not
  };
  for (const auto& ne : shapes) ExpectRefusedBytes(WithTensor(ne, kF32).Bytes(), {"size of tensor 't' overflows"});
  RawGguf raw = WithTensor({(uint64_t{1} << 63) - 64}, kI8);
  raw.tensors.push_back(raw.tensors.back());
  raw.tensors.back().name = "u";
  ExpectRefusedBytes(raw.Bytes(), {"size of tensor 't' overflows"});
  // The largest sizes that the arithmetic holds are refused for the file's size.
  ExpectRefusedBytes(WithTensor({two40, (uint64_t{1} << 22)}, kI8).Bytes(), {"data of tensor 't'", "file size"});
}

TEST(GgufTensors, G23NegativeDimension) {
  for (const int64_t dim : {int64_t{-1}, INT64_MIN})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("tensor[0].ne[1]", dim).bytes,
                       {"tensor 'token_embd.weight'", "dimension 1 is " + std::to_string(dim), "negative"});
  ExpectRefusedBytes(RawImage(BaseImage()).Patch<int64_t>("tensor[0].ne[1]", 0).bytes,
                     {"tensor 'token_embd.weight' has dimension 1 of 0"});
}

TEST(GgufTensors, G25RowThatIsNoMultipleOfTheBlock) {
  ExpectRefusedBytes(WithTensor({255, 2}, kQ4_K).Bytes(), {"tensor 't'", "row of 255 is not a multiple of block 256"});
  ExpectRefusedBytes(WithTensor({31, 32}, kQ8_0).Bytes(), {"tensor 't'", "row of 31 is not a multiple of block 32"});
}

TEST(GgufTensors, G26UnknownType) {
  for (const uint32_t type : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 43u, UINT32_MAX, 1u << 31})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("tensor[0].type", type).bytes,
                       {"tensor 'token_embd.weight' has unknown type id " + std::to_string(type)});
}

TEST(GgufTensors, G29OffsetOutsideTheFile) {
  const uint64_t size = BaseImage().bytes.size();
  for (const uint64_t offset : {size / 32 * 32, uint64_t{1} << 63, UINT64_MAX - 31}) {
    const std::string image = RawImage(BaseImage()).Patch("tensor[19].offset", offset).bytes;
    ExpectRefusedBytes(image, {"data of tensor 'output_norm.weight'", "offset " + std::to_string(offset), "size 1024",
                               "file size of " + std::to_string(size)});
  }
  ExpectRefusedBytes(RawImage(BaseImage()).Patch("tensor[19].offset", size - 1).bytes, {"not aligned to 32"});
}

TEST(GgufTensors, G30OffsetThatIsNotAligned) {
  for (const uint64_t offset : {1, 16, 31, 33})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("tensor[1].offset", offset).bytes,
                       {"tensor 'blk.0.attn_norm.weight': offset " + std::to_string(offset) + " is not aligned to 32"});
}

TEST(GgufTensors, G31Overlap) {
  RawGguf raw = Base();
  raw.tensors[1].offset = 0;  // the same first byte as token_embd
  ExpectRefusedBytes(raw.Bytes(), {"tensors 'token_embd.weight' and 'blk.0.attn_norm.weight' overlap"});
  raw.tensors[1].offset = raw.tensors[0].data.size() - 32;  // the last 32 bytes
  ExpectRefusedBytes(raw.Bytes(), {"tensors 'token_embd.weight' and 'blk.0.attn_norm.weight' overlap"});
}

TEST(GgufTensors, TensorsInAnyOrderInTheFile) {
  RawGguf raw = Base();  // the offsets of two norms of the same size, exchanged
  const RawImage image = raw.Image();
  uint64_t first, second;
  std::memcpy(&first, &image.bytes[image.at.at("tensor[1].offset")], 8);
  std::memcpy(&second, &image.bytes[image.at.at("tensor[6].offset")], 8);
  raw.tensors[1].offset = second;
  raw.tensors[6].offset = first;
  ExpectAccepted(raw.Bytes(), [&](const GgufFile& file) {
    EXPECT_TRUE(file.warnings().empty());
    std::string bytes(1024, '\0');
    ASSERT_TRUE(file.ReadTensor(1, std::as_writable_bytes(std::span(bytes))).has_value());
    EXPECT_EQ(bytes, raw.tensors[6].data);
  });
}

TEST(GgufTensors, G33TrailingBytes) {
  ExpectAccepted(BaseImage().bytes + "x", [](const GgufFile& file) {
    ASSERT_EQ(file.warnings().size(), 1u);
    EXPECT_NE(file.warnings()[0].find("1 bytes after the last tensor"), std::string::npos) << file.warnings()[0];
  });
  const TempFolder folder;
  const std::string path = folder.Put("b.gguf", BaseImage().bytes);
  std::filesystem::resize_file(path, BaseImage().bytes.size() + (uint64_t{1} << 30));
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.has_value()) << file.error().ToString();
  EXPECT_EQ(file->warnings().size(), 1u);
}

TEST(GgufTensors, GapsBetweenTensors) {
  RawGguf raw = Base();
  raw.tensors[0].data += std::string(64, 'g');
  ExpectAccepted(raw.Bytes(), [](const GgufFile& file) {
    ASSERT_EQ(file.warnings().size(), 1u);
    EXPECT_NE(file.warnings()[0].find("64 bytes between tensors"), std::string::npos) << file.warnings()[0];
  });
}

TEST(GgufTensors, PaddingOfTheLastTensorMayLack) {
  RawGguf raw = WithTensor({3}, kF32);
  raw.tensors.back().data = std::string(12, '\0');
  std::string bytes = raw.Bytes();
  ExpectAccepted(bytes, [](const GgufFile& file) { EXPECT_TRUE(file.warnings().empty()); });
  bytes.resize(bytes.size() - 20);
  ExpectAccepted(bytes, [](const GgufFile& file) { EXPECT_TRUE(file.warnings().empty()); });
  bytes.pop_back();
  ExpectRefusedBytes(bytes, {"truncated at data of tensor 't'"});
}

TEST(GgufTensors, G35Names) {
  const auto renamed = [](const std::string& name) {
    RawGguf raw = Base();
    raw.tensors[4].name = name;
    return raw;
  };
  ExpectRefusedBytes(renamed("blk.0.attn_q.weight").Bytes(),
                     {"duplicate tensor name 'blk.0.attn_q.weight' (#2 and #4)"});
  ExpectRefusedBytes(renamed("").Bytes(), {"tensor #4 has an empty name"});
  ExpectAccepted(renamed(std::string(63, 'n')).Bytes());
  ExpectRefusedBytes(renamed(std::string(64, 'n')).Bytes(), {"tensor #4 has a name of 64 bytes (max 63)"});
  ExpectRefusedBytes(RawImage(BaseImage()).Patch("tensor[4].name_length", uint64_t{1} << 40).bytes,
                     {"tensor #4 has a name of 1099511627776 bytes (max 63)"});
  ExpectRefusedBytes(renamed(std::string("a\0b", 3)).Bytes(), {"name of tensor #4 'a\\x00b'"});
  // A name is never used as a path: this one is only unknown.
  ExpectAccepted(renamed("../../x").Bytes(),
                 [](const GgufFile& file) { EXPECT_EQ(file.FindTensor("../../x"), size_t{4}); });
}

TEST(GgufTensors, G51SparseFileWithAHugeToken) {
  RawGguf raw;
  const uint64_t n = (uint64_t{1} << 31) + 1;
  std::string value;
  PutRaw<uint32_t>(value, 8);
  PutRaw<uint64_t>(value, 1);
  PutRaw<uint64_t>(value, n);
  raw.kvs.push_back({"tokenizer.ggml.tokens", 9, value});
  raw.n_tensors = 1;
  const TempFolder folder;
  const std::string path = folder.Put("b.gguf", raw.Bytes());
  std::filesystem::resize_file(path, uint64_t{1} << 32);
  ExpectRefused(path, {"'tokenizer.ggml.tokens' at index 0", "string of 2147483649 bytes", "limit of 16777216"});
}

TEST(GgufTensors, VerifyFindsWhatIsNotFinite) {
  const TempFolder folder;
  const auto verify = [&](const std::string& bytes) {
    GgufOptions options;
    options.verify = true;
    return GgufFile::Open(folder.Put("b.gguf", bytes), options);
  };
  const size_t data = BaseImage().at.at("data");
  std::string bytes = BaseImage().bytes;
  const uint16_t infinity = 0x7c00;
  std::memcpy(&bytes[data + 3 * 272 + 34], &infinity, 2);  // scale of the second Q8_0 block in row 3 of token_embd
  auto file = verify(bytes);
  ASSERT_FALSE(file.has_value());
  EXPECT_NE(file.error().message.find("tensor 'token_embd.weight' has a value that is not finite in row 3"),
            std::string::npos)
      << file.error().message;
  EXPECT_TRUE(verify(BaseImage().bytes).has_value());
}

}  // namespace
}  // namespace rf
