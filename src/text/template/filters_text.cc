// Filters on text.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "text/template/builtin_tools.h"
#include "text/template/formatting.h"
#include "text/template/markup.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

// A filter that maps the text of any value, keeping the safe mark.
template <std::string (*kMap)(std::string_view)>
Result<Value> MapText(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  RF_RETURN_IF_ERROR(in.meter().Walk(text.str().size() * 4));
  return NewStringLike(text, kMap(text.str()), in.meter());
}

// Jinja's title: words begin after white space, - ( { [ and <.
std::string TitleWords(std::string_view text) {
  std::string out;
  bool begins = true;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    const std::string_view piece = text.substr(at, c.size);
    const bool separates = IsSpace(c.value) || (c.value < 0x80 && std::string_view("-({[<").find(piece) != piece.npos);
    out += separates ? std::string(piece) : begins ? Upper(piece) : Lower(piece);
    begins = separates;
    at += c.size;
  }
  return out;
}

Result<Value> TrimFilter(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const auto chars, TextArgument(args, 0));
  return StripValue(text, true, true, chars, in.meter());
}

Result<Value> StringFilter(Interpreter& in, const Value& self, const Args&) {
  return ToStrValue(self, in.meter());
}

Result<Value> SafeFilter(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  return text.WithSafe(true);
}

Result<Value> ForceEscape(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(const std::string text, ToStr(self, in.meter()));
  RF_RETURN_IF_ERROR(in.meter().Charge(text.size() * 6));
  return Value::Str(EscapeHtml(text)).WithSafe(true);
}

Result<Value> EscapeFilter(Interpreter& in, const Value& self, const Args& args) {
  return self.is_safe() ? Result<Value>(self) : ForceEscape(in, self, args);
}

Result<Value> ReplaceFilter(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const Value old, ToStrValue(*args[0], in.meter()));
  RF_ASSIGN_OR_RETURN(const Value replacement, ToStrValue(*args[1], in.meter()));
  int64_t count = -1;
  if (args.Has(2) && !args[2]->is_none()) {
    RF_ASSIGN_OR_RETURN(count, IntArgument(args, 2, -1));
  }
  RF_ASSIGN_OR_RETURN(MarkedText out, Replace(text, old.str(), replacement, count, in.meter()));
  return Value::Str(std::move(out));
}

Result<Value> FormatFilter(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(self, in.meter()));
  if (!args.positional.empty() && !args.keyword.empty()) {
    return Fail("format takes positional or named arguments, not both");
  }
  if (args.keyword.empty()) return PercentFormat(text, Value::TupleOf(args.positional), in.meter());
  auto dict = MakeRef<Dict>();
  for (const auto& [name, value] : args.keyword) dict->Set(name, value);
  return PercentFormat(text, Value::FromDict(std::move(dict)), in.meter());
}

Result<JsonStyle> StyleOf(Interpreter& in, const Args& args) {
  JsonStyle style;
  style.ascii = BoolArgument(args, 0, false);
  style.sort_keys = BoolArgument(args, 3, false);
  style.lazy_as_list = in.options().lenient;
  if (args.Has(1) && !args[1]->is_none()) {
    constexpr int64_t kMaxIndent = 64;
    if (args[1]->is_string()) {
      style.indent = std::string(args[1]->str().substr(0, kMaxIndent));
    } else {
      RF_ASSIGN_OR_RETURN(const int64_t width, IntArgument(args, 1, 0));
      style.indent = std::string(static_cast<size_t>(std::clamp<int64_t>(width, 0, kMaxIndent)), ' ');
    }
    style.item_separator = ",";
  }
  if (args.Has(2) && !args[2]->is_none()) {
    if (!args[2]->is_sequence() || args[2]->items().size() != 2) return Fail("separators must be two strings");
    const std::vector<Value>& pair = args[2]->items();
    if (!pair[0].is_string() || !pair[1].is_string()) return Fail("separators must be two strings");
    style.item_separator = pair[0].str();
    style.key_separator = pair[1].str();
  }
  return style;
}

