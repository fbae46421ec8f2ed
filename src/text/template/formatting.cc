#include "text/template/formatting.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "text/template/interpreter.h"
#include "text/template/markup.h"
#include "text/template/unicode.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

constexpr size_t kMaxWidth = 100'000;
constexpr int kMaxPrecision = 1'000;

}  // namespace

Result<std::string> Pad(std::string_view text, size_t width, char align, std::string_view fill, Meter& meter) {
  const size_t size = CountCodePoints(text);
  const size_t missing = width > size ? width - size : 0;
  if (missing > meter.limits().max_memory_bytes / fill.size()) return Fail("a padded string is too long");
  RF_RETURN_IF_ERROR(meter.Charge(text.size() + missing * fill.size()));
  const size_t left = align == '>' ? missing : align == '^' ? missing / 2 : 0;
  std::string out;
  for (size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (size_t i = left; i < missing; ++i) out += fill;
  return out;
}

Result<std::string> CenterText(std::string_view text, size_t width, std::string_view fill, Meter& meter) {
  const size_t size = CountCodePoints(text);
  if (width <= size) return std::string(text);
  const size_t missing = width - size;
  const size_t left = missing / 2 + (missing & width & 1);
  RF_ASSIGN_OR_RETURN(const std::string half, Pad(text, size + left, '>', fill, meter));
  return Pad(half, width, '<', fill, meter);
}

namespace {

std::string Group(std::string digits) {
  const size_t end = std::min(digits.find_first_of(".e"), digits.size());
  for (size_t at = end; at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

// Digits of a non-negative integer in the base that the type letter names.
std::string IntegerDigits(WideInt value, const FormatSpec& spec) {
  const int base = spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
  if (base == 10) return IntRepr(value);
  const std::string_view alphabet = spec.type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    // In two steps: GCC 12's UBSan instrumentation of the combined expression reads an uninitialized index.
    const auto digit = static_cast<size_t>(value % base);
    out += alphabet[digit];
    value /= base;
  } while (value != 0);
  if (spec.alternate) out += {spec.type, '0'};
  std::reverse(out.begin(), out.end());
  return out;
}

std::string FloatDigits(double value, const FormatSpec& spec) {
  const int precision = spec.precision < 0 ? 6 : std::min(spec.precision, kMaxPrecision);
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : "inf";
  switch (spec.type) {
    case 'e': return fmt::format("{:.{}e}", value, precision);
    case 'E': return fmt::format("{:.{}E}", value, precision);
    case 'g': return fmt::format("{:.{}g}", value, std::max(precision, 1));
    case 'G': return fmt::format("{:.{}G}", value, std::max(precision, 1));
    case '%': return fmt::format("{:.{}f}%", value * 100, precision);
    case 0:
    case 'r':
      if (spec.precision < 0) return FloatRepr(value);
      return fmt::format("{:.{}g}", value, std::max(precision, 1));
    default: return fmt::format("{:.{}f}", value, precision);
  }
}

bool IsOneOf(char c, std::string_view set) {
  return c != 0 && set.find(c) != std::string_view::npos;
}

Result<std::string> FormatNumber(const Value& value, const FormatSpec& spec, Meter& meter) {
  std::string digits;
  bool negative = false;
  if (value.is_integer() && (spec.type == 0 || IsOneOf(spec.type, "diuxXob"))) {
    negative = value.wide() < 0;
    const WideInt number = value.wide();
    digits = negative ? IntRepr(number).substr(1) : IntegerDigits(number, spec);
    if (negative && IsOneOf(spec.type, "xXob")) digits = IntegerDigits(-number, spec);
  } else {
    const double number = value.number();
    negative = std::signbit(number) && !std::isnan(number);
    digits = FloatDigits(negative ? -number : number, spec);
  }
  if (spec.grouping) digits = Group(std::move(digits));
  const std::string sign(negative || spec.sign != '-' ? 1 : 0, negative ? '-' : spec.sign);
  if (spec.align != '=') return Pad(sign + digits, spec.width, spec.align == 0 ? '>' : spec.align, spec.fill, meter);
  const size_t width = spec.width > sign.size() ? spec.width - sign.size() : 0;
  RF_ASSIGN_OR_RETURN(const std::string padded, Pad(digits, width, '>', spec.fill, meter));
  return sign + padded;
}

}  // namespace

Result<std::string> FormatValue(const Value& value, const FormatSpec& spec, Meter& meter) {
  if (value.is_undefined() && spec.type != 0 && spec.type != 's') return Fail(value.UndefinedMessage());
  const bool as_text = spec.type == 's' || (spec.type == 0 && (!value.is_number() || value.Is(Type::kBool)));
  if (!as_text) {
    if (!value.is_number()) {
      return Fail(fmt::format("format type '{}' needs a number, not {}", spec.type, value.TypeName()));
    }
    if (!value.is_integer() && IsOneOf(spec.type, "xXob")) {
      return Fail(fmt::format("format type '{}' needs an integer, not float", spec.type));
    }
    return FormatNumber(value, spec, meter);
  }
  RF_ASSIGN_OR_RETURN(std::string text, ToStr(value, meter));
  if (spec.precision >= 0) text.resize(ByteOffset(text, static_cast<size_t>(spec.precision)));
  return Pad(text, spec.width, spec.align == 0 || spec.align == '=' ? '<' : spec.align, spec.fill, meter);
}

namespace {

// A decimal number at the front of `text`, at most `limit`.
Result<size_t> TakeNumber(std::string_view& text, size_t limit) {
  size_t value = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    value = value * 10 + static_cast<size_t>(text[0] - '0');
    if (value > limit) return Fail(fmt::format("a number in a format is larger than {}", limit));
    text.remove_prefix(1);
  }
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

Result<FormatSpec> ParseSpec(std::string_view text) {
  FormatSpec spec;
  if (!text.empty()) {
    const size_t fill = DecodeAt(text, 0).size;
    if (fill < text.size() && IsOneOf(text[fill], "<>^=")) {
      spec.fill = std::string(text.substr(0, fill));
      spec.align = text[fill];
      text.remove_prefix(fill + 1);
    } else if (IsOneOf(text[0], "<>^=")) {
      spec.align = text[0];
      text.remove_prefix(1);
    }
  }
  if (!text.empty() && IsOneOf(text[0], "+- ")) {
    spec.sign = text[0];
    text.remove_prefix(1);
  }
  spec.alternate = TakeChar(text, '#');
  if (TakeChar(text, '0') && spec.align == 0) {
    spec.align = '=';
    spec.fill.assign(1, '0');
  }
  RF_ASSIGN_OR_RETURN(spec.width, TakeNumber(text, kMaxWidth));
  spec.grouping = TakeChar(text, ',');
  if (TakeChar(text, '.')) {
    RF_ASSIGN_OR_RETURN(const size_t precision, TakeNumber(text, kMaxPrecision));
    spec.precision = static_cast<int>(precision);
  }
  if (!text.empty() && IsOneOf(text[0], "sdifFeEgGxXob%")) {
    spec.type = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty()) return Fail("a format specification is not understood");
  return spec;
}

// Walks a str.format template.
class BraceFormatter {
 public:
  BraceFormatter(Interpreter& interpreter, const Args& args) : interpreter_(interpreter), args_(args) {}

  Result<std::string> Run(std::string_view text) {
    while (!text.empty()) {
      const size_t brace = std::min(text.find_first_of("{}"), text.size());
      out_ += text.substr(0, brace);
      text.remove_prefix(brace);
      if (text.empty()) break;
      if (text.starts_with("{{") || text.starts_with("}}")) {
        out_ += text[0];
        text.remove_prefix(2);
        continue;
      }
      const size_t end = text.find('}');
      if (text[0] == '}' || end == std::string_view::npos) return Fail("a single brace in a format string");
      RF_RETURN_IF_ERROR(Field(text.substr(1, end - 1)));
      text.remove_prefix(end + 1);
      RF_RETURN_IF_ERROR(interpreter_.meter().Step());
    }
    RF_RETURN_IF_ERROR(interpreter_.meter().Charge(out_.size()));
    return std::move(out_);
  }

 private:
  Result<Value> Argument(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) {
      size_t index = next_;
      if (name.empty()) {
        ++next_;
      } else {
        RF_ASSIGN_OR_RETURN(index, TakeNumber(name, kMaxWidth));
        if (!name.empty()) return Fail("a format field has a bad number");
      }
      if (index < args_.positional.size()) return args_.positional[index];
      return Fail(fmt::format("format() has no argument {}", index));
    }
    for (const auto& [given, value] : args_.keyword) {
      if (given.str() == name) return value;
    }
    return Fail(fmt::format("format() has no argument '{}'", EscapeForMessage(name, 60)));
  }

  Status Field(std::string_view field) {
    const size_t colon = std::min(field.find(':'), field.size());
    std::string_view name = field.substr(0, colon);
    const size_t bang = std::min(name.find('!'), name.size());
    const std::string_view conversion = name.substr(bang);
    name = name.substr(0, bang);
    RF_ASSIGN_OR_RETURN(FormatSpec spec, ParseSpec(field.substr(std::min(colon + 1, field.size()))));
    const size_t path = std::min(name.find_first_of(".["), name.size());
    RF_ASSIGN_OR_RETURN(Value value, Argument(name.substr(0, path)));
    RF_ASSIGN_OR_RETURN(value, FollowPath(value, name.substr(path)));
    if (conversion == "!r" || conversion == "!s") {
      RF_ASSIGN_OR_RETURN(std::string text,
                          conversion == "!r" ? Repr(value, interpreter_.meter()) : ToStr(value, interpreter_.meter()));
      value = Value::Str(std::move(text));
    } else if (!conversion.empty()) {
      return Fail("a format field has an unknown conversion");
    }
    RF_ASSIGN_OR_RETURN(const std::string text, FormatValue(value, spec, interpreter_.meter()));
    out_ += text;
    return {};
  }

  Result<Value> FollowPath(Value value, std::string_view path) {
    while (!path.empty()) {
      const bool item = path[0] == '[';
      path.remove_prefix(1);
      const size_t end = std::min(path.find_first_of(item ? "]" : ".["), path.size());
      const std::string_view key = path.substr(0, end);
      path.remove_prefix(item ? std::min(end + 1, path.size()) : end);
      int64_t number = 0;
      const bool is_number =
          item && std::from_chars(key.data(), key.data() + key.size(), number).ptr == key.data() + key.size();
      const Value key_value = is_number ? Value::Int(number) : Value::Str(std::string(key));
      RF_ASSIGN_OR_RETURN(value, item ? interpreter_.Item(value, key_value) : interpreter_.Attribute(value, key_value));
    }
    return value;
  }

  Interpreter& interpreter_;
  const Args& args_;
  std::string out_;
  size_t next_ = 0;
};

}  // namespace

Result<std::string> BraceFormat(Interpreter& interpreter, std::string_view text, const Args& args) {
  return BraceFormatter(interpreter, args).Run(text);
}

namespace {

// Walks a template of the % operator.
class PercentFormatter {
 public:
  PercentFormatter(const Value& values, bool escape, Meter& meter) : values_(values), escape_(escape), meter_(meter) {}

  Result<std::string> Run(std::string_view text) {
    while (!text.empty()) {
      const size_t percent = std::min(text.find('%'), text.size());
      out_ += text.substr(0, percent);
      text.remove_prefix(percent);
      if (text.empty()) break;
      text.remove_prefix(1);
      if (TakeChar(text, '%')) {
        out_ += '%';
      } else {
        RF_RETURN_IF_ERROR(Field(text));
      }
      RF_RETURN_IF_ERROR(meter_.Step());
    }
    if (values_.Is(Type::kTuple) && next_ < values_.items().size()) {
      return Fail("not all arguments converted during string formatting");
    }
    RF_RETURN_IF_ERROR(meter_.Charge(out_.size()));
    return std::move(out_);
  }

 private:
  Result<Value> NextValue() {
    const bool is_tuple = values_.Is(Type::kTuple);
    const size_t count = is_tuple ? values_.items().size() : 1;
    if (next_ >= count) return Fail("not enough arguments for format string");
    ++next_;
    return is_tuple ? values_.items()[next_ - 1] : values_;
  }

  Result<Value> NamedValue(std::string_view& text) {
    const size_t end = text.find(')');
    if (end == std::string_view::npos || !values_.is_dict()) return Fail("a format field needs a dict and a ')'");
    const Value* value = values_.dict().Find(text.substr(0, end));
    if (value == nullptr)
      return Fail(fmt::format("no key '{}' for a format", EscapeForMessage(text.substr(0, end), 60)));
    text.remove_prefix(end + 1);
    return *value;
  }

  Status Field(std::string_view& text) {
    FormatSpec spec;
    spec.align = '>';
    Value named;
    const bool is_named = TakeChar(text, '(');
    if (is_named) {
      RF_ASSIGN_OR_RETURN(named, NamedValue(text));
    }
    for (; !text.empty() && IsOneOf(text[0], "-+ 0#"); text.remove_prefix(1)) {
      if (text[0] == '-') spec.align = '<';
      if (text[0] == '0' && spec.align != '<') spec.align = '=';
      if (text[0] == '+' || text[0] == ' ') spec.sign = text[0];
      if (text[0] == '#') spec.alternate = true;
    }
    if (spec.align == '=') spec.fill.assign(1, '0');
    RF_ASSIGN_OR_RETURN(spec.width, TakeNumber(text, kMaxWidth));
    if (TakeChar(text, '.')) {
      RF_ASSIGN_OR_RETURN(const size_t precision, TakeNumber(text, kMaxPrecision));
      spec.precision = static_cast<int>(precision);
    }
    if (text.empty() || !IsOneOf(text[0], "sridufFeEgGxXoc")) return Fail("a % format has an unsupported type");
    const char type = text[0];
    text.remove_prefix(1);
    Value value = named;
    if (!is_named) {
      RF_ASSIGN_OR_RETURN(value, NextValue());
    }
    return Convert(value, type, spec);
  }

  Status Convert(Value value, char type, FormatSpec spec) {
    spec.type = type;
    if (type == 's' || type == 'r' || type == 'c') {
      spec.type = 's';
      if (spec.align == '=')
        spec = FormatSpec{.align = '>', .width = spec.width, .precision = spec.precision, .type = 's'};
      RF_ASSIGN_OR_RETURN(std::string text, type == 'r' ? Repr(value, meter_) : ToStr(value, meter_));
      value = Value::Str(escape_ && !value.is_safe() ? EscapeHtml(text) : std::move(text));
    } else if (IsOneOf(type, "diu")) {
      spec.type = 'd';
      if (value.Is(Type::kFloat)) {
        RF_ASSIGN_OR_RETURN(value, TruncateFloat(value.number()));
      }
    }
    RF_ASSIGN_OR_RETURN(const std::string text, FormatValue(value, spec, meter_));
    out_ += text;
    return {};
  }

  const Value& values_;
  bool escape_;
  Meter& meter_;
  std::string out_;
  size_t next_ = 0;
};

}  // namespace

Result<Value> PercentFormat(const Value& text, const Value& values, Meter& meter) {
  RF_RETURN_IF_ERROR(meter.Scan(text.str().size()));
  RF_ASSIGN_OR_RETURN(std::string out, PercentFormatter(values, text.is_safe(), meter).Run(text.str()));
  const Value made = Value::Str(std::move(out));
  return (HoldsInput(text) || HoldsInput(values) ? made.AsInput() : made).WithSafe(text.is_safe());
}

}  // namespace rf::jinja
