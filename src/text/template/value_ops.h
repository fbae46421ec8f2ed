// What Python's operators and built-ins do with values: truth, equality, order, iteration, printing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/template/meter.h"
#include "text/template/value.h"

namespace rf::jinja {

/// Values nested deeper than this can not be printed, compared or converted.
inline constexpr int kMaxValueDepth = 200;

/// bool(value).
bool Truthy(const Value& value);

/// a == b, as Python compares (1 == 1.0 == True; list != tuple). Errors: limits.
Result<bool> Equal(const Value& a, const Value& b, Meter& meter, int depth = 0);

/// Whether two dict keys are the same key: Equal for scalars, strings and small tuples.
bool KeysEqual(const Value& a, const Value& b, int depth = 0);

/// Whether the value may be a dict key.
bool IsHashable(const Value& value, int depth = 0);

/// a < b, as Python orders numbers, strings, lists and tuples. Errors: types without an order, limits.
Result<bool> Less(const Value& a, const Value& b, Meter& meter, int depth = 0);

/// item in container. Errors: the container is not one, limits.
Result<bool> Contains(const Value& container, const Value& item, Meter& meter);

/// len(value). Errors: it has none.
Result<int64_t> Length(const Value& value);

/// The items that a loop over the value sees; a generator is used up. Errors: not iterable, limits.
Result<std::vector<Value>> Items(const Value& value, Meter& meter);

/// Whether a loop over the value is possible.
bool IsIterable(const Value& value);

/// str(value) and repr(value), without marks. Errors: limits.
Result<std::string> ToStr(const Value& value, Meter& meter);
Result<std::string> Repr(const Value& value, Meter& meter);

/// ToStr as a value; a string is itself, with its safe mark. What came from the caller's values is marked as that.
Result<Value> ToStrValue(const Value& value, Meter& meter);

/// Whether the value is or holds a string that came from the caller's values; also true where that takes long to tell.
bool HoldsInput(const Value& value);

/// json.dumps: the options of the tojson filter.
struct JsonStyle {
  bool ascii = false;
  bool sort_keys = false;
  bool lazy_as_list = false;
  /// Text of one indentation level; nothing: all on one line.
  std::optional<std::string> indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
Result<MarkedText> ToJson(const Value& value, const JsonStyle& style, Meter& meter);

/// int(d). Errors: infinite, NaN, beyond 128 bits.
Result<Value> TruncateFloat(double d);

/// Python's shortest repr of a double: 1e+16, 0.1, 2.0, inf.
std::string FloatRepr(double d);
std::string IntRepr(WideInt i);

}  // namespace rf::jinja
