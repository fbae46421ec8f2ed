// JSON values to template values.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

using Json = nlohmann::ordered_json;

Value StringOf(const std::string& text, const JsonOrigin& origin) {
  if (origin.borrow) return Value::BorrowedStr(text, origin.is_input);
  Value value = Value::Str(text);
  return origin.is_input ? value.AsInput() : value;
}

// Templates build markers such as <|user|> from the name of a role. These names say nothing that a template would not
// say itself.
bool IsKnownRole(const std::string& key, const Json& value) {
  constexpr std::string_view kRoles[] = {"system",   "user",  "assistant", "tool",   "developer",
                                         "function", "model", "ipython",   "context"};
  if (key != "role" || !value.is_string()) return false;
  return std::find(std::begin(kRoles), std::end(kRoles), value.get_ref<const std::string&>()) != std::end(kRoles);
}

}  // namespace

Result<Value> FromJson(const Json& json, const JsonOrigin& origin, Meter& meter, int depth) {
  // The caller's own values do not count as the template's steps and memory, but their depth is bounded.
  if (depth > kMaxValueDepth) {
    return Fail(fmt::format("a value passed to the template is nested more than {} levels deep", kMaxValueDepth));
  }
  switch (json.type()) {
    case Json::value_t::boolean: return Value::Bool(json.get<bool>());
    case Json::value_t::number_integer: return Value::Int(json.get<int64_t>());
    case Json::value_t::number_unsigned: return Value::Wide(json.get<uint64_t>());
    case Json::value_t::number_float: return Value::Float(json.get<double>());
    case Json::value_t::string: return StringOf(json.get_ref<const std::string&>(), origin);
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& item : json) {
        RF_ASSIGN_OR_RETURN(Value value, FromJson(item, origin, meter, depth + 1));
        items.push_back(std::move(value));
      }
      return Value::ListOf(std::move(items));
    }
    case Json::value_t::object: {
      auto dict = MakeRef<Dict>();
      for (const auto& [key, item] : json.items()) {
        JsonOrigin item_origin = origin;
        if (origin.is_input && IsKnownRole(key, item)) item_origin.is_input = false;
        RF_ASSIGN_OR_RETURN(Value value, FromJson(item, item_origin, meter, depth + 1));
        dict->Append(StringOf(key, origin), std::move(value));
      }
      return Value::FromDict(std::move(dict));
    }
    default: return Value::None();
  }
}

}  // namespace rf::jinja
