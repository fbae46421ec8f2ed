// The values of GGUF metadata: typed scalars, strings, and flat arrays of them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/check.h"

namespace rf {

static_assert(std::endian::native == std::endian::little, "GGUF files are read as they are: little-endian hosts only");

/// Value types with their ids in the file. Source: the GGUF specification, enum gguf_metadata_value_type.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

inline constexpr uint32_t kNumGgufTypes = 13;

/// "u8", "i8", … "f64", "bool", "string", "array"; "unknown" for other ids.
std::string_view GgufTypeName(GgufType type);

/// Bytes of one value in the file; 0 for strings and arrays, whose size differs.
size_t GgufTypeBytes(GgufType type);

/// The id that C++ type T has in a file. Bools are kept as bytes: use GgufValue::Bool.
template <typename T>
constexpr GgufType GgufTypeOf() {
  if constexpr (std::is_same_v<T, uint8_t>) return GgufType::kU8;
  if constexpr (std::is_same_v<T, int8_t>) return GgufType::kI8;
  if constexpr (std::is_same_v<T, uint16_t>) return GgufType::kU16;
  if constexpr (std::is_same_v<T, int16_t>) return GgufType::kI16;
  if constexpr (std::is_same_v<T, uint32_t>) return GgufType::kU32;
  if constexpr (std::is_same_v<T, int32_t>) return GgufType::kI32;
  if constexpr (std::is_same_v<T, float>) return GgufType::kF32;
  if constexpr (std::is_same_v<T, uint64_t>) return GgufType::kU64;
  if constexpr (std::is_same_v<T, int64_t>) return GgufType::kI64;
  if constexpr (std::is_same_v<T, double>) return GgufType::kF64;
}

/// Strings of an array (or the one string of a scalar) in one block of memory. Any bytes, also NUL and invalid UTF-8.
class GgufStrings {
 public:
  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  /// REQUIRES: i < size(). The view lives as long as this object is neither changed nor moved.
  std::string_view operator[](size_t i) const {
    const uint64_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(text_).substr(begin, ends_[i] - begin);
  }
  void Append(std::string_view text);
  /// Appends a string of n bytes and returns where they go: n bytes, to be filled before the next call.
  char* AppendUninitialized(size_t n);
  void Reserve(size_t n_strings) { ends_.reserve(n_strings); }
  std::vector<std::string> ToVector() const;
  bool operator==(const GgufStrings&) const = default;

 private:
  std::string text_;
  std::vector<uint64_t> ends_;
};

/// One metadata value. A scalar is stored as an array of one element is.
class GgufValue {
 public:
  GgufValue() = default;  ///< the u8 array without elements

  template <typename T>
  static GgufValue Scalar(T value) {
    GgufValue out(GgufTypeOf<T>(), false);
    out.Assign(std::span<const T>(&value, 1));
    return out;
  }
  template <typename T>
  static GgufValue Array(std::span<const T> values) {
    GgufValue out(GgufTypeOf<T>(), true);
    out.Assign(values);
    return out;
  }
  template <typename T>
  static GgufValue Array(const std::vector<T>& values) {
    return Array(std::span<const T>(values));
  }
  static GgufValue Bool(bool value);
  static GgufValue Bools(const std::vector<bool>& values);
  static GgufValue String(std::string_view value);
  static GgufValue Strings(std::span<const std::string> values);
  static GgufValue Strings(GgufStrings values);
  /// REQUIRES: value.size() == 1.
  static GgufValue OneString(GgufStrings value);
  /// `bytes` as the file has them: n elements of a fixed-size type. REQUIRES: a whole number of elements, one if it is
  /// no array; the type is neither string nor array.
  static GgufValue Raw(GgufType element_type, bool is_array, std::vector<std::byte> bytes);

  bool is_array() const { return is_array_; }
  /// The type of the value, kArray for arrays; and that of its elements.
  GgufType type() const { return is_array_ ? GgufType::kArray : element_type_; }
  GgufType element_type() const { return element_type_; }
  /// "u32", "string", "array of f32".
  std::string TypeName() const;
  /// Number of elements; 1 for scalars.
  size_t size() const;

  /// Element i as the wanted type, if it is of that kind and the value is exact: integers of any width (not bools), F32
  /// and F64, bools (any byte but 0 is true), strings. REQUIRES: i < size().
  std::optional<uint64_t> AsU64(size_t i = 0) const;
  std::optional<int64_t> AsI64(size_t i = 0) const;
  std::optional<double> AsF64(size_t i = 0) const;
  std::optional<bool> AsBool(size_t i = 0) const;
  std::optional<std::string_view> AsString(size_t i = 0) const;

  /// The elements, if they have exactly the type T; nothing otherwise. Valid as long as this object.
  template <typename T>
  std::optional<std::span<const T>> As() const {
    if (element_type_ != GgufTypeOf<T>()) return std::nullopt;
    return std::span<const T>(reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T));
  }
  /// The strings of a string or an array of strings; empty otherwise.
  const GgufStrings& strings() const { return strings_; }
  /// The elements as the file has them; empty for strings.
  std::span<const std::byte> bytes() const { return bytes_; }

  /// Element i for people: a number, true or false, or the string escaped and cut to max_bytes.
  std::string ElementToString(size_t i, size_t max_bytes = 64) const;

  bool operator==(const GgufValue&) const = default;

 private:
  GgufValue(GgufType element_type, bool is_array) : element_type_(element_type), is_array_(is_array) {}
  template <typename T>
  void Assign(std::span<const T> values) {
    bytes_.resize(values.size_bytes());
    if (!values.empty()) std::memcpy(bytes_.data(), values.data(), values.size_bytes());
  }
  template <typename T>
  T At(size_t i) const {
    T value;
    RF_CHECK(i < bytes_.size() / sizeof(T));
    std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof(T));
    return value;
  }
  template <typename Visitor>
  auto VisitNumber(size_t i, Visitor&& visitor) const;

  GgufType element_type_ = GgufType::kU8;
  bool is_array_ = true;
  std::vector<std::byte> bytes_;
  GgufStrings strings_;
};

}  // namespace rf
