// Chat templates: the Jinja language as model files use it.
//
// A Template is parsed once and rendered often; it is immutable after Parse and may be rendered from several threads
// at once. Templates come with model files and are not trusted: source size, nesting, steps, memory and output are
// bounded, and nothing outside the values passed in can be reached. Language: docs/templates.md. Reference: Jinja2
// 3.1 in the sandboxed environment of Hugging Face transformers (trim_blocks, lstrip_blocks, loopcontrols, generation).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/text_span.h"

namespace rf {

struct TemplateLimits {
  size_t max_source_bytes = size_t{256} << 10;
  size_t max_output_bytes = size_t{8} << 20;
  /// Evaluated nodes, loop turns and KiB of text looked at, together.
  uint64_t max_steps = 500'000;
  /// Nesting of blocks and brackets in the source; of macro calls and recursive loops when rendering.
  int max_depth = 64;
  /// Bytes of all strings and containers that one rendering makes.
  size_t max_memory_bytes = size_t{48} << 20;
};

struct RenderOptions {
  TemplateLimits limits = {};
  /// What strftime_now sees, shown as UTC. Without it: the system clock in local time.
  std::optional<std::chrono::sys_seconds> now = std::nullopt;
  /// Accept what the reference's sandbox refuses and some published templates do: list.append, list.pop and the like
  /// on the template's own values, and tojson of a lazy filter's result.
  bool lenient = false;
  /// Variables whose text counts as the template's own, not as the caller's: those with the model's own tokens.
  std::vector<std::string> own_variables = {};
};

/// A rendered text. What the caller's values put into it can be told from what the template wrote.
struct RenderedText {
  std::string text;
  std::vector<TextSpan> input;  ///< spans that came from the caller's values; ascending, disjoint
};

/// Something in the source that a reader would not see.
struct TemplateWarning {
  uint32_t code_point;
  uint32_t line;
  uint32_t column;
  std::string message;
};

class Template {
 public:
  /// Compiles `source` (UTF-8). Errors: kInvalidArgument for a syntax error, an unknown filter or test, nesting or size
  /// beyond `limits`, a NUL byte; kUnsupported for tags that need other files. `where` is "template:LINE:COLUMN".
  static Result<Template> Parse(std::string source, const TemplateLimits& limits = {});

  /// Renders with the members of `context` (an object) as variables. Errors: kRejected when the template calls
  /// raise_exception, with its message (control characters escaped, at most 263 bytes); kInvalidArgument for the rest.
  /// `where` is "template:LINE:COLUMN".
  Result<std::string> Render(const nlohmann::ordered_json& context, const RenderOptions& options = {}) const;

  /// As Render, with the spans of the text that came from `context` (other than from options.own_variables). Where a
  /// filter does not follow the bytes of what goes into it, its whole result counts as input. The name of a well-known
  /// role does not: templates build markers from it.
  Result<RenderedText> RenderMarked(const nlohmann::ordered_json& context, const RenderOptions& options = {}) const;

  /// Bidirectional controls and invisible code points in the source.
  const std::vector<TemplateWarning>& warnings() const;

  /// Whether the source mentions this variable, function or parameter name.
  bool Mentions(const std::string& name) const;

 private:
  struct Impl;
  explicit Template(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace rf
