// Program text in place of arguments.
#pragma once

#include <string_view>

#include "text/toolcall/input.h"
#include "text/toolcall/schemas.h"

namespace rf::toolcall {

/// Takes everything up to `terminator` (not taken; empty: up to the end) as the one argument of draft.name.
class CodeReader {
 public:
  explicit CodeReader(std::string_view terminator) : terminator_(terminator) {}
  Step Run(Input& in, Draft& draft, const ToolSchemas& schemas);

 private:
  std::string_view terminator_;
  bool is_begun_ = false;
};

}  // namespace rf::toolcall
