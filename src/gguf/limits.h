// What the reader of GGUF files accepts at most, and the smallest records the format allows.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace rf {

/// Limits on untrusted files. A count is also held against the bytes that remain in the file.
struct GgufLimits {
  uint64_t string_bytes = 16u << 20;     ///< one string value or array element
  uint64_t array_elements = 16u << 20;   ///< one array
  uint64_t n_kv = 100'000;               ///< metadata keys
  uint64_t n_tensors = 1'000'000;        ///< tensors of one file
  uint64_t metadata_bytes = 256u << 20;  ///< everything before the tensor data
  uint64_t key_bytes = 65'535;
  uint64_t tensor_name_bytes = 63;
  uint64_t alignment = 1u << 20;     ///< general.alignment, a power of two
  uint64_t dim = uint64_t{1} << 40;  ///< one dimension of a tensor
  uint64_t split_files = 512;
};

inline constexpr uint32_t kGgufMaxDims = 4;
inline constexpr uint64_t kGgufDefaultAlignment = 32;
inline constexpr uint64_t kGgufHeaderBytes = 24;     ///< magic, version, n_tensors, n_kv
inline constexpr uint64_t kGgufMinKvBytes = 14;      ///< key length, one byte of key, type, one byte of value
inline constexpr uint64_t kGgufMinTensorBytes = 33;  ///< name length, one byte of name, n_dims, one dim, type, offset

/// One line of `--print-limits`.
struct NamedLimit {
  std::string_view name;  ///< e.g. "gguf.string_bytes"
  uint64_t value;
  std::string_view meaning;
};

/// All of them, in the order of the struct.
std::vector<NamedLimit> DescribeLimits(const GgufLimits& limits);

}  // namespace rf
