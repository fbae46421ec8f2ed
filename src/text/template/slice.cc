// Subscripts with colons.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "text/template/builtin_tools.h"
#include "text/template/interpreter.h"
#include "text/template/unicode.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

struct Steps {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// A bound as Python clamps it. `low` and `high` are the smallest and the largest result.
Result<int64_t> Bound(const Value* bound, int64_t fallback, int64_t size, int64_t low, int64_t high) {
  if (bound == nullptr || bound->is_none()) return fallback;
  if (bound->is_undefined()) return Fail(bound->UndefinedMessage());
  if (!bound->is_integer()) return Fail("slice indices must be integers or None");
  WideInt value = bound->wide();
  if (value < 0) value += size;
  return static_cast<int64_t>(std::clamp<WideInt>(value, low, high));
}

Result<Steps> StepsOf(const SliceBounds& bounds, int64_t size) {
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  Steps steps;
  RF_ASSIGN_OR_RETURN(steps.step, Bound(bounds.step, 1, 0, -kFar, kFar));
  if (steps.step == 0) return Fail("slice step cannot be zero");
  const bool forward = steps.step > 0;
  const int64_t low = forward ? 0 : -1;
  const int64_t high = forward ? size : size - 1;
  RF_ASSIGN_OR_RETURN(steps.start, Bound(bounds.start, forward ? low : high, size, low, high));
  RF_ASSIGN_OR_RETURN(const int64_t stop, Bound(bounds.stop, forward ? high : low, size, low, high));
  const int64_t distance = forward ? stop - steps.start : steps.start - stop;
  if (distance > 0) steps.count = (distance - 1) / (forward ? steps.step : -steps.step) + 1;
  return steps;
}

Result<Value> SliceString(const Value& value, const Steps& steps, Meter& meter) {
  const std::string_view text = value.str();
  RF_RETURN_IF_ERROR(meter.Walk(text.size()));
  if (steps.step == 1) {
    const size_t from = ByteOffset(text, static_cast<size_t>(steps.start));
    const size_t size = ByteOffset(text.substr(from), static_cast<size_t>(steps.count));
    return Value::SubStr(value, text.substr(from, size));
  }
  RF_RETURN_IF_ERROR(meter.Charge(text.size() * (1 + sizeof(uint32_t))));
  std::vector<uint32_t> starts;
  for (size_t at = 0; at < text.size(); at += DecodeAt(text, at).size) starts.push_back(static_cast<uint32_t>(at));
  std::string out;
  for (int64_t i = 0; i < steps.count; ++i) {
    const size_t at = starts[static_cast<size_t>(steps.start + i * steps.step)];
    out += text.substr(at, DecodeAt(text, at).size);
  }
  return NewStringLike(value, std::move(out), meter);
}

}  // namespace

Result<Value> Slice(const Value& value, const SliceBounds& bounds, Meter& meter) {
  if (value.is_undefined()) return Fail(value.UndefinedMessage());
  const bool is_range = value.Is(Type::kRange);
  if (!value.is_string() && !value.is_sequence() && !is_range) {
    return Value::Undefined(Value::Str("slice"), value.type());
  }
  if (value.is_string()) RF_RETURN_IF_ERROR(meter.Walk(value.str().size()));
  RF_ASSIGN_OR_RETURN(const int64_t size, Length(value));
  RF_ASSIGN_OR_RETURN(const Steps steps, StepsOf(bounds, size));
  if (value.is_string()) return SliceString(value, steps, meter);
  if (is_range) {
    const Range& range = value.as<Range>();
    if (steps.count == 0) return Value::Of(Type::kRange, new Range(range.start, range.start, range.step));
    const int64_t step = steps.count == 1 ? range.step : range.step * steps.step;
    const int64_t start = range.start + steps.start * range.step;
    return Value::Of(Type::kRange, new Range(start, start + steps.count * step, step));
  }
  RF_RETURN_IF_ERROR(meter.Charge(static_cast<size_t>(steps.count) * sizeof(Value)));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(steps.count));
  for (int64_t i = 0; i < steps.count; ++i) {
    items.push_back(value.items()[static_cast<size_t>(steps.start + i * steps.step)]);
  }
  return value.Is(Type::kList) ? Value::ListOf(std::move(items)) : Value::TupleOf(std::move(items));
}

}  // namespace rf::jinja
