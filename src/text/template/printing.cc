// Text forms of values: str(), repr(), JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "text/template/callable.h"
#include "text/template/unicode.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

std::string IntRepr(WideInt i) {
  if (i == 0) return "0";
  const bool negative = i < 0;
  auto rest = negative ? -static_cast<unsigned __int128>(i) : static_cast<unsigned __int128>(i);
  std::string out;
  for (; rest != 0; rest /= 10) out.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  if (negative) out.push_back('-');
  std::reverse(out.begin(), out.end());
  return out;
}

std::string FloatRepr(double d) {
  if (std::isnan(d)) return "nan";
  if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = text.find('e');
  int exponent = 0;
  const size_t sign_skip = text[e + 1] == '+' ? 2 : 1;
  std::from_chars(text.data() + e + sign_skip, end, exponent);
  // Python shows an exponent below 1e-4 and from 1e16 on.
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::fixed).ptr;
  std::string out(buffer.data(), fixed);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

namespace {

// Appends the text form of values to one string, watching depth and size.
class Printer {
 public:
  explicit Printer(Meter& meter) : meter_(meter) {}
  Status Repr(const Value& value, int depth);
  Status Json(const Value& value, const JsonStyle& style, int depth);
  Status Put(std::string_view text, bool is_input = false) {
    if (out_.text.size() + text.size() > meter_.limits().max_output_bytes) {
      return Fail(fmt::format("a printed value is longer than {} bytes", meter_.limits().max_output_bytes));
    }
    if (is_input) {
      out_.AppendInput(text);
    } else {
      out_.Append(text);
    }
    return {};
  }
  Result<MarkedText> Take() {
    RF_RETURN_IF_ERROR(meter_.Charge(out_.text.size()));
    return std::move(out_);
  }

 private:
  Status Enter(int depth) {
    if (depth > kMaxValueDepth) return Fail(fmt::format("a value is nested more than {} levels deep", kMaxValueDepth));
    return meter_.Step();
  }
  Status ReprSequence(const std::vector<Value>& items, std::string_view open, std::string_view close, int depth);
  Status ReprDict(const Dict& dict, int depth);
  Status ReprObject(const Value& value, int depth);
  Status JsonString(const Value& string, bool ascii);
  Status JsonKey(const Value& key, const JsonStyle& style);
  Status JsonList(const std::vector<Value>& items, const JsonStyle& style, int depth);
  Status JsonDict(const Dict& dict, const JsonStyle& style, int depth);
  Status NewLine(const JsonStyle& style, int depth);

  Meter& meter_;
  MarkedText out_;
};

std::string ReprString(std::string_view text) {
  const bool use_double = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = use_double ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    if (c.value == static_cast<uint32_t>(quote) || c.value == '\\') {
      out += {'\\', static_cast<char>(c.value)};
    } else if (c.value == '\n' || c.value == '\r' || c.value == '\t') {
      out += c.value == '\n' ? "\\n" : c.value == '\r' ? "\\r" : "\\t";
    } else if (IsPrintable(c.value)) {
      out += text.substr(at, c.size);
    } else if (c.value < 0x100) {
      out += fmt::format("\\x{:02x}", c.value);
    } else {
      out += c.value < 0x10000 ? fmt::format("\\u{:04x}", c.value) : fmt::format("\\U{:08x}", c.value);
    }
    at += c.size;
  }
  out += quote;
  return out;
}

Status Printer::ReprSequence(const std::vector<Value>& items, std::string_view open, std::string_view close,
                             int depth) {
  RF_RETURN_IF_ERROR(Put(open));
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) RF_RETURN_IF_ERROR(Put(", "));
    RF_RETURN_IF_ERROR(Repr(items[i], depth + 1));
  }
  return Put(close);
}

Status Printer::ReprDict(const Dict& dict, int depth) {
  RF_RETURN_IF_ERROR(Put("{"));
  bool first = true;
  for (const Dict::Entry& entry : dict.entries()) {
    if (!first) RF_RETURN_IF_ERROR(Put(", "));
    first = false;
    RF_RETURN_IF_ERROR(Repr(entry.key, depth + 1));
    RF_RETURN_IF_ERROR(Put(": "));
    RF_RETURN_IF_ERROR(Repr(entry.value, depth + 1));
  }
  return Put("}");
}

