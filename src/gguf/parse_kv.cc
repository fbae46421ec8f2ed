#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "gguf/message.h"
#include "gguf/parse.h"

namespace rf {
namespace {

Result<std::string> ParseKey(ByteReader& in, uint64_t index, const GgufLimits& limits) {
  const uint64_t begin = in.position();
  RF_ASSIGN_OR_RETURN(const uint64_t length, in.ReadNumber<uint64_t>("key length"));
  if (length == 0) return in.CorruptAtByte(begin, fmt::format("key #{} is empty", index));
  if (length > in.remaining())
    return in.CorruptAtByte(begin, fmt::format("truncated at key #{}: key #{} length {} at byte {}, {} bytes remain",
                                               index, index, length, begin, in.remaining()));
  if (length > limits.key_bytes)
    return in.CorruptAtByte(begin, fmt::format("key #{} length {} at byte {} is over the limit of {}", index, length,
                                               begin, limits.key_bytes));
  std::string key(length, '\0');
  RF_RETURN_IF_ERROR(in.Read(key.data(), length, "text"));
  if (key.find('\0') != std::string::npos || !IsValidUtf8(key))
    return in.CorruptAtByte(begin,
                            fmt::format("key #{} '{}' has a NUL byte or invalid UTF-8", index, NameForMessage(key)));
  return key;
}

// Reads a string's length. `element` is its index in an array, -1 for a value of its own.
Result<uint64_t> ParseStringLength(ByteReader& in, int64_t element, const GgufLimits& limits) {
  const uint64_t begin = in.position();
  RF_ASSIGN_OR_RETURN(const uint64_t length, in.ReadNumber<uint64_t>("string length"));
  if (length <= in.remaining() && length <= limits.string_bytes) return length;
  const std::string where =
      in.place().ToString() + (element < 0 ? std::string() : fmt::format(" at index {}", element));
  if (length > in.remaining())
    return in.CorruptAtByte(
        begin, fmt::format("truncated at value of {}: string of {} bytes at byte {}, {} bytes remain", where, length,
                           begin, in.remaining()));
  return in.CorruptAtByte(begin, fmt::format("{} has a string of {} bytes at byte {}, over the limit of {}", where,
                                             length, begin, limits.string_bytes));
}

Result<GgufValue> ParseString(ByteReader& in, const GgufLimits& limits) {
  RF_ASSIGN_OR_RETURN(const uint64_t length, ParseStringLength(in, -1, limits));
  GgufStrings strings;
  RF_RETURN_IF_ERROR(in.Read(strings.AppendUninitialized(length), length, "value"));
  return GgufValue::OneString(std::move(strings));
}

Result<GgufValue> ParseNumbers(ByteReader& in, GgufType type, bool is_array, uint64_t n) {
  std::vector<std::byte> bytes(n * GgufTypeBytes(type));
  RF_RETURN_IF_ERROR(in.Read(bytes.data(), bytes.size(), "value"));
  return GgufValue::Raw(type, is_array, std::move(bytes));
}

Result<GgufValue> ParseStringArray(ByteReader& in, uint64_t n, const GgufLimits& limits) {
  GgufStrings strings;
  strings.Reserve(n);
  for (uint64_t i = 0; i < n; ++i) {
    RF_ASSIGN_OR_RETURN(const uint64_t length, ParseStringLength(in, static_cast<int64_t>(i), limits));
    RF_RETURN_IF_ERROR(in.Read(strings.AppendUninitialized(length), length, "array element"));
  }
  return GgufValue::Strings(std::move(strings));
}

Result<GgufValue> ParseArray(ByteReader& in, const GgufLimits& limits) {
  const uint64_t begin = in.position();
  RF_ASSIGN_OR_RETURN(const uint32_t type_id, in.ReadNumber<uint32_t>("array type"));
  const std::string name = NameForMessage(in.place().name);
  const auto type = static_cast<GgufType>(type_id);
  if (type == GgufType::kArray)
    return in.CorruptAtByte(begin, fmt::format("key '{}': nested arrays not supported", name));
  if (type_id >= kNumGgufTypes)
    return in.CorruptAtByte(begin, fmt::format("key '{}' has an array of unknown type {}", name, type_id));
  RF_ASSIGN_OR_RETURN(const uint64_t n, in.ReadNumber<uint64_t>("array length"));
  const uint64_t min_bytes = type == GgufType::kString ? sizeof(uint64_t) : GgufTypeBytes(type);
  if (n > in.remaining() / min_bytes || n > limits.array_elements) {
    RF_RETURN_IF_ERROR(in.CheckCount(n, min_bytes, "array", fmt::format("{} elements", n)));
    return in.CorruptAtByte(begin, fmt::format("key '{}' has an array of {} elements, over the limit of {}", name, n,
                                               limits.array_elements));
  }
  return type == GgufType::kString ? ParseStringArray(in, n, limits) : ParseNumbers(in, type, true, n);
}

Result<GgufValue> ParseValue(ByteReader& in, const GgufLimits& limits) {
  const uint64_t begin = in.position();
  RF_ASSIGN_OR_RETURN(const uint32_t type_id, in.ReadNumber<uint32_t>("type"));
  if (type_id >= kNumGgufTypes)
    return in.CorruptAtByte(begin,
                            fmt::format("key '{}' has unknown type {}", NameForMessage(in.place().name), type_id));
  switch (const auto type = static_cast<GgufType>(type_id)) {
    case GgufType::kString: return ParseString(in, limits);
    case GgufType::kArray: return ParseArray(in, limits);
    default: return ParseNumbers(in, type, false, 1);
  }
}

}  // namespace

Status ParseKeyValue(ByteReader& in, uint64_t index, const GgufLimits& limits, GgufMetadata& metadata) {
  const uint64_t begin = in.position();
  const auto place_index = static_cast<int64_t>(index);
  in.set_place(ReadPlace{"key", place_index, {}});
  RF_ASSIGN_OR_RETURN(std::string key, ParseKey(in, index, limits));
  if (const int64_t first = metadata.IndexOf(key); first >= 0)
    return in.CorruptAtByte(begin, fmt::format("duplicate key '{}' (#{} and #{})", NameForMessage(key), first, index));
  in.set_place(ReadPlace{"key", place_index, key});
  RF_ASSIGN_OR_RETURN(GgufValue value, ParseValue(in, limits));
  in.set_place(ReadPlace{});
  metadata.Add(std::move(key), std::move(value), begin);
  return {};
}

}  // namespace rf
