#include "gguf/value.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/utf8.h"

namespace rf {
namespace {

template <typename To, typename From>
std::optional<To> Exact(From value) {
  if constexpr (std::is_integral_v<From>) {
    if (std::in_range<To>(value)) return static_cast<To>(value);
  }
  return std::nullopt;
}

}  // namespace

std::string_view GgufTypeName(GgufType type) {
  switch (type) {
    case GgufType::kU8: return "u8";
    case GgufType::kI8: return "i8";
    case GgufType::kU16: return "u16";
    case GgufType::kI16: return "i16";
    case GgufType::kU32: return "u32";
    case GgufType::kI32: return "i32";
    case GgufType::kF32: return "f32";
    case GgufType::kBool: return "bool";
    case GgufType::kString: return "string";
    case GgufType::kArray: return "array";
    case GgufType::kU64: return "u64";
    case GgufType::kI64: return "i64";
    case GgufType::kF64: return "f64";
  }
  return "unknown";
}

size_t GgufTypeBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool: return 1;
    case GgufType::kU16:
    case GgufType::kI16: return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32: return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64: return 8;
    case GgufType::kString:
    case GgufType::kArray: return 0;
  }
  return 0;
}

void GgufStrings::Append(std::string_view text) {
  text_.append(text);
  ends_.push_back(text_.size());
}

char* GgufStrings::AppendUninitialized(size_t n) {
  const size_t begin = text_.size();
  text_.resize(begin + n);
  ends_.push_back(text_.size());
  return text_.data() + begin;
}

std::vector<std::string> GgufStrings::ToVector() const {
  std::vector<std::string> out;
  out.reserve(size());
  for (size_t i = 0; i < size(); ++i) out.emplace_back((*this)[i]);
  return out;
}

GgufValue GgufValue::Bool(bool value) {
  return Raw(GgufType::kBool, false, {static_cast<std::byte>(value)});
}

GgufValue GgufValue::Bools(const std::vector<bool>& values) {
  std::vector<std::byte> bytes;
  for (const bool value : values) bytes.push_back(static_cast<std::byte>(value));
  return Raw(GgufType::kBool, true, std::move(bytes));
}

GgufValue GgufValue::String(std::string_view value) {
  GgufValue out(GgufType::kString, false);
  out.strings_.Append(value);
  return out;
}

GgufValue GgufValue::Strings(std::span<const std::string> values) {
  GgufValue out(GgufType::kString, true);
  for (const std::string& value : values) out.strings_.Append(value);
  return out;
}

GgufValue GgufValue::Strings(GgufStrings values) {
  GgufValue out(GgufType::kString, true);
  out.strings_ = std::move(values);
  return out;
}

GgufValue GgufValue::OneString(GgufStrings value) {
  RF_CHECK(value.size() == 1);
  GgufValue out(GgufType::kString, false);
  out.strings_ = std::move(value);
  return out;
}

GgufValue GgufValue::Raw(GgufType element_type, bool is_array, std::vector<std::byte> bytes) {
  const size_t element_bytes = GgufTypeBytes(element_type);
  RF_CHECK(element_bytes > 0 && bytes.size() % element_bytes == 0);
  RF_CHECK(is_array || bytes.size() == element_bytes);
  GgufValue out(element_type, is_array);
  out.bytes_ = std::move(bytes);
  return out;
}

std::string GgufValue::TypeName() const {
  const std::string_view element = GgufTypeName(element_type_);
  return is_array_ ? fmt::format("array of {}", element) : std::string(element);
}

size_t GgufValue::size() const {
  return element_type_ == GgufType::kString ? strings_.size() : bytes_.size() / GgufTypeBytes(element_type_);
}

// Calls visitor(value) with element i in its own type; for strings and bools visitor(nullptr).
template <typename Visitor>
auto GgufValue::VisitNumber(size_t i, Visitor&& visitor) const {
  switch (element_type_) {
    case GgufType::kU8: return visitor(At<uint8_t>(i));
    case GgufType::kI8: return visitor(At<int8_t>(i));
    case GgufType::kU16: return visitor(At<uint16_t>(i));
    case GgufType::kI16: return visitor(At<int16_t>(i));
    case GgufType::kU32: return visitor(At<uint32_t>(i));
    case GgufType::kI32: return visitor(At<int32_t>(i));
    case GgufType::kU64: return visitor(At<uint64_t>(i));
    case GgufType::kI64: return visitor(At<int64_t>(i));
    case GgufType::kF32: return visitor(At<float>(i));
    case GgufType::kF64: return visitor(At<double>(i));
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray: break;
  }
  return visitor(nullptr);
}

std::optional<uint64_t> GgufValue::AsU64(size_t i) const {
  return VisitNumber(i, [](auto value) { return Exact<uint64_t>(value); });
}

std::optional<int64_t> GgufValue::AsI64(size_t i) const {
  return VisitNumber(i, [](auto value) { return Exact<int64_t>(value); });
}

std::optional<double> GgufValue::AsF64(size_t i) const {
  return VisitNumber(i, [](auto value) -> std::optional<double> {
    if constexpr (std::is_floating_point_v<decltype(value)>) return value;
    return std::nullopt;
  });
}

std::optional<bool> GgufValue::AsBool(size_t i) const {
  if (element_type_ != GgufType::kBool) return std::nullopt;
  return At<uint8_t>(i) != 0;
}

std::optional<std::string_view> GgufValue::AsString(size_t i) const {
  if (element_type_ != GgufType::kString) return std::nullopt;
  RF_CHECK(i < strings_.size());
  return strings_[i];
}

std::string GgufValue::ElementToString(size_t i, size_t max_bytes) const {
  if (const auto text = AsString(i)) return EscapeForMessage(*text, max_bytes);
  if (const auto truth = AsBool(i)) return *truth ? "true" : "false";
  return VisitNumber(i, [](auto value) -> std::string {
    if constexpr (std::is_same_v<decltype(value), std::nullptr_t>) {
      return {};
    } else {
      return fmt::format("{}", +value);
    }
  });
}

}  // namespace rf
