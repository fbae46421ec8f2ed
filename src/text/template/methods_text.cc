// Methods of strings that change or lay out text.
#include <fmt/format.h>

#include <array>

#include "text/template/builtin_tools.h"
#include "text/template/formatting.h"
#include "text/template/markup.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

template <std::string (*kMap)(std::string_view)>
Result<Value> MapMethod(Interpreter& in, const Value& self, const Args&) {
  RF_RETURN_IF_ERROR(in.meter().Walk(self.str().size() * 4));
  return NewStringLike(self, kMap(self.str()), in.meter());
}

template <bool kLeft, bool kRight>
Result<Value> StripMethod(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const auto chars, TextArgument(args, 0));
  return StripValue(self, kLeft, kRight, chars, in.meter());
}

Result<std::string_view> RequiredText(const Args& args, size_t i) {
  RF_ASSIGN_OR_RETURN(const auto text, TextArgument(args, i));
  if (!text) return Fail("an argument must be str, not NoneType");
  return *text;
}

Result<Value> ReplaceMethod(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string_view old, RequiredText(args, 0));
  RF_RETURN_IF_ERROR(RequiredText(args, 1));
  RF_ASSIGN_OR_RETURN(const int64_t count, IntArgument(args, 2, -1));
  const Value replacement = self.is_safe() ? EscapeUnsafe(*args[1]) : *args[1];
  RF_ASSIGN_OR_RETURN(MarkedText out, Replace(self, old, replacement, count, in.meter()));
  return Value::Str(std::move(out)).WithSafe(self.is_safe());
}

Result<Value> JoinMethod(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(*args[0], in.meter()));
  MarkedText out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_string()) {
      return Fail(fmt::format("sequence item {}: expected str instance, {} found", i, items[i].TypeName()));
    }
    RF_RETURN_IF_ERROR(in.meter().Charge(self.str().size() + items[i].str().size()));
    if (i > 0) self.AppendTo(out);
    (self.is_safe() ? EscapeUnsafe(items[i]) : items[i]).AppendTo(out);
  }
  return Value::Str(std::move(out)).WithSafe(self.is_safe());
}

Result<Value> FormatMethod(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(std::string out, BraceFormat(in, self.str(), args));
  return Value::Str(std::move(out)).WithSafe(self.is_safe());
}

Result<Value> FormatMap(Interpreter& in, const Value& self, const Args& args) {
  if (!args[0]->is_dict()) return Fail("format_map needs a dict");
  Args named;
  for (const Dict::Entry& entry : args[0]->dict().entries()) {
    if (entry.key.is_string()) named.keyword.emplace_back(entry.key, entry.value);
  }
  return FormatMethod(in, self, named);
}

Result<size_t> WidthOf(const Args& args) {
  RF_ASSIGN_OR_RETURN(const int64_t width, IntArgument(args, 0, 0));
  if (width > 100'000) return Fail("a width is larger than 100000");
  return static_cast<size_t>(std::max<int64_t>(width, 0));
}

template <char kAlign>
Result<Value> Justify(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const size_t width, WidthOf(args));
  RF_ASSIGN_OR_RETURN(const auto fill_argument, TextArgument(args, 1));
  const std::string_view fill = fill_argument.value_or(" ");
  if (CountCodePoints(fill) != 1) return Fail("the fill character must be exactly one character long");
  RF_ASSIGN_OR_RETURN(std::string out, kAlign == '^' ? CenterText(self.str(), width, fill, in.meter())
                                                     : Pad(self.str(), width, kAlign, fill, in.meter()));
  return Value::Str(std::move(out)).WithSafe(self.is_safe());
}

Result<Value> ZFill(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const size_t width, WidthOf(args));
  std::string_view digits = self.str();
  const bool has_sign = digits.starts_with('-') || digits.starts_with('+');
  const std::string sign(digits.substr(0, has_sign ? 1 : 0));
  digits.remove_prefix(sign.size());
  RF_ASSIGN_OR_RETURN(const std::string padded,
                      Pad(digits, width > sign.size() ? width - sign.size() : 0, '>', "0", in.meter()));
  return Value::Str(sign + padded).WithSafe(self.is_safe());
}

Result<Value> ExpandTabs(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const int64_t tab, IntArgument(args, 0, 8));
  if (tab > 1000) return Fail("a tab size is larger than 1000");
  const std::string_view text = self.str();
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t size = DecodeAt(text, at).size;
    if (text[at] == '\t') {
      const size_t blanks = tab > 0 ? static_cast<size_t>(tab) - column % static_cast<size_t>(tab) : 0;
      RF_RETURN_IF_ERROR(in.meter().Charge(blanks));
      out.append(blanks, ' ');
      column += blanks;
    } else {
      out += text.substr(at, size);
      column = text[at] == '\n' || text[at] == '\r' ? 0 : column + 1;
    }
    at += size;
  }
  return NewStringLike(self, std::move(out), in.meter());
}

Result<Value> RemovePrefix(Interpreter&, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string_view prefix, RequiredText(args, 0));
  return self.str().starts_with(prefix) ? Value::SubStr(self, self.str().substr(prefix.size())) : self;
}

Result<Value> RemoveSuffix(Interpreter&, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string_view suffix, RequiredText(args, 0));
  const size_t size = self.str().size();
  return self.str().ends_with(suffix) ? Value::SubStr(self, self.str().substr(0, size - suffix.size())) : self;
}

constexpr std::array kTextMethods = {
    Builtin{"strip", "?chars", StripMethod<true, true>},
    Builtin{"lstrip", "?chars", StripMethod<true, false>},
    Builtin{"rstrip", "?chars", StripMethod<false, true>},
    Builtin{"upper", "", MapMethod<Upper>, true},
    Builtin{"lower", "", MapMethod<Lower>, true},
    Builtin{"casefold", "", MapMethod<Lower>, true},
    Builtin{"title", "", MapMethod<Title>, true},
    Builtin{"capitalize", "", MapMethod<Capitalize>, true},
    Builtin{"swapcase", "", MapMethod<SwapCase>, true},
    Builtin{"replace", "old new ?count", ReplaceMethod},
    Builtin{"join", "iterable", JoinMethod},
    Builtin{"format", "*", FormatMethod, true},
    Builtin{"format_map", "mapping", FormatMap, true},
    Builtin{"center", "width ?fillchar", Justify<'^'>, true},
    Builtin{"ljust", "width ?fillchar", Justify<'<'>, true},
    Builtin{"rjust", "width ?fillchar", Justify<'>'>, true},
    Builtin{"zfill", "width", ZFill, true},
    Builtin{"expandtabs", "?tabsize", ExpandTabs, true},
    Builtin{"removeprefix", "prefix", RemovePrefix},
    Builtin{"removesuffix", "suffix", RemoveSuffix},
};

}  // namespace

std::span<const Builtin> StringMethods() {
  return kTextMethods;
}

}  // namespace rf::jinja
