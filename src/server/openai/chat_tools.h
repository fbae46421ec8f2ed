// The tools of a chat completion request.
#pragma once

#include "server/openai/fields.h"

namespace rf::server {

inline constexpr size_t kMaxTools = 1024;

/// What a request says about tools.
struct ChatTools {
  /// The schemas as they were sent; null if the model is to see none.
  Fields::Json schemas = nullptr;
  bool is_parallel = true;  ///< several calls in one answer
};

/// Reads tools, tool_choice and parallel_tool_calls. A choice that the model would have to be forced to is refused by
/// name. Problems are left in `fields`.
ChatTools ReadChatTools(Fields& fields);

}  // namespace rf::server
