#include "gguf/message.h"

#include <fmt/format.h>

#include <utility>

#include "base/utf8.h"

namespace rf {

std::string NameForMessage(std::string_view name, size_t max_bytes) {
  return EscapeForMessage(name, max_bytes);
}

Error CorruptAt(const std::string& source, uint64_t offset, std::string message) {
  return Error{ErrorCode::kCorruptFile, std::move(message), fmt::format("{}, byte {}", source, offset)};
}

}  // namespace rf
