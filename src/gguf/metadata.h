// The key-value part of a GGUF file: ordered, with typed access that names the key and the types when it fails.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "gguf/value.h"

namespace rf {

/// Keys with values in file order. Get…() wants the key to be there, Find…() gives nothing when it is absent; both fail
/// when it has another type. Integers of any width and sign are taken when the value fits exactly; F32 and F64 are
/// taken for each other (F64 is rounded), integers are not taken for floats. Arrays are not scalars and scalars not
/// arrays.
///
/// Errors: kCorruptFile "missing key 'llama.block_count'" or "key 'x' must be u32, is string".
class GgufMetadata {
 public:
  struct Entry {
    std::string key;
    GgufValue value;
    uint64_t file_offset = 0;  ///< byte where the key's record begins; 0 if it comes from no file
  };

  /// Adds at the end. False, and nothing changes, if the key is there already.
  bool Add(std::string key, GgufValue value, uint64_t file_offset = 0);
  /// Adds or replaces in place.
  void Set(std::string_view key, GgufValue value);
  /// False if it was not there.
  bool Remove(std::string_view key);

  const std::vector<Entry>& entries() const { return entries_; }
  /// Null if absent. Valid until the next change of this object.
  const GgufValue* Find(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  /// Position in entries(); -1 if absent.
  int64_t IndexOf(std::string_view key) const;

  Result<uint32_t> GetU32(std::string_view key) const;
  Result<int32_t> GetI32(std::string_view key) const;
  Result<uint64_t> GetU64(std::string_view key) const;
  Result<int64_t> GetI64(std::string_view key) const;
  Result<float> GetF32(std::string_view key) const;
  Result<bool> GetBool(std::string_view key) const;
  /// Valid until the next change of this object.
  Result<std::string_view> GetString(std::string_view key) const;

  Result<std::vector<uint32_t>> GetU32Array(std::string_view key) const;
  Result<std::vector<int32_t>> GetI32Array(std::string_view key) const;
  Result<std::vector<float>> GetF32Array(std::string_view key) const;
  Result<std::vector<bool>> GetBoolArray(std::string_view key) const;
  /// Never null. Valid until the next change of this object.
  Result<const GgufStrings*> GetStringArray(std::string_view key) const;

  Result<std::optional<uint32_t>> FindU32(std::string_view key) const;
  Result<std::optional<int32_t>> FindI32(std::string_view key) const;
  Result<std::optional<uint64_t>> FindU64(std::string_view key) const;
  Result<std::optional<float>> FindF32(std::string_view key) const;
  Result<std::optional<bool>> FindBool(std::string_view key) const;
  Result<std::optional<std::string_view>> FindString(std::string_view key) const;

  /// An Error about a key with the file and the byte where it stands; for checks of values elsewhere.
  /// `message` should name the key.
  Error ErrorAt(std::string_view key, std::string message) const;
  /// "missing key 'x'".
  Error MissingKey(std::string_view key) const;
  /// "key 'x' must be `wanted`, is …".
  Error WrongType(std::string_view key, std::string_view wanted) const;

  /// The file the data came from, as errors show it; empty if none.
  const std::string& source() const { return source_; }
  void set_source(std::string source) { source_ = std::move(source); }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
  std::string source_;
};

}  // namespace rf
