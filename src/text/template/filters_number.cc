// Filters on numbers, and default.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "text/template/builtin_tools.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

// Text of a Python number literal: stripped, single underscores between digits removed; nothing if it is not one.
std::optional<std::string> NumberText(std::string_view text) {
  std::string out;
  text = Strip(text, true, true);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto is_digit = [&](size_t at) { return at < text.size() && isxdigit(static_cast<uint8_t>(text[at])); };
    if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) return std::nullopt;
  }
  if (out.empty()) return std::nullopt;
  return out;
}

// int(text, base) or nothing.
std::optional<Value> ParseInteger(std::string_view text, int64_t base) {
  const std::optional<std::string> cleaned = NumberText(text);
  if (!cleaned || base < 0 || base > 36 || base == 1) return std::nullopt;
  std::string_view digits = *cleaned;
  const bool negative = digits[0] == '-';
  if (digits[0] == '-' || digits[0] == '+') digits.remove_prefix(1);
  if (digits.size() > 2 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    const int64_t named = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (named != 0 && (base == 0 || base == named)) {
      base = named;
      digits.remove_prefix(2);
    }
  }
  if (base == 0) base = 10;
  WideInt value = 0;
  if (digits.empty()) return std::nullopt;
  for (const char c : digits) {
    const char lower = static_cast<char>(c | 0x20);
    const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
    if (digit >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, WideInt{base}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, WideInt{digit}, &value)) return std::nullopt;
  }
  return Value::Wide(negative ? -value : value);
}

// float(text) or nothing.
std::optional<double> ParseFloat(std::string_view text) {
  const std::optional<std::string> cleaned = NumberText(text);
  if (!cleaned) return std::nullopt;
  std::string_view digits = *cleaned;
  if (digits[0] == '+') digits.remove_prefix(1);
  if (digits.empty() || digits[0] == '+') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return strtod(std::string(digits).c_str(), nullptr);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

Result<Value> IntFilter(Interpreter&, const Value& self, const Args& args) {
  const Value fallback = args.Has(0) ? *args[0] : Value::Int(0);
  if (self.is_undefined()) return Fail(self.UndefinedMessage());
  RF_ASSIGN_OR_RETURN(const int64_t base, IntArgument(args, 1, 10));
  std::optional<double> number;
  if (self.is_string()) {
    if (const std::optional<Value> value = ParseInteger(self.str(), base)) return *value;
    number = ParseFloat(self.str());
  } else if (self.is_integer()) {
    return Value::Wide(self.wide());
  } else if (self.Is(Type::kFloat)) {
    number = self.number();
  }
  if (!number || !std::isfinite(*number)) return fallback;
  return TruncateFloat(*number);
}

Result<Value> FloatFilter(Interpreter&, const Value& self, const Args& args) {
  if (self.is_undefined()) return Fail(self.UndefinedMessage());
  if (self.is_number()) return Value::Float(self.number());
  if (self.is_string()) {
    if (const std::optional<double> value = ParseFloat(self.str())) return Value::Float(*value);
  }
  return args.Has(0) ? *args[0] : Value::Float(0);
}

Result<Value> AbsFilter(Interpreter&, const Value& self, const Args&) {
  if (self.is_undefined()) return Fail(self.UndefinedMessage());
  if (!self.is_number()) return Fail(fmt::format("bad operand type for abs(): '{}'", self.TypeName()));
  if (self.Is(Type::kFloat)) return Value::Float(std::fabs(self.number()));
  return self.wide() < 0 ? ApplyUnary(UnaryOp::kNegate, self) : Result<Value>(Value::Wide(self.wide()));
}

// round(i, -digits): to a multiple of a power of ten, half to even.
Result<Value> RoundInteger(WideInt value, int64_t digits) {
  if (digits > 37) return Value::Int(0);
  WideInt unit = 1;
  for (int64_t i = 0; i < digits; ++i) unit *= 10;
  WideInt rest = value % unit;
  if (rest < 0) rest += unit;
  WideInt low;
  if (__builtin_sub_overflow(value, rest, &low)) return Fail("an integer needs more than 128 bits");
  const bool odd = (low / unit) % 2 != 0;
  const bool up = rest > unit - rest || (rest == unit - rest && odd);
  if (up && __builtin_add_overflow(low, unit, &low)) return Fail("an integer needs more than 128 bits");
  return Value::Wide(low);
}

double RoundFloat(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 400) return value;
  if (precision < 0) {
    if (precision < -400) return 0;
    const double unit = std::pow(10.0, static_cast<double>(-precision));
    return std::isfinite(unit) ? std::nearbyint(value / unit) * unit : 0;
  }
  // The decimal expansion is exact, so that rounding it is what Python does.
  return strtod(fmt::format("{:.{}f}", value, precision).c_str(), nullptr);
}

Result<Value> RoundFilter(Interpreter&, const Value& self, const Args& args) {
  if (self.is_undefined()) return Fail(self.UndefinedMessage());
  if (!self.is_number()) return Fail(fmt::format("round needs a number, not {}", self.TypeName()));
  RF_ASSIGN_OR_RETURN(const int64_t precision, IntArgument(args, 0, 0));
  RF_ASSIGN_OR_RETURN(const auto method, TextArgument(args, 1));
  if (!method || *method == "common") {
    if (self.Is(Type::kFloat)) return Value::Float(RoundFloat(self.number(), precision));
    return precision >= 0 ? Result<Value>(Value::Wide(self.wide())) : RoundInteger(self.wide(), -precision);
  }
  if (*method != "ceil" && *method != "floor") return Fail("round: method must be common, ceil or floor");
  const double unit = std::pow(10.0, static_cast<double>(std::clamp<int64_t>(precision, -300, 300)));
  const double scaled = self.number() * unit;
  return Value::Float((*method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit);
}

Result<Value> DefaultFilter(Interpreter&, const Value& self, const Args& args) {
  if (!self.is_undefined() && !(BoolArgument(args, 1, false) && !Truthy(self))) return self;
  return args.Has(0) ? *args[0] : Value::Str("");
}

constexpr std::array kNumberFilters = {
    Builtin{"int", "?default ?base", IntFilter},
    Builtin{"float", "?default", FloatFilter},
    Builtin{"abs", "", AbsFilter},
    Builtin{"round", "?precision ?method", RoundFilter},
    Builtin{"default", "?default_value ?boolean", DefaultFilter},
    Builtin{"d", "?default_value ?boolean", DefaultFilter},
};

}  // namespace

std::span<const Builtin> NumberFilters() {
  return kNumberFilters;
}

}  // namespace rf::jinja
