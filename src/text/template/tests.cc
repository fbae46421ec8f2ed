// Tests: what stands after `is`.
#include <fmt/format.h>

#include <array>

#include "text/template/builtin_tools.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

using Predicate = bool (*)(const Value&);

template <Predicate kPredicate>
Result<Value> Check(Interpreter&, const Value& self, const Args&) {
  return Value::Bool(kPredicate(self));
}

bool IsCallable(const Value& v) {
  return v.Is(Type::kFunction) || v.Is(Type::kMacro) || v.Is(Type::kJoiner) || v.Is(Type::kLoop);
}

// Has a length and can be indexed: Jinja asks no more.
bool IsSequenceLike(const Value& v) {
  return v.is_string() || v.is_sequence() || v.is_dict() || v.Is(Type::kRange) || v.is_undefined();
}

// str.isupper or str.islower: at least one letter has case, and none has the other.
template <bool (*kWanted)(uint32_t), bool (*kOther)(uint32_t)>
Result<Value> HasCase(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(const std::string text, ToStr(self, in.meter()));
  RF_RETURN_IF_ERROR(in.meter().Walk(text.size()));
  bool found = false;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    if (kOther(c.value)) return Value::Bool(false);
    found = found || kWanted(c.value);
    at += c.size;
  }
  return Value::Bool(found);
}

Result<Value> Remainder(const Value& self, const Value& divisor, Meter& meter) {
  return ApplyBinary(BinaryOp::kMod, self, divisor, meter);
}

template <int kRest>
Result<Value> Parity(Interpreter& in, const Value& self, const Args&) {
  if (!self.is_number()) return Fail(fmt::format("odd and even need a number, not {}", self.TypeName()));
  RF_ASSIGN_OR_RETURN(const Value rest, Remainder(self, Value::Int(2), in.meter()));
  return Value::Bool(rest.number() == kRest);
}

Result<Value> DivisibleBy(Interpreter& in, const Value& self, const Args& args) {
  if (!self.is_number()) return Fail(fmt::format("divisibleby needs a number, not {}", self.TypeName()));
  RF_ASSIGN_OR_RETURN(const Value rest, Remainder(self, *args[0], in.meter()));
  return Value::Bool(!Truthy(rest));
}

template <bool kWanted>
Result<Value> EqualTest(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const bool same, Equal(self, *args[0], in.meter()));
  return Value::Bool(same == kWanted);
}

// kSwap: other < self instead of self < other. kOrEqual: or the same.
template <bool kSwap, bool kOrEqual>
Result<Value> OrderTest(Interpreter& in, const Value& self, const Args& args) {
  const Value& low = kSwap ? *args[0] : self;
  const Value& high = kSwap ? self : *args[0];
  RF_ASSIGN_OR_RETURN(bool holds, Less(low, high, in.meter()));
  if (!holds && kOrEqual) {
    RF_ASSIGN_OR_RETURN(holds, Equal(low, high, in.meter()));
  }
  return Value::Bool(holds);
}

Result<Value> InTest(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const bool found, Contains(*args[0], self, in.meter()));
  return Value::Bool(found);
}

Result<Value> SameAs(Interpreter& in, const Value& self, const Args& args) {
  const Value& other = *args[0];
  if (self.type() != other.type()) return Value::Bool(false);
  if (self.type() >= Type::kList) return Value::Bool(self.object() == other.object());
  RF_ASSIGN_OR_RETURN(const bool same, Equal(self, other, in.meter()));
  return Value::Bool(same);
}

Result<Value> FilterExists(Interpreter&, const Value& self, const Args&) {
  return Value::Bool(self.is_string() && FindFilter(self.str()) != nullptr);
}

Result<Value> TestExists(Interpreter&, const Value& self, const Args&) {
  return Value::Bool(self.is_string() && FindTest(self.str()) != nullptr);
}

constexpr std::array kTests = {
    Builtin{"defined", "", Check<[](const Value& v) { return !v.is_undefined(); }>},
    Builtin{"undefined", "", Check<[](const Value& v) { return v.is_undefined(); }>},
    Builtin{"none", "", Check<[](const Value& v) { return v.is_none(); }>},
    Builtin{"string", "", Check<[](const Value& v) { return v.is_string(); }>},
    Builtin{"mapping", "", Check<[](const Value& v) { return v.is_dict(); }>},
    Builtin{"sequence", "", Check<IsSequenceLike>},
    Builtin{"iterable", "", Check<IsIterable>},
    Builtin{"number", "", Check<[](const Value& v) { return v.is_number(); }>},
    Builtin{"integer", "", Check<[](const Value& v) { return v.is_integer() && !v.Is(Type::kBool); }>},
    Builtin{"float", "", Check<[](const Value& v) { return v.Is(Type::kFloat); }>},
    Builtin{"boolean", "", Check<[](const Value& v) { return v.Is(Type::kBool); }>},
    Builtin{"true", "", Check<[](const Value& v) { return v.Is(Type::kBool) && v.boolean(); }>},
    Builtin{"false", "", Check<[](const Value& v) { return v.Is(Type::kBool) && !v.boolean(); }>},
    Builtin{"callable", "", Check<IsCallable>},
    Builtin{"escaped", "", Check<[](const Value& v) { return v.is_safe(); }>},
    Builtin{"lower", "", HasCase<IsLower, IsUpper>},
    Builtin{"upper", "", HasCase<IsUpper, IsLower>},
    Builtin{"odd", "", Parity<1>},
    Builtin{"even", "", Parity<0>},
    Builtin{"divisibleby", "num", DivisibleBy},
    Builtin{"eq", "other", EqualTest<true>},
    Builtin{"equalto", "other", EqualTest<true>},
    Builtin{"==", "other", EqualTest<true>},
    Builtin{"ne", "other", EqualTest<false>},
    Builtin{"!=", "other", EqualTest<false>},
    Builtin{"lt", "other", OrderTest<false, false>},
    Builtin{"lessthan", "other", OrderTest<false, false>},
    Builtin{"<", "other", OrderTest<false, false>},
    Builtin{"le", "other", OrderTest<false, true>},
    Builtin{"<=", "other", OrderTest<false, true>},
    Builtin{"gt", "other", OrderTest<true, false>},
    Builtin{"greaterthan", "other", OrderTest<true, false>},
    Builtin{">", "other", OrderTest<true, false>},
    Builtin{"ge", "other", OrderTest<true, true>},
    Builtin{">=", "other", OrderTest<true, true>},
    Builtin{"in", "seq", InTest},
    Builtin{"sameas", "other", SameAs},
    Builtin{"filter", "", FilterExists},
    Builtin{"test", "", TestExists},
};

}  // namespace

std::span<const Builtin> TestTable() {
  return kTests;
}

}  // namespace rf::jinja
