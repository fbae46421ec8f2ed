// Broken headers and metadata. Names begin with the row of the acceptance catalogue that the test covers.
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "gguf/reader.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/test_util/refusal.h"

namespace rf {
namespace {

constexpr uint64_t kTwo63 = uint64_t{1} << 63;
constexpr uint64_t kAllOnes = UINT64_MAX;

const RawGguf& Base() {
  static const RawGguf base = RawBaseModel();
  return base;
}

const RawImage& BaseImage() {
  static const RawImage image = Base().Image();
  return image;
}

std::string U32Value(uint32_t value) {
  std::string out;
  PutRaw(out, value);
  return out;
}

std::string ArrayHead(uint32_t type, uint64_t n) {
  std::string out;
  PutRaw(out, type);
  PutRaw(out, n);
  return out;
}

RawGguf WithKv(RawKv kv) {
  RawGguf raw = Base();
  raw.kvs.push_back(std::move(kv));
  return raw;
}

TEST(GgufHeader, BaseFileIsAccepted) {
  EXPECT_LT(BaseImage().bytes.size(), size_t{2} << 20);
  ExpectAccepted(BaseImage().bytes, [](const GgufFile& file) {
    EXPECT_EQ(file.tensors().size(), 20u);
    EXPECT_EQ(file.metadata().entries().size(), 24u);
    EXPECT_TRUE(file.warnings().empty());
  });
}

TEST(GgufHeader, G01EmptyFile) {
  ExpectRefusedBytes("", {"file is empty", "b.gguf"});
}

TEST(GgufHeader, G02ShortHeader) {
  for (const size_t n : {1, 3, 4, 7, 23})
    ExpectRefusedBytes(BaseImage().bytes.substr(0, n), {"truncated header: " + std::to_string(n) + " of 24 bytes"});
}

TEST(GgufHeader, WrongMagic) {
  RawGguf raw = Base();
  raw.magic = "GGU\n";
  ExpectRefusedBytes(raw.Bytes(), {"not a GGUF file", "GGU\\n"});
  ExpectRefusedBytes("PK", {"not a GGUF file"});
}

TEST(GgufHeader, G05Version) {
  for (const uint32_t version : {0u, 1u, 4u, UINT32_MAX})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("version", version).bytes,
                       {"version " + std::to_string(version) + " not supported (2-3)", "byte 4"},
                       ErrorCode::kUnsupported);
}

TEST(GgufHeader, Version2IsAccepted) {
  ExpectAccepted(RawImage(BaseImage()).Patch<uint32_t>("version", 2).bytes,
                 [](const GgufFile& file) { EXPECT_EQ(file.shards()[0].version, 2u); });
}

TEST(GgufHeader, G06BigEndian) {
  for (const uint32_t version : {2u, 3u})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("version", __builtin_bswap32(version)).bytes, {"big-endian file"},
                       ErrorCode::kUnsupported);
}

TEST(GgufHeader, G07KeyCount) {
  for (const uint64_t n : {kAllOnes, kTwo63, uint64_t{1} << 32})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("n_kv", n).bytes,
                       {"n_kv " + std::to_string(n), "more than file can hold"});
  const uint64_t real = Base().kvs.size();
  ExpectRefusedBytes(RawImage(BaseImage()).Patch("n_kv", real + 1).bytes, {"#"});  // some key or tensor is named
  // The last key, a bool, is taken for a tensor of 7 dimensions.
  ExpectRefusedBytes(RawImage(BaseImage()).Patch("n_kv", real - 1).bytes,
                     {"tensor 'tokenizer.ggml.add_bos_token' has 7 dimensions (max 4)"});
}

TEST(GgufHeader, KeyCountLimit) {
  RawGguf raw = Base();
  GgufOptions options;
  options.limits.n_kv = raw.kvs.size();
  ExpectAccepted(raw.Bytes(), {}, options);
  options.limits.n_kv -= 1;
  ExpectRefusedBytes(raw.Bytes(), {"n_kv 24 is over the limit of 23"}, ErrorCode::kCorruptFile, options);
}