Status Printer::ReprObject(const Value& value, int depth) {
  switch (value.type()) {
    case Type::kDictView: {
      RF_RETURN_IF_ERROR(Put(value.TypeName()));
      RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value, meter_));
      return ReprSequence(items, "([", "])", depth);
    }
    case Type::kRange: {
      const Range& r = value.as<Range>();
      return Put(r.step == 1 ? fmt::format("range({}, {})", r.start, r.stop)
                             : fmt::format("range({}, {}, {})", r.start, r.stop, r.step));
    }
    case Type::kNamespace:
      RF_RETURN_IF_ERROR(Put("<Namespace "));
      RF_RETURN_IF_ERROR(ReprDict(value.as<Namespace>().attributes, depth));
      return Put(">");
    case Type::kMacro: return Put(fmt::format("<Macro '{}'>", value.as<Macro>().name()));
    case Type::kGenerator: return Put("<generator object>");
    default: return Put(fmt::format("<{}>", value.TypeName()));
  }
}

Status Printer::Repr(const Value& value, int depth) {
  RF_RETURN_IF_ERROR(Enter(depth));
  switch (value.type()) {
    case Type::kNone: return Put("None");
    case Type::kUndefined: return Put("Undefined");
    case Type::kBool: return Put(value.boolean() ? "True" : "False");
    case Type::kInt:
    case Type::kBigInt: return Put(IntRepr(value.wide()));
    case Type::kFloat: return Put(FloatRepr(value.number()));
    case Type::kString:
      RF_RETURN_IF_ERROR(meter_.Scan(value.str().size()));
      return Put(value.is_safe() ? fmt::format("Markup({})", ReprString(value.str())) : ReprString(value.str()),
                 value.has_input());
    case Type::kList: return ReprSequence(value.items(), "[", "]", depth);
    case Type::kTuple: return ReprSequence(value.items(), "(", value.items().size() == 1 ? ",)" : ")", depth);
    case Type::kDict: return ReprDict(value.dict(), depth);
    default: return ReprObject(value, depth);
  }
}

// What JSON text holds as it is.
bool IsPlainInJson(char c, bool ascii) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != '"' && byte != '\\' && !(ascii && byte > 0x7e);
}

std::string JsonEscape(uint32_t c) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  const size_t special = c < 0x80 ? kShort.find(static_cast<char>(c)) : std::string_view::npos;
  if (special != std::string_view::npos) return {'\\', kLetters[special]};
  if (c < 0x10000) return fmt::format("\\u{:04x}", c);
  const uint32_t rest = c - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

Status Printer::JsonString(const Value& string, bool ascii) {
  const std::string_view text = string.str();
  const bool is_input = string.has_input();
  RF_RETURN_IF_ERROR(meter_.Scan(text.size()));
  RF_RETURN_IF_ERROR(Put("\"", is_input));
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    while (at < text.size() && IsPlainInJson(text[at], ascii)) ++at;
    RF_RETURN_IF_ERROR(Put(text.substr(begin, at - begin), is_input));
    if (at == text.size()) break;
    const CodePoint c = DecodeAt(text, at);
    RF_RETURN_IF_ERROR(Put(JsonEscape(c.value), is_input));
    at += c.size;
  }
  return Put("\"", is_input);
}

std::string JsonNumber(const Value& value) {
  if (value.is_integer()) return IntRepr(value.wide());
  const double d = value.number();
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  return FloatRepr(d);
}

Status Printer::JsonKey(const Value& key, const JsonStyle& style) {
  switch (key.type()) {
    case Type::kString: return JsonString(key, style.ascii);
    case Type::kNone: return Put("\"null\"");
    case Type::kBool: return Put(key.boolean() ? "\"true\"" : "\"false\"");
    case Type::kInt:
    case Type::kBigInt:
    case Type::kFloat: return Put(fmt::format("\"{}\"", JsonNumber(key)));
    default: return Fail(fmt::format("keys must be str, int, float, bool or None, not {}", key.TypeName()));
  }
}

Status Printer::NewLine(const JsonStyle& style, int depth) {
  if (!style.indent) return {};
  RF_RETURN_IF_ERROR(Put("\n"));
  for (int i = 0; i < depth; ++i) RF_RETURN_IF_ERROR(Put(*style.indent));
  return {};
}

Status Printer::JsonList(const std::vector<Value>& items, const JsonStyle& style, int depth) {
  if (items.empty()) return Put("[]");
  RF_RETURN_IF_ERROR(Put("["));
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) RF_RETURN_IF_ERROR(Put(style.item_separator));
    RF_RETURN_IF_ERROR(NewLine(style, depth + 1));
    RF_RETURN_IF_ERROR(Json(items[i], style, depth + 1));
  }
  RF_RETURN_IF_ERROR(NewLine(style, depth));
  return Put("]");
}