Result<Value> ToJsonFilter(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const JsonStyle style, StyleOf(in, args));
  RF_ASSIGN_OR_RETURN(MarkedText text, ToJson(self, style, in.meter()));
  for (const size_t i : {1, 2}) {  // the texts of indentation and separators
    if (args.Has(i) && HoldsInput(*args[i])) text.MarkAll();
  }
  return Value::Str(std::move(text));
}

Result<Value> FromJsonFilter(Interpreter& in, const Value& self, const Args&) {
  if (!self.is_string()) return Fail(fmt::format("the JSON text must be str, not {}", self.TypeName()));
  // A node of the parser takes about 16 times the two bytes that the shortest one has in the text.
  RF_RETURN_IF_ERROR(in.meter().Charge(self.str().size() * 16));
  const auto json = nlohmann::ordered_json::parse(self.str(), nullptr, false);
  if (json.is_discarded()) return Fail("from_json: the text is not JSON");
  return FromJson(json, {.is_input = self.has_input()}, in.meter());
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.-~").find(c) != std::string_view::npos;
}

std::string Quote(std::string_view text, bool in_query) {
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c) || (c == '/' && !in_query)) {
      out += c;
    } else if (c == ' ' && in_query) {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

Result<Value> UrlEncode(Interpreter& in, const Value& self, const Args&) {
  std::string out;
  if (self.is_string() || !IsIterable(self)) {
    RF_ASSIGN_OR_RETURN(const std::string text, ToStr(self, in.meter()));
    return in.NewString(Quote(text, false));
  }
  const Value source =
      self.is_dict() ? Value::Of(Type::kDictView, new DictView(Ref<Dict>(&self.dict()), DictView::Kind::kItems)) : self;
  RF_ASSIGN_OR_RETURN(const std::vector<Value> pairs, Items(source, in.meter()));
  for (const Value& pair : pairs) {
    if (!pair.is_sequence() || pair.items().size() != 2) return Fail("urlencode needs pairs");
    if (!out.empty()) out += '&';
    for (size_t i = 0; i < 2; ++i) {
      RF_ASSIGN_OR_RETURN(const std::string text, ToStr(pair.items()[i], in.meter()));
      if (i > 0) out += '=';
      out += Quote(text, true);
    }
  }
  return in.NewString(std::move(out));
}

Result<Value> XmlAttr(Interpreter& in, const Value& self, const Args& args) {
  if (!self.is_dict()) return Fail("xmlattr needs a dict");
  std::string out;
  for (const Dict::Entry& entry : self.dict().entries()) {
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    RF_ASSIGN_OR_RETURN(const std::string key, ToStr(entry.key, in.meter()));
    RF_ASSIGN_OR_RETURN(const std::string value, ToStr(entry.value, in.meter()));
    if (key.find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      return Fail("an attribute's name has a space or / > =");
    if (!out.empty()) out += ' ';
    out += EscapeHtml(key) + "=\"" + (entry.value.is_safe() ? value : EscapeHtml(value)) + '"';
  }
  if (!out.empty() && BoolArgument(args, 0, true)) out.insert(0, " ");
  return in.NewString(std::move(out));
}

constexpr std::array kTextFilters = {
    Builtin{"upper", "", MapText<Upper>, true},
    Builtin{"lower", "", MapText<Lower>, true},
    Builtin{"capitalize", "", MapText<Capitalize>, true},
    Builtin{"title", "", MapText<TitleWords>, true},
    Builtin{"striptags", "", MapText<StripTags>, true},
    Builtin{"trim", "?chars", TrimFilter},
    Builtin{"string", "", StringFilter},
    Builtin{"safe", "", SafeFilter},
    Builtin{"escape", "", EscapeFilter, true},
    Builtin{"e", "", EscapeFilter, true},
    Builtin{"forceescape", "", ForceEscape, true},
    Builtin{"replace", "old new ?count", ReplaceFilter},
    Builtin{"format", "*", FormatFilter, true},
    Builtin{"tojson", "?ensure_ascii ?indent ?separators ?sort_keys", ToJsonFilter},
    Builtin{"from_json", "", FromJsonFilter},
    Builtin{"urlencode", "", UrlEncode, true},
    Builtin{"xmlattr", "?autospace", XmlAttr, true},
};

}  // namespace

std::span<const Builtin> StringFilters() {
  return kTextFilters;
}

}  // namespace rf::jinja