TEST(GgufHeader, G10KeyLength) {
  const uint64_t remaining = BaseImage().bytes.size() - 32;
  for (const uint64_t n : {kAllOnes, kTwo63, uint64_t{65'536}, remaining + 1})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("kv[0].key_length", n).bytes,
                       {"key #0 length " + std::to_string(n) + " at byte 24"});
}

TEST(GgufHeader, KeyOfTheLongestLength) {
  ExpectAccepted(WithKv({std::string(65'535, 'k'), 0, "x"}).Bytes());
  ExpectRefusedBytes(WithKv({std::string(65'536, 'k'), 0, "x"}).Bytes(), {"key #24 length 65536", "limit of 65535"});
}

TEST(GgufHeader, G11EmptyKey) {
  RawGguf raw = Base();
  raw.kvs[3].key.clear();
  ExpectRefusedBytes(raw.Bytes(), {"key #3 is empty"});
}

TEST(GgufHeader, KeyThatIsNoText) {
  ExpectRefusedBytes(WithKv({std::string("a\0b", 3), 0, "x"}).Bytes(), {"key #24 'a\\x00b'"});
  ExpectRefusedBytes(WithKv({"a\xff", 0, "x"}).Bytes(), {"key #24 'a\\xff'"});
}

TEST(GgufHeader, G13UnknownValueType) {
  for (const uint32_t type : {13u, 255u, UINT32_MAX})
    ExpectRefusedBytes(RawImage(BaseImage()).Patch("kv[2].type", type).bytes,
                       {"key 'general.name' has unknown type " + std::to_string(type)});
}

TEST(GgufHeader, G14StringLength) {
  RawGguf raw;
  raw.kvs.push_back({"general.name", 8, {}});
  PutRawString(raw.kvs[0].value, std::string(100, 'x'));
  raw.n_tensors = 1;  // its record follows only in the count's imagination
  RawImage image = raw.Image();
  image.bytes.resize(200);
  for (const uint64_t n : {kTwo63, kAllOnes - 7, uint64_t{1} << 30})
    ExpectRefusedBytes(RawImage(image).Patch("kv[0].value", n).bytes,
                       {"'general.name'", "string of " + std::to_string(n) + " bytes", "144 bytes remain", "byte 48"});
}

TEST(GgufHeader, G15NestedArrays) {
  for (const int depth : {1, 1000, 1'000'000}) {
    std::string value;
    for (int i = 0; i < depth; ++i) value += ArrayHead(9, 1);
    value += ArrayHead(0, 1) + "x";
    ExpectRefusedBytes(WithKv({"deep", 9, value}).Bytes(), {"key 'deep': nested arrays not supported"});
  }
}

TEST(GgufHeader, ArrayOfUnknownType) {
  ExpectRefusedBytes(WithKv({"odd", 9, ArrayHead(13, 1) + "x"}).Bytes(), {"key 'odd' has an array of unknown type 13"});
}

TEST(GgufHeader, ArrayLength) {
  for (const uint32_t type : {0u, 6u, 8u, 12u})
    for (const uint64_t n : {kAllOnes, kTwo63, uint64_t{1} << 61, uint64_t{1} << 40})
      ExpectRefusedBytes(WithKv({"long", 9, ArrayHead(type, n)}).Bytes(),
                         {"'long'", std::to_string(n) + " elements", "more than file can hold"});
}

TEST(GgufHeader, ArrayLimit) {
  GgufOptions options;
  options.limits.array_elements = 256;  // the vocabulary
  ExpectAccepted(BaseImage().bytes, {}, options);
  options.limits.array_elements = 255;
  ExpectRefusedBytes(BaseImage().bytes, {"'tokenizer.ggml.tokens'", "256 elements, over the limit of 255"},
                     ErrorCode::kCorruptFile, options);
}

TEST(GgufHeader, MetadataLimit) {
  GgufOptions options;
  options.limits.metadata_bytes = 1000;
  ExpectRefusedBytes(BaseImage().bytes, {"over the limit of 1000 bytes"}, ErrorCode::kCorruptFile, options);
}

TEST(GgufHeader, G17ManyEmptyStrings) {
  const uint64_t n = 1'000'000;
  ExpectAccepted(WithKv({"empties", 9, ArrayHead(8, n) + std::string(n * 8, '\0')}).Bytes(),
                 [&](const GgufFile& file) { EXPECT_EQ((*file.metadata().GetStringArray("empties"))->size(), n); });
}

TEST(GgufHeader, G18OddBools) {
  for (const char byte : {'\2', '\xff'})
    ExpectAccepted(WithKv({"odd", 7, std::string(1, byte)}).Bytes(),
                   [](const GgufFile& file) { EXPECT_TRUE(*file.metadata().GetBool("odd")); });
}

TEST(GgufHeader, G19DuplicateKey) {
  for (const uint32_t value : {2u, 3u})  // the same value as llama.block_count, and another
    ExpectRefusedBytes(WithKv({"llama.block_count", 4, U32Value(value)}).Bytes(),
                       {"duplicate key 'llama.block_count' (#5 and #24)"});
  RawGguf raw = Base();
  raw.kvs.insert(raw.kvs.begin(), raw.kvs.back());
  ExpectRefusedBytes(raw.Bytes(), {"duplicate key 'tokenizer.ggml.add_bos_token' (#0 and #24)"});
}

TEST(GgufHeader, G34Alignment) {
  const auto with = [](uint32_t type, std::string value) { return WithKv({"general.alignment", type, value}).Bytes(); };
  for (const uint32_t alignment : {0u, 3u, 13u, 1u << 31, 1u << 21})
    ExpectRefusedBytes(with(4, U32Value(alignment)),
                       {"key 'general.alignment' is " + std::to_string(alignment), "power of two from 1 to 1048576"});
  ExpectRefusedBytes(with(5, U32Value(32)), {"key 'general.alignment' must be u32, is i32 32"});
  std::string text;
  PutRawString(text, "32");
  ExpectRefusedBytes(with(8, text), {"key 'general.alignment' must be u32, is string"});
}

TEST(GgufHeader, G34AlignmentsThatFit) {
  for (const uint32_t alignment : {1u, 32u, 64u, 1u << 20}) {
    RawGguf raw = WithKv({"general.alignment", 4, U32Value(alignment)});
    raw.alignment = alignment;
    ExpectAccepted(raw.Bytes(), [&](const GgufFile& file) {
      EXPECT_EQ(file.shards()[0].alignment, alignment);
      EXPECT_TRUE(file.warnings().empty());
      std::string bytes(file.tensors()[5].n_bytes, '\0');
      ASSERT_TRUE(file.ReadTensor(5, std::as_writable_bytes(std::span(bytes))).has_value());
      EXPECT_EQ(bytes, Base().tensors[5].data);
    });
  }
}

TEST(GgufHeader, G34AlignmentThatTheOffsetsContradict) {
  for (const uint32_t alignment : {1u << 20, 64u}) {
    RawGguf raw = WithKv({"general.alignment", 4, U32Value(alignment)});
    raw.tensors[0].ne = {32};  // so that the second tensor begins at 32 when it is placed with an alignment of 32
    raw.tensors[0].type = 24;
    raw.tensors[0].data.resize(32);
    ExpectRefusedBytes(raw.Bytes(),
                       {"tensor 'blk.0.attn_norm.weight': offset 32 is not aligned to " + std::to_string(alignment)});
  }
}

TEST(GgufHeader, G51HugeTokenText) {
  const auto with_token = [](uint64_t n) {
    return WithKv({"texts", 9, ArrayHead(8, 1) + std::string(reinterpret_cast<const char*>(&n), 8)});
  };
  RawGguf raw = with_token(16 << 20);
  raw.kvs.back().value += std::string(16 << 20, 'x');
  ExpectAccepted(raw.Bytes());
  raw = with_token((16 << 20) + 1);
  raw.kvs.back().value += std::string((16 << 20) + 1, 'x');
  ExpectRefusedBytes(raw.Bytes(), {"'texts' at index 0", "string of 16777217 bytes", "limit of 16777216"});
}

}  // namespace
}  // namespace rf
