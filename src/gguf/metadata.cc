#include "gguf/metadata.h"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "base/utf8.h"
#include "gguf/message.h"

namespace rf {
namespace {

// Element i of a value as T if it is exactly that; how each T is called in messages.
template <typename T>
struct Element;

template <>
struct Element<uint32_t> {
  static constexpr std::string_view kName = "u32";
  static std::optional<uint32_t> Get(const GgufValue& value, size_t i) {
    const auto wide = value.AsU64(i);
    return wide && *wide <= UINT32_MAX ? std::optional(static_cast<uint32_t>(*wide)) : std::nullopt;
  }
};

template <>
struct Element<int32_t> {
  static constexpr std::string_view kName = "i32";
  static std::optional<int32_t> Get(const GgufValue& value, size_t i) {
    const auto wide = value.AsI64(i);
    return wide && std::in_range<int32_t>(*wide) ? std::optional(static_cast<int32_t>(*wide)) : std::nullopt;
  }
};

template <>
struct Element<uint64_t> {
  static constexpr std::string_view kName = "u64";
  static std::optional<uint64_t> Get(const GgufValue& value, size_t i) { return value.AsU64(i); }
};

template <>
struct Element<int64_t> {
  static constexpr std::string_view kName = "i64";
  static std::optional<int64_t> Get(const GgufValue& value, size_t i) { return value.AsI64(i); }
};

template <>
struct Element<float> {
  static constexpr std::string_view kName = "f32";
  static std::optional<float> Get(const GgufValue& value, size_t i) {
    const auto wide = value.AsF64(i);
    return wide ? std::optional(static_cast<float>(*wide)) : std::nullopt;
  }
};

template <>
struct Element<bool> {
  static constexpr std::string_view kName = "bool";
  static std::optional<bool> Get(const GgufValue& value, size_t i) { return value.AsBool(i); }
};

template <>
struct Element<std::string_view> {
  static constexpr std::string_view kName = "string";
  static std::optional<std::string_view> Get(const GgufValue& value, size_t i) { return value.AsString(i); }
};

template <typename T>
Result<T> GetScalar(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue* value = metadata.Find(key);
  if (!value) return metadata.MissingKey(key);
  if (!value->is_array()) {
    if (const auto element = Element<T>::Get(*value, 0)) return *element;
  }
  return metadata.WrongType(key, Element<T>::kName);
}

template <typename T>
Result<std::optional<T>> FindScalar(const GgufMetadata& metadata, std::string_view key) {
  if (!metadata.Has(key)) return std::optional<T>();
  RF_ASSIGN_OR_RETURN(const T value, GetScalar<T>(metadata, key));
  return std::optional<T>(value);
}

template <typename T>
Result<std::vector<T>> GetArray(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue* value = metadata.Find(key);
  if (!value) return metadata.MissingKey(key);
  const std::string wanted = fmt::format("array of {}", Element<T>::kName);
  if (!value->is_array()) return metadata.WrongType(key, wanted);
  std::vector<T> out;
  out.reserve(value->size());
  for (size_t i = 0; i < value->size(); ++i) {
    const auto element = Element<T>::Get(*value, i);
    if (!element) {
      // Either the element type never fits or this one integer does not.
      const bool wants_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;
      if (!wants_integer || (!value->AsU64(i) && !value->AsI64(i))) return metadata.WrongType(key, wanted);
      return metadata.ErrorAt(key, fmt::format("key '{}' must be {}, has {} at index {}", NameForMessage(key), wanted,
                                               value->ElementToString(i), i));
    }
    out.push_back(*element);
  }
  return out;
}

}  // namespace

bool GgufMetadata::Add(std::string key, GgufValue value, uint64_t file_offset) {
  if (!index_.try_emplace(key, entries_.size()).second) return false;
  entries_.push_back(Entry{std::move(key), std::move(value), file_offset});
  return true;
}

void GgufMetadata::Set(std::string_view key, GgufValue value) {
  const int64_t i = IndexOf(key);
  if (i < 0) {
    Add(std::string(key), std::move(value));
  } else {
    entries_[static_cast<size_t>(i)].value = std::move(value);
  }
}

bool GgufMetadata::Remove(std::string_view key) {
  const int64_t i = IndexOf(key);
  if (i < 0) return false;
  entries_.erase(entries_.begin() + i);
  index_.clear();
  for (size_t j = 0; j < entries_.size(); ++j) index_.emplace(entries_[j].key, j);
  return true;
}

int64_t GgufMetadata::IndexOf(std::string_view key) const {
  const auto it = index_.find(std::string(key));
  return it == index_.end() ? -1 : static_cast<int64_t>(it->second);
}

const GgufValue* GgufMetadata::Find(std::string_view key) const {
  const int64_t i = IndexOf(key);
  return i < 0 ? nullptr : &entries_[static_cast<size_t>(i)].value;
}

Result<uint32_t> GgufMetadata::GetU32(std::string_view key) const {
  return GetScalar<uint32_t>(*this, key);
}
Result<int32_t> GgufMetadata::GetI32(std::string_view key) const {
  return GetScalar<int32_t>(*this, key);
}
Result<uint64_t> GgufMetadata::GetU64(std::string_view key) const {
  return GetScalar<uint64_t>(*this, key);
}
Result<int64_t> GgufMetadata::GetI64(std::string_view key) const {
  return GetScalar<int64_t>(*this, key);
}
Result<float> GgufMetadata::GetF32(std::string_view key) const {
  return GetScalar<float>(*this, key);
}
Result<bool> GgufMetadata::GetBool(std::string_view key) const {
  return GetScalar<bool>(*this, key);
}
Result<std::string_view> GgufMetadata::GetString(std::string_view key) const {
  return GetScalar<std::string_view>(*this, key);
}

Result<std::vector<uint32_t>> GgufMetadata::GetU32Array(std::string_view key) const {
  return GetArray<uint32_t>(*this, key);
}
Result<std::vector<int32_t>> GgufMetadata::GetI32Array(std::string_view key) const {
  return GetArray<int32_t>(*this, key);
}
Result<std::vector<float>> GgufMetadata::GetF32Array(std::string_view key) const {
  return GetArray<float>(*this, key);
}
Result<std::vector<bool>> GgufMetadata::GetBoolArray(std::string_view key) const {
  return GetArray<bool>(*this, key);
}

Result<const GgufStrings*> GgufMetadata::GetStringArray(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (!value) return MissingKey(key);
  if (!value->is_array() || value->element_type() != GgufType::kString) return WrongType(key, "array of string");
  return &value->strings();
}

Result<std::optional<uint32_t>> GgufMetadata::FindU32(std::string_view key) const {
  return FindScalar<uint32_t>(*this, key);
}
Result<std::optional<int32_t>> GgufMetadata::FindI32(std::string_view key) const {
  return FindScalar<int32_t>(*this, key);
}
Result<std::optional<uint64_t>> GgufMetadata::FindU64(std::string_view key) const {
  return FindScalar<uint64_t>(*this, key);
}
Result<std::optional<float>> GgufMetadata::FindF32(std::string_view key) const {
  return FindScalar<float>(*this, key);
}
Result<std::optional<bool>> GgufMetadata::FindBool(std::string_view key) const {
  return FindScalar<bool>(*this, key);
}
Result<std::optional<std::string_view>> GgufMetadata::FindString(std::string_view key) const {
  return FindScalar<std::string_view>(*this, key);
}

Error GgufMetadata::ErrorAt(std::string_view key, std::string message) const {
  const int64_t i = IndexOf(key);
  const uint64_t offset = i < 0 ? 0 : entries_[static_cast<size_t>(i)].file_offset;
  std::string where = source_;
  if (!where.empty() && offset > 0) where += fmt::format(", byte {}", offset);
  return Error{ErrorCode::kCorruptFile, std::move(message), std::move(where)};
}

Error GgufMetadata::MissingKey(std::string_view key) const {
  return Error{ErrorCode::kCorruptFile, fmt::format("missing key '{}'", NameForMessage(key)), source_};
}

Error GgufMetadata::WrongType(std::string_view key, std::string_view wanted) const {
  const GgufValue* value = Find(key);
  RF_CHECK(value != nullptr);
  std::string is = value->TypeName();
  // An integer of another width: its value is what does not fit.
  if (!value->is_array() && (value->AsU64() || value->AsI64()))
    is = fmt::format("{} {}", is, value->ElementToString(0));
  return ErrorAt(key, fmt::format("key '{}' must be {}, is {}", NameForMessage(key), wanted, is));
}

}  // namespace rf
