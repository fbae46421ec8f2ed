#include "text/toolcall/code_argument.h"

#include "text/toolcall/json_copier.h"

namespace rf::toolcall {

Step CodeReader::Run(Input& in, Draft& draft, const ToolSchemas& schemas) {
  if (!is_begun_) {
    draft.arguments.assign(1, '{');
    draft.arguments += JsonString(schemas.CodeParameter(draft.name));
    draft.arguments += ":\"";
  }
  is_begun_ = true;
  const std::string_view rest = in.Rest();
  const size_t found = terminator_.empty() ? std::string_view::npos : rest.find(terminator_);
  const bool is_whole = found != std::string_view::npos || in.is_ended;
  size_t n_bytes = found != std::string_view::npos ? found : rest.size();
  if (!is_whole && !terminator_.empty()) n_bytes -= PartialMatch(rest, terminator_);
  AppendEscaped(draft.arguments, rest.substr(0, n_bytes));
  in.pos += n_bytes;
  if (!is_whole) return Step::kMore;
  draft.arguments += "\"}";
  return Step::kDone;
}

}  // namespace rf::toolcall
