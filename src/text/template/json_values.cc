// JSON values to template values.
#include <fmt/format.h>

#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

using Json = nlohmann::ordered_json;

Value StringOf(const std::string& text, bool borrow) {
  return borrow ? Value::BorrowedStr(text) : Value::Str(text);
}

}  // namespace

Result<Value> FromJson(const Json& json, bool borrow, Meter& meter, int depth) {
  // The caller's own values do not count as the template's steps and memory, but their depth is bounded.
  if (depth > kMaxValueDepth) {
    return Fail(fmt::format("a value passed to the template is nested more than {} levels deep", kMaxValueDepth));
  }
  switch (json.type()) {
    case Json::value_t::boolean: return Value::Bool(json.get<bool>());
    case Json::value_t::number_integer: return Value::Int(json.get<int64_t>());
    case Json::value_t::number_unsigned: return Value::Wide(json.get<uint64_t>());
    case Json::value_t::number_float: return Value::Float(json.get<double>());
    case Json::value_t::string: return StringOf(json.get_ref<const std::string&>(), borrow);
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& item : json) {
        RF_ASSIGN_OR_RETURN(Value value, FromJson(item, borrow, meter, depth + 1));
        items.push_back(std::move(value));
      }
      return Value::ListOf(std::move(items));
    }
    case Json::value_t::object: {
      auto dict = MakeRef<Dict>();
      for (const auto& [key, item] : json.items()) {
        RF_ASSIGN_OR_RETURN(Value value, FromJson(item, borrow, meter, depth + 1));
        dict->Append(StringOf(key, borrow), std::move(value));
      }
      return Value::FromDict(std::move(dict));
    }
    default: return Value::None();
  }
}

}  // namespace rf::jinja
