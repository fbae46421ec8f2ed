// A GGUF file put together field by field without any check, for tests that need broken ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/writer.h"

namespace rf {

/// Appends a number, little-endian, or a string with its length.
template <typename T>
void PutRaw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}
void PutRawString(std::string& out, std::string_view text);

struct RawKv {
  std::string key;
  uint32_t type = 0;
  std::string value;  ///< as in the file; of arrays with their type and length
};

struct RawTensor {
  std::string name;
  std::vector<uint64_t> ne;  ///< innermost first, as in the file
  uint32_t type = 0;
  std::string data;
  std::optional<uint64_t> offset;  ///< absent: after the tensor before
};

/// The bytes and where each field stands: "n_kv", "kv[2].key_length", "kv[2].key", "kv[2].type", "kv[2].value",
/// "tensor[0].name_length", ".name", ".n_dims", ".ne[1]", ".type", ".offset", ".data", and "data".
struct RawImage {
  std::string bytes;
  std::map<std::string, size_t> at;

  /// Overwrites a field in place.
  template <typename T>
  RawImage& Patch(const std::string& field, T value) {
    std::memcpy(bytes.data() + at.at(field), &value, sizeof(value));
    return *this;
  }
};

struct RawGguf {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> n_tensors, n_kv;  ///< absent: as many as there are
  std::vector<RawKv> kvs;
  std::vector<RawTensor> tensors;
  uint64_t alignment = 32;

  RawImage Image() const;
  std::string Bytes() const { return Image().bytes; }

  /// Position of a key or tensor. REQUIRES: it is there.
  size_t Kv(std::string_view key) const;
  size_t Tensor(std::string_view name) const;
};

/// The same file as SerializeGguf gives, by other code.
RawGguf RawFrom(const GgufContents& contents);

/// RawFrom(MakeBaseModel()).
RawGguf RawBaseModel();

}  // namespace rf
