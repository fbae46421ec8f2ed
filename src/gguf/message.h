// How errors of GGUF files are put together: one line of at most 300 bytes that names file, thing and byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rf {

/// A key or a name from a file, escaped and cut. Messages that hold two of them cut each to 40 bytes.
std::string NameForMessage(std::string_view name, size_t max_bytes = 64);

/// kCorruptFile at a byte of a file; `source` as PathForMessage gives it.
Error CorruptAt(const std::string& source, uint64_t offset, std::string message);

/// The unsigned number that a file has in a signed place, as the sign makes it.
inline int64_t AsSigned(uint64_t value) {
  return static_cast<int64_t>(value);
}

}  // namespace rf
