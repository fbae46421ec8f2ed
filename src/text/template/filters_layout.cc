// Filters that lay text out: indentation, width, length.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "text/template/builtin_tools.h"
#include "text/template/formatting.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

constexpr int64_t kMaxFilterWidth = 100'000;

Result<size_t> WidthArgument(const Args& args, size_t i, int64_t fallback) {
  RF_ASSIGN_OR_RETURN(const int64_t width, IntArgument(args, i, fallback));
  if (width > kMaxFilterWidth) return Fail(fmt::format("a width is larger than {}", kMaxFilterWidth));
  return static_cast<size_t>(std::max<int64_t>(width, 0));
}

Result<Value> Indent(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  std::string indentation;
  if (args.Has(0) && args[0]->is_string()) {
    indentation = args[0]->str();
  } else {
    RF_ASSIGN_OR_RETURN(const size_t width, WidthArgument(args, 0, 4));
    indentation.assign(width, ' ');
  }
  const bool first = BoolArgument(args, 1, false);
  const bool blank = BoolArgument(args, 2, false);
  const std::string with_end = std::string(text.str()) + "\n";
  const std::vector<std::string_view> lines = SplitLines(with_end);
  if (indentation.size() > kMaxFilterWidth) return Fail(fmt::format("a width is larger than {}", kMaxFilterWidth));
  RF_RETURN_IF_ERROR(in.meter().Charge(with_end.size() + lines.size() * indentation.size()));
  std::string out = first ? indentation : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      out += '\n';
      if (blank || !lines[i].empty()) out += indentation;
    }
    out += lines[i];
  }
  return Value::Str(std::move(out)).WithSafe(text.is_safe());
}

Result<Value> Center(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const size_t width, WidthArgument(args, 0, 80));
  RF_ASSIGN_OR_RETURN(std::string out, CenterText(text.str(), width, " ", in.meter()));
  return Value::Str(std::move(out)).WithSafe(text.is_safe());
}

Result<Value> Truncate(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const size_t length, WidthArgument(args, 0, 255));
  RF_ASSIGN_OR_RETURN(const auto end_argument, TextArgument(args, 2));
  const std::string_view end = end_argument.value_or("...");
  RF_ASSIGN_OR_RETURN(const size_t leeway, WidthArgument(args, 3, 5));
  const size_t end_length = CountCodePoints(end);
  if (length < end_length) return Fail(fmt::format("truncate: expected length >= {}, got {}", end_length, length));
  const std::string_view s = text.str();
  if (CountCodePoints(s) <= length + leeway) return text;
  std::string_view kept = s.substr(0, ByteOffset(s, length - end_length));
  if (!BoolArgument(args, 1, false)) kept = kept.substr(0, kept.rfind(' '));
  return NewStringLike(text, std::string(kept) + std::string(end), in.meter());
}

Result<Value> WordCount(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  int64_t count = 0;
  bool in_word = false;
  const std::string_view s = text.str();
  for (size_t at = 0; at < s.size();) {
    const CodePoint c = DecodeAt(s, at);
    const bool is_word = IsAlpha(c.value) || IsDigit(c.value) || c.value == '_';
    count += is_word && !in_word;
    in_word = is_word;
    at += c.size;
  }
  return Value::Int(count);
}

// Breaks one line into lines of at most `width` code points, at spaces where it can.
class LineWrapper {
 public:
  LineWrapper(size_t width, bool break_long) : width_(std::max<size_t>(width, 1)), break_long_(break_long) {}

  std::vector<std::string> Run(std::string_view line) {
    while (!line.empty()) {
      const bool space = line[0] == ' ';
      const size_t end = std::min(space ? line.find_first_not_of(' ') : line.find(' '), line.size());
      Add(line.substr(0, end), space);
      line.remove_prefix(end);
    }
    Flush();
    return std::move(lines_);
  }

 private:
  void Add(std::string_view piece, bool space) {
    size_t length = CountCodePoints(piece);
    if (space && current_.empty() && !lines_.empty()) return;
    if (used_ + length > width_ && !(break_long_ && length > width_ && !space)) {
      Flush();
      if (space) return;
    }
    while (break_long_ && length > width_ - used_) {
      const size_t cut = ByteOffset(piece, width_ - used_);
      current_ += piece.substr(0, cut);
      length -= width_ - used_;
      piece.remove_prefix(cut);
      Flush();
    }
    current_ += piece;
    used_ += length;
  }

  void Flush() {
    while (current_.ends_with(' ')) current_.pop_back();
    if (!current_.empty()) lines_.push_back(std::move(current_));
    current_.clear();
    used_ = 0;
  }

  size_t width_;
  bool break_long_;
  std::vector<std::string> lines_;
  std::string current_;
  size_t used_ = 0;
};

Result<Value> WordWrap(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const size_t width, WidthArgument(args, 0, 79));
  RF_ASSIGN_OR_RETURN(const auto separator_argument, TextArgument(args, 2));
  const std::string_view separator = separator_argument.value_or("\n");
  RF_RETURN_IF_ERROR(in.meter().Charge(text.str().size() * (1 + std::min<size_t>(separator.size(), 1000))));
  if (separator.size() > 1000) return Fail("wordwrap: the separator has more than 1000 bytes");
  std::string out;
  bool first = true;
  for (const std::string_view line : SplitLines(text.str())) {
    if (!first) out += separator;
    first = false;
    bool first_part = true;
    for (const std::string& part : LineWrapper(width, BoolArgument(args, 1, true)).Run(line)) {
      if (!first_part) out += separator;
      first_part = false;
      out += part;
    }
  }
  return Value::Str(std::move(out)).WithSafe(text.is_safe());
}

Result<Value> FileSizeFormat(Interpreter&, const Value& self, const Args& args) {
  if (!self.is_number()) return Fail(fmt::format("filesizeformat needs a number, not {}", self.TypeName()));
  const bool binary = BoolArgument(args, 0, false);
  const double base = binary ? 1024 : 1000;
  const double bytes = self.number();
  if (bytes == 1) return Value::Str("1 Byte");
  if (bytes < base) return Value::Str(fmt::format("{:.0f} Bytes", std::trunc(bytes)));
  constexpr std::string_view kUnits = "kMGTPEZY";
  double unit = base;
  size_t i = 0;
  for (; i + 1 < kUnits.size() && bytes >= unit * base; ++i) unit *= base;
  const char letter = binary && i == 0 ? 'K' : kUnits[i];
  return Value::Str(fmt::format("{:.1f} {}{}", bytes / unit, letter, binary ? "iB" : "B"));
}

constexpr std::array kLayoutFilters = {
    Builtin{"indent", "?width ?first ?blank", Indent, true},
    Builtin{"center", "?width", Center, true},
    Builtin{"truncate", "?length ?killwords ?end ?leeway", Truncate, true},
    Builtin{"wordcount", "", WordCount},
    Builtin{"wordwrap", "?width ?break_long_words ?wrapstring ?break_on_hyphens", WordWrap, true},
    Builtin{"filesizeformat", "?binary", FileSizeFormat},
};

}  // namespace

std::span<const Builtin> LayoutFilters() {
  return kLayoutFilters;
}

}  // namespace rf::jinja
