// Arithmetic and concatenation, as Python does them.
#include <fmt/format.h>

#include <cmath>

#include "text/template/interpreter.h"
#include "text/template/markup.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "**"};

Error BadOperands(BinaryOp op, const Value& a, const Value& b) {
  if (a.is_undefined()) return Fail(a.UndefinedMessage());
  if (b.is_undefined()) return Fail(b.UndefinedMessage());
  if (op == BinaryOp::kAdd && (a.is_string() || a.is_sequence())) {
    return Fail(fmt::format("can only concatenate {0} (not \"{1}\") to {0}", a.TypeName(), b.TypeName()));
  }
  return Fail(fmt::format("unsupported operand type(s) for {}: '{}' and '{}'", kSymbols[static_cast<size_t>(op)],
                          a.TypeName(), b.TypeName()));
}

Error TooWide() {
  return Fail("an integer needs more than 128 bits");
}

Result<Value> IntegerPower(WideInt base, WideInt exponent) {
  WideInt result = 1;
  if (base == 0 || base == 1) return Value::Wide(exponent == 0 ? 1 : base);
  if (base == -1) return Value::Wide(exponent % 2 == 0 ? 1 : -1);
  if (exponent > 127) return TooWide();
  for (WideInt i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) return TooWide();
  }
  return Value::Wide(result);
}

Result<Value> IntegerDivision(BinaryOp op, WideInt a, WideInt b) {
  if (b == 0) return Fail("integer division or modulo by zero");
  if (b == -1) {  // the one quotient that can overflow
    WideInt negated;
    if (op == BinaryOp::kMod) return Value::Int(0);
    return __builtin_sub_overflow(WideInt{0}, a, &negated) ? Result<Value>(TooWide()) : Value::Wide(negated);
  }
  WideInt quotient = a / b;
  WideInt rest = a % b;
  if (rest != 0 && (rest < 0) != (b < 0)) {  // rounds down
    rest += b;
    --quotient;
  }
  return Value::Wide(op == BinaryOp::kMod ? rest : quotient);
}

Result<Value> IntegerArithmetic(BinaryOp op, WideInt a, WideInt b) {
  WideInt out = 0;
  bool overflow = false;
  switch (op) {
    case BinaryOp::kAdd: overflow = __builtin_add_overflow(a, b, &out); break;
    case BinaryOp::kSub: overflow = __builtin_sub_overflow(a, b, &out); break;
    case BinaryOp::kMul: overflow = __builtin_mul_overflow(a, b, &out); break;
    case BinaryOp::kFloorDiv:
    case BinaryOp::kMod: return IntegerDivision(op, a, b);
    case BinaryOp::kDiv:
      if (b == 0) return Fail("division by zero");
      return Value::Float(static_cast<double>(a) / static_cast<double>(b));
    case BinaryOp::kPow:
      if (b >= 0) return IntegerPower(a, b);
      if (a == 0) return Fail("0.0 cannot be raised to a negative power");
      return Value::Float(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
  return overflow ? Result<Value>(TooWide()) : Value::Wide(out);
}

// Python's float %: the sign of the divisor.
double FloatModulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return rest;
}

Result<Value> FloatArithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd: return Value::Float(a + b);
    case BinaryOp::kSub: return Value::Float(a - b);
    case BinaryOp::kMul: return Value::Float(a * b);
    case BinaryOp::kPow:
      if (a == 0 && b < 0) return Fail("0.0 cannot be raised to a negative power");
      if (a < 0 && b != std::floor(b)) return Fail("a negative number can not be raised to a fraction");
      return Value::Float(std::pow(a, b));
    default: break;
  }
  if (b == 0) return Fail("float division by zero");
  if (op == BinaryOp::kDiv) return Value::Float(a / b);
  const double rest = FloatModulo(a, b);
  if (op == BinaryOp::kMod) return Value::Float(rest);
  return Value::Float(std::round((a - rest) / b));
}