Status Printer::JsonDict(const Dict& dict, const JsonStyle& style, int depth) {
  if (dict.entries().empty()) return Put("{}");
  std::vector<const Dict::Entry*> entries;
  for (const Dict::Entry& entry : dict.entries()) entries.push_back(&entry);
  if (style.sort_keys) {
    std::optional<Error> failure;
    std::stable_sort(entries.begin(), entries.end(), [&](const Dict::Entry* a, const Dict::Entry* b) {
      if (failure) return false;
      Result<bool> less = Less(a->key, b->key, meter_);
      if (!less) failure = less.error();
      return less && *less;
    });
    if (failure) return *failure;
  }
  RF_RETURN_IF_ERROR(Put("{"));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) RF_RETURN_IF_ERROR(Put(style.item_separator));
    RF_RETURN_IF_ERROR(NewLine(style, depth + 1));
    RF_RETURN_IF_ERROR(JsonKey(entries[i]->key, style));
    RF_RETURN_IF_ERROR(Put(style.key_separator));
    RF_RETURN_IF_ERROR(Json(entries[i]->value, style, depth + 1));
  }
  RF_RETURN_IF_ERROR(NewLine(style, depth));
  return Put("}");
}

Status Printer::Json(const Value& value, const JsonStyle& style, int depth) {
  RF_RETURN_IF_ERROR(Enter(depth));
  switch (value.type()) {
    case Type::kNone: return Put("null");
    case Type::kBool: return Put(value.boolean() ? "true" : "false");
    case Type::kInt:
    case Type::kBigInt:
    case Type::kFloat: return Put(JsonNumber(value));
    case Type::kString: return JsonString(value, style.ascii);
    case Type::kList:
    case Type::kTuple: return JsonList(value.items(), style, depth);
    case Type::kDict: return JsonDict(value.dict(), style, depth);
    case Type::kGenerator:
      if (style.lazy_as_list) {
        RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value, meter_));
        return JsonList(items, style, depth);
      }
      [[fallthrough]];
    default: return Fail(fmt::format("Object of type {} is not JSON serializable", value.TypeName()));
  }
}

}  // namespace

namespace {

Result<MarkedText> MarkedRepr(const Value& value, Meter& meter) {
  Printer printer(meter);
  RF_RETURN_IF_ERROR(printer.Repr(value, 0));
  return printer.Take();
}

}  // namespace

Result<std::string> Repr(const Value& value, Meter& meter) {
  RF_ASSIGN_OR_RETURN(MarkedText marked, MarkedRepr(value, meter));
  return std::move(marked.text);
}

Result<std::string> ToStr(const Value& value, Meter& meter) {
  if (value.is_undefined()) return std::string();
  if (!value.is_string()) return Repr(value, meter);
  RF_RETURN_IF_ERROR(meter.Charge(value.str().size()));
  return std::string(value.str());
}

Result<Value> ToStrValue(const Value& value, Meter& meter) {
  if (value.is_string()) return value;
  if (value.is_undefined()) return Value::Str("");
  RF_ASSIGN_OR_RETURN(MarkedText text, MarkedRepr(value, meter));
  return Value::Str(std::move(text));
}

namespace {

bool HoldsInput(const Value& value, int depth, int& budget);

template <typename T>
bool AnyHoldsInput(const std::vector<T>& items, int depth, int& budget) {
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& item) { return HoldsInput(item, depth + 1, budget); });
}

bool DictHoldsInput(const Dict& dict, int depth, int& budget) {
  return std::any_of(dict.entries().begin(), dict.entries().end(), [&](const Dict::Entry& entry) {
    return HoldsInput(entry.key, depth + 1, budget) || HoldsInput(entry.value, depth + 1, budget);
  });
}

bool HoldsInput(const Value& value, int depth, int& budget) {
  constexpr int kMaxDepth = 16;
  if (depth > kMaxDepth || --budget < 0) return true;
  switch (value.type()) {
    case Type::kString: return value.has_input();
    case Type::kList:
    case Type::kTuple: return AnyHoldsInput(value.items(), depth, budget);
    case Type::kDict: return DictHoldsInput(value.dict(), depth, budget);
    case Type::kDictView: return DictHoldsInput(*value.as<DictView>().dict, depth, budget);
    case Type::kNamespace: return DictHoldsInput(value.as<Namespace>().attributes, depth, budget);
    case Type::kGenerator: return AnyHoldsInput(value.as<Generator>().items, depth, budget);
    default: return false;
  }
}

}  // namespace

bool HoldsInput(const Value& value) {
  int budget = 1000;
  return HoldsInput(value, 0, budget);
}

Result<MarkedText> ToJson(const Value& value, const JsonStyle& style, Meter& meter) {
  Printer printer(meter);
  RF_RETURN_IF_ERROR(printer.Json(value, style, 0));
  return printer.Take();
}

}  // namespace rf::jinja
