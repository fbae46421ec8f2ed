#include "gguf/metadata.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "gguf/limits.h"
#include "gguf/test_util/refusal.h"

namespace rf {
namespace {

// One key for each type of value, named after it, with a value that only this type and wider ones hold.
GgufMetadata AllTypes() {
  GgufMetadata keys;
  keys.set_source("b.gguf");
  keys.Add("u8", GgufValue::Scalar<uint8_t>(255), 100);
  keys.Add("i8", GgufValue::Scalar<int8_t>(-128), 200);
  keys.Add("u16", GgufValue::Scalar<uint16_t>(65535));
  keys.Add("i16", GgufValue::Scalar<int16_t>(-32768));
  keys.Add("u32", GgufValue::Scalar<uint32_t>(UINT32_MAX));
  keys.Add("i32", GgufValue::Scalar<int32_t>(INT32_MIN));
  keys.Add("u64", GgufValue::Scalar<uint64_t>(UINT64_MAX));
  keys.Add("i64", GgufValue::Scalar<int64_t>(INT64_MIN));
  keys.Add("f32", GgufValue::Scalar(0.5f));
  keys.Add("f64", GgufValue::Scalar(0.1));
  keys.Add("bool", GgufValue::Bool(true));
  keys.Add("string", GgufValue::String("text"));
  keys.Add("array of u32", GgufValue::Array(std::vector<uint32_t>{1, 2}));
  return keys;
}

template <typename T>
std::string Message(const Result<T>& result) {
  return result ? "accepted" : result.error().ToString();
}

TEST(GgufMetadata, IntegersOfOtherWidthsAreTakenWhenTheyFit) {
  const GgufMetadata keys = AllTypes();
  EXPECT_EQ(*keys.GetU32("u8"), 255u);
  EXPECT_EQ(*keys.GetU32("u16"), 65535u);
  EXPECT_EQ(*keys.GetI32("i8"), -128);
  EXPECT_EQ(*keys.GetI64("u32"), int64_t{UINT32_MAX});
  EXPECT_EQ(*keys.GetU64("u64"), UINT64_MAX);
  EXPECT_EQ(*keys.GetI64("i64"), INT64_MIN);
  EXPECT_EQ(Message(keys.GetU32("i8")), "b.gguf, byte 200: key 'i8' must be u32, is i8 -128");
  EXPECT_EQ(Message(keys.GetI32("u32")), "b.gguf: key 'u32' must be i32, is u32 4294967295");
  EXPECT_EQ(Message(keys.GetI64("u64")), "b.gguf: key 'u64' must be i64, is u64 18446744073709551615");
  EXPECT_EQ(Message(keys.GetU64("i64")), "b.gguf: key 'i64' must be u64, is i64 -9223372036854775808");
}

TEST(GgufMetadata, WrongTypesAreNamed) {
  const GgufMetadata keys = AllTypes();
  for (const char* type : {"f32", "f64", "bool", "string", "array of u32"})
    EXPECT_EQ(Message(keys.GetU32(type)), fmt::format("b.gguf: key '{}' must be u32, is {}", type, type));
  for (const char* type : {"bool", "string", "array of u32"})
    EXPECT_EQ(Message(keys.GetF32(type)), fmt::format("b.gguf: key '{}' must be f32, is {}", type, type));
  for (const char* type : {"f32", "string", "array of u32"})
    EXPECT_EQ(Message(keys.GetBool(type)), fmt::format("b.gguf: key '{}' must be bool, is {}", type, type));
  for (const char* type : {"f32", "bool", "array of u32"})
    EXPECT_EQ(Message(keys.GetString(type)), fmt::format("b.gguf: key '{}' must be string, is {}", type, type));
  EXPECT_EQ(Message(keys.GetF32("u8")), "b.gguf, byte 100: key 'u8' must be f32, is u8 255");
  EXPECT_EQ(Message(keys.GetU32Array("u8")), "b.gguf, byte 100: key 'u8' must be array of u32, is u8 255");
  EXPECT_EQ(Message(keys.GetStringArray("array of u32")),
            "b.gguf: key 'array of u32' must be array of string, is array of u32");
  EXPECT_EQ(Message(keys.GetF32Array("array of u32")),
            "b.gguf: key 'array of u32' must be array of f32, is array of u32");
}

TEST(GgufMetadata, MissingKeys) {
  const GgufMetadata keys = AllTypes();
  EXPECT_EQ(Message(keys.GetU32("llama.block_count")), "b.gguf: missing key 'llama.block_count'");
  EXPECT_EQ(Message(keys.GetStringArray("x")), "b.gguf: missing key 'x'");
  EXPECT_EQ(keys.FindU32("llama.block_count")->has_value(), false);
  EXPECT_EQ(*keys.FindU32("u8"), 255u);
  EXPECT_EQ(Message(keys.FindU32("string")), "b.gguf: key 'string' must be u32, is string");
  EXPECT_EQ(*keys.FindString("string"), "text");
  EXPECT_EQ(*keys.FindBool("bool"), true);
}

TEST(GgufMetadata, FloatsOfBothWidths) {
  const GgufMetadata keys = AllTypes();
  EXPECT_EQ(*keys.GetF32("f32"), 0.5f);
  EXPECT_EQ(*keys.GetF32("f64"), 0.1f);
}

TEST(GgufMetadata, ArraysConvertElementByElement) {
  GgufMetadata keys;
  keys.Add("a", GgufValue::Array(std::vector<int64_t>{1, 2, -3}));
  EXPECT_EQ(*keys.GetI32Array("a"), (std::vector<int32_t>{1, 2, -3}));
  EXPECT_EQ(Message(keys.GetU32Array("a")), "key 'a' must be array of u32, has -3 at index 2");
  keys.Set("a", GgufValue::Array(std::vector<double>{0.1, 1e10}));
  EXPECT_EQ(*keys.GetF32Array("a"), (std::vector<float>{0.1f, 1e10f}));
  EXPECT_EQ(keys.Find("a")->As<float>(), std::nullopt);
  EXPECT_EQ((*keys.Find("a")->As<double>())[1], 1e10);
  EXPECT_TRUE(GgufMetadata().Add("empty", GgufValue()));
}

TEST(GgufMetadata, OrderAddSetRemove) {
  GgufMetadata keys = AllTypes();
  EXPECT_FALSE(keys.Add("u8", GgufValue::Bool(true)));
  EXPECT_EQ(keys.IndexOf("i8"), 1);
  keys.Set("i8", GgufValue::String("now"));
  EXPECT_EQ(keys.IndexOf("i8"), 1);
  EXPECT_EQ(*keys.GetString("i8"), "now");
  EXPECT_TRUE(keys.Remove("u8"));
  EXPECT_FALSE(keys.Remove("u8"));
  EXPECT_EQ(keys.IndexOf("i8"), 0);
  EXPECT_EQ(*keys.GetF32("f32"), 0.5f);
  keys.Set("last", GgufValue::Bool(false));
  EXPECT_EQ(keys.entries().back().key, "last");
}

TEST(GgufMetadata, UntrustedNamesAreEscapedAndShort) {
  GgufMetadata keys;
  keys.set_source("b.gguf");
  const std::string odd = "a\n\x1b[31m" + std::string(500, 'x');
  keys.Add(odd, GgufValue::String(std::string(500, '\n')));
  for (const std::string& message : {Message(keys.GetU32(odd)), Message(keys.GetU32(odd + "y"))}) {
    EXPECT_EQ(MessageFlaw(message), "") << message;
    EXPECT_NE(message.find("a\\n\\x1b[31mxxx"), std::string::npos) << message;
  }
}

TEST(GgufValue, ElementsAsText) {
  EXPECT_EQ(GgufValue::Scalar<int8_t>(-5).ElementToString(0), "-5");
  EXPECT_EQ(GgufValue::Scalar<uint8_t>(200).ElementToString(0), "200");
  EXPECT_EQ(GgufValue::Scalar(0.5f).ElementToString(0), "0.5");
  EXPECT_EQ(GgufValue::Bool(true).ElementToString(0), "true");
  EXPECT_EQ(GgufValue::String("a\nb").ElementToString(0), "a\\nb");
  EXPECT_EQ(GgufValue::Strings(std::vector<std::string>{"x", "y"}).ElementToString(1), "y");
  EXPECT_EQ(GgufValue::Bools({false, true}).AsBool(1), true);
  EXPECT_THROW(GgufValue::Bool(true).AsBool(1), BugError);
}

TEST(GgufLimits, AllArePrintedWithTheirDefaults) {
  std::map<std::string, uint64_t> values;
  for (const NamedLimit& limit : DescribeLimits(GgufLimits())) values[std::string(limit.name)] = limit.value;
  EXPECT_EQ(values.size(), 12u);
  EXPECT_EQ(values["gguf.string_bytes"], uint64_t{16} << 20);
  EXPECT_EQ(values["gguf.array_elements"], uint64_t{16} << 20);
  EXPECT_EQ(values["gguf.n_kv"], 100'000u);
  EXPECT_EQ(values["gguf.n_tensors"], 1'000'000u);
  EXPECT_EQ(values["gguf.metadata_bytes"], uint64_t{256} << 20);
  EXPECT_EQ(values["gguf.dim"], uint64_t{1} << 40);
  EXPECT_EQ(values["gguf.split_files"], 512u);
}

}  // namespace
}  // namespace rf
