#include "text/template/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/template/interpreter.h"
#include "text/template/parser.h"
#include "text/template/unicode.h"

namespace rf {

struct Template::Impl {
  std::unique_ptr<const jinja::Program> program;
  std::vector<TemplateWarning> warnings;
};

namespace {

// "\r\n" and "\r" become "\n"; one newline at the end is dropped.
std::string NormalizeNewlines(std::string source) {
  size_t out = 0;
  for (size_t at = 0; at < source.size(); ++at) {
    if (source[at] == '\r') {
      if (at + 1 < source.size() && source[at + 1] == '\n') ++at;
      source[out++] = '\n';
    } else {
      source[out++] = source[at];
    }
  }
  source.resize(out);
  if (source.ends_with('\n')) source.pop_back();
  return source;
}

struct HiddenRange {
  uint32_t first;
  uint32_t last;
  std::string_view what;
};

constexpr std::array kHidden = {
    HiddenRange{0x00ad, 0x00ad, "a soft hyphen"},
    HiddenRange{0x061c, 0x061c, "a bidirectional control"},
    HiddenRange{0x115f, 0x1160, "an invisible filler"},
    HiddenRange{0x180e, 0x180e, "an invisible separator"},
    HiddenRange{0x200b, 0x200d, "a zero-width character"},
    HiddenRange{0x200e, 0x200f, "a bidirectional control"},
    HiddenRange{0x202a, 0x202e, "a bidirectional control"},
    HiddenRange{0x2060, 0x2064, "an invisible operator"},
    HiddenRange{0x2066, 0x2069, "a bidirectional control"},
    HiddenRange{0x3164, 0x3164, "an invisible filler"},
    HiddenRange{0xfeff, 0xfeff, "a byte order mark"},
    HiddenRange{0xffa0, 0xffa0, "an invisible filler"},
    HiddenRange{0xe0000, 0xe007f, "an invisible tag character"},
};

std::vector<TemplateWarning> FindHidden(std::string_view source) {
  constexpr size_t kMaxWarnings = 32;
  std::vector<TemplateWarning> warnings;
  for (size_t at = 0; at < source.size() && warnings.size() < kMaxWarnings;) {
    const jinja::CodePoint c = jinja::DecodeAt(source, at);
    const auto hidden =
        c.value < 0x80 ? kHidden.end() : std::find_if(kHidden.begin(), kHidden.end(), [&c](const HiddenRange& range) {
          return c.value >= range.first && c.value <= range.last;
        });
    if (hidden != kHidden.end()) {
      const jinja::Position position = jinja::PositionAt(source, at);
      warnings.push_back({c.value, position.line, position.column,
                          fmt::format("template:{}:{}: U+{:04X}, {}, which a reader does not see", position.line,
                                      position.column, c.value, hidden->what)});
    }
    at += c.size;
  }
  return warnings;
}

}  // namespace

Result<Template> Template::Parse(std::string source, const TemplateLimits& limits) {
  if (source.size() > limits.max_source_bytes) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("the chat template has {} bytes, at most {} are allowed", source.size(), limits.max_source_bytes),
        "template"};
  }
  if (const size_t nul = source.find('\0'); nul != std::string::npos) {
    return jinja::SyntaxError(jinja::PositionAt(source, nul), fmt::format("a NUL byte at offset {}", nul));
  }
  auto impl = std::make_shared<Impl>();
  impl->warnings = FindHidden(source);
  RF_ASSIGN_OR_RETURN(impl->program, jinja::ParseProgram(NormalizeNewlines(std::move(source)), limits));
  return Template(std::move(impl));
}

Result<std::string> Template::Render(const nlohmann::ordered_json& context, const RenderOptions& options) const {
  RF_ASSIGN_OR_RETURN(RenderedText rendered, RenderMarked(context, options));
  return std::move(rendered.text);
}

Result<RenderedText> Template::RenderMarked(const nlohmann::ordered_json& context, const RenderOptions& options) const {
  if (!context.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "the variables of a template must be a JSON object", "template"};
  }
  RF_ASSIGN_OR_RETURN(jinja::MarkedText marked, jinja::Interpreter(*impl_->program, options).Run(context));
  return RenderedText{std::move(marked.text), std::move(marked.input)};
}

const std::vector<TemplateWarning>& Template::warnings() const {
  return impl_->warnings;
}

bool Template::Mentions(const std::string& name) const {
  const auto& names = impl_->program->symbol_names;
  return std::any_of(names.begin() + jinja::kKnownSymbolCount, names.end(),
                     [&name](const jinja::Value& symbol) { return symbol.str() == name; });
}

}  // namespace rf
