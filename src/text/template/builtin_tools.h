// Helpers that several tables of built-ins share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/template/callable.h"
#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

/// An optional argument as bool (by truth), integer or text; `fallback` where it was not given. Errors: other types.
bool BoolArgument(const Args& args, size_t i, bool fallback);
Result<int64_t> IntArgument(const Args& args, size_t i, int64_t fallback);
/// The text of a string argument; nothing where it is absent or none.
Result<std::optional<std::string_view>> TextArgument(const Args& args, size_t i);

/// A list value of `items`, its memory charged.
Result<Value> NewList(std::vector<Value> items, Meter& meter);
Value NewGenerator(std::vector<Value> items);
/// A string with `like`'s safe mark, marked as input if any of `like` is; its memory charged.
Result<Value> NewStringLike(const Value& like, std::string text, Meter& meter);

/// The attribute argument of map, sort and others: "a.b.0", an index, or nothing (the item itself). With `fallback`,
/// what is undefined on the way becomes it.
class AttributePath {
 public:
  static Result<AttributePath> From(const Value* attribute);
  Result<Value> Get(Interpreter& interpreter, const Value& item, const Value* fallback = nullptr) const;

 private:
  std::vector<Value> parts_;
};

/// text.replace(old, replacement, count) of strings; a negative count replaces all. Marks are kept.
Result<MarkedText> Replace(const Value& text, std::string_view old, const Value& replacement, int64_t count,
                           Meter& meter);

/// str.strip(chars) with the cost bounded.
Result<Value> StripValue(const Value& text, bool left, bool right, std::optional<std::string_view> chars, Meter& meter);

/// Lower case for a string, anything else as it is: the key of comparisons that ignore case.
Result<Value> FoldCase(const Value& value, Meter& meter);

}  // namespace rf::jinja