Result<Value> AddStrings(const Value& a, const Value& b, Meter& meter) {
  RF_RETURN_IF_ERROR(meter.Charge(a.str().size() + b.str().size()));
  const bool safe = a.is_safe() || b.is_safe();
  // A string joined to a safe one is escaped, as markupsafe does.
  MarkedText out;
  out.text.reserve(a.str().size() + b.str().size());
  for (const Value* operand : {&a, &b}) (safe ? EscapeUnsafe(*operand) : *operand).AppendTo(out);
  return Value::Str(std::move(out)).WithSafe(safe);
}

Result<Value> AddSequences(const Value& a, const Value& b, Meter& meter) {
  RF_RETURN_IF_ERROR(meter.Charge((a.items().size() + b.items().size()) * sizeof(Value)));
  std::vector<Value> items;
  items.reserve(a.items().size() + b.items().size());
  items.insert(items.end(), a.items().begin(), a.items().end());
  items.insert(items.end(), b.items().begin(), b.items().end());
  return a.Is(Type::kList) ? Value::ListOf(std::move(items)) : Value::TupleOf(std::move(items));
}

Result<Value> Repeat(const Value& value, const Value& times, Meter& meter) {
  const WideInt wanted = times.wide() < 0 ? 0 : times.wide();
  const size_t unit = value.is_string() ? value.str().size() : value.items().size() * sizeof(Value);
  const size_t limit = meter.limits().max_memory_bytes;
  if (unit != 0 && wanted > static_cast<WideInt>(limit / unit)) {
    return Fail(fmt::format("the template's values need more than {} bytes", limit));
  }
  const size_t count = unit == 0 ? 0 : static_cast<size_t>(wanted);
  RF_RETURN_IF_ERROR(meter.Charge(unit * count));
  if (value.is_string()) {
    MarkedText out;
    out.text.reserve(unit * count);
    if (value.has_input()) out.Mark({0, unit * count});
    for (size_t i = 0; i < count; ++i) out.Append(value.str());
    return Value::Str(std::move(out)).WithSafe(value.is_safe());
  }
  std::vector<Value> items;
  items.reserve(value.items().size() * count);
  for (size_t i = 0; i < count; ++i) items.insert(items.end(), value.items().begin(), value.items().end());
  return value.Is(Type::kList) ? Value::ListOf(std::move(items)) : Value::TupleOf(std::move(items));
}

bool IsRepeatable(const Value& v) {
  return v.is_string() || v.is_sequence();
}

}  // namespace

Result<Value> ApplyBinary(BinaryOp op, const Value& a, const Value& b, Meter& meter) {
  if (a.is_integer() && b.is_integer()) return IntegerArithmetic(op, a.wide(), b.wide());
  if (a.is_number() && b.is_number()) return FloatArithmetic(op, a.number(), b.number());
  if (op == BinaryOp::kAdd) {
    if (a.is_string() && b.is_string()) return AddStrings(a, b, meter);
    if (a.is_sequence() && a.type() == b.type()) return AddSequences(a, b, meter);
  }
  if (op == BinaryOp::kMul) {
    if (IsRepeatable(a) && b.is_integer()) return Repeat(a, b, meter);
    if (IsRepeatable(b) && a.is_integer()) return Repeat(b, a, meter);
  }
  if (op == BinaryOp::kMod && a.is_string()) return PercentFormat(a, b, meter);
  return BadOperands(op, a, b);
}

Result<Value> ApplyUnary(UnaryOp op, const Value& operand) {
  if (op == UnaryOp::kNot) return Value::Bool(!Truthy(operand));
  if (operand.is_undefined()) return Fail(operand.UndefinedMessage());
  const bool negate = op == UnaryOp::kNegate;
  if (!operand.is_number()) {
    return Fail(fmt::format("bad operand type for unary {}: '{}'", negate ? '-' : '+', operand.TypeName()));
  }
  if (operand.Is(Type::kFloat)) return Value::Float(negate ? -operand.number() : operand.number());
  return IntegerArithmetic(negate ? BinaryOp::kSub : BinaryOp::kAdd, 0, operand.wide());
}

}  // namespace rf::jinja
