// Filters that apply another filter or a test to each item. Their results are lazy in the language: they can be walked
// once and have no length.
#include <fmt/format.h>

#include <array>

#include "text/template/builtin_tools.h"

namespace rf::jinja {

namespace {

// The arguments from the n-th on.
Args Rest(const Args& args, size_t n) {
  Args rest;
  rest.positional.assign(args.positional.begin() + static_cast<ptrdiff_t>(std::min(n, args.positional.size())),
                         args.positional.end());
  rest.keyword = args.keyword;
  return rest;
}

const Value* Keyword(const Args& args, std::string_view name) {
  for (const auto& [given, value] : args.keyword) {
    if (given.str() == name) return &value;
  }
  return nullptr;
}

// Applies `function` to each item; an error ends the result where a walk would meet it.
template <typename F>
Result<Value> Lazily(Interpreter& in, const Value& self, F function) {
  if (!Truthy(self)) return NewGenerator({});  // also none, which is no list otherwise
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  RF_RETURN_IF_ERROR(in.meter().Charge(items.size() * sizeof(Value)));
  const Value result = NewGenerator({});
  Generator& generator = result.as<Generator>();
  for (const Value& item : items) {
    Status status = in.meter().Step();
    if (status) status = function(item, generator.items);
    if (status) continue;
    generator.tail_error = std::move(status).error();
    break;
  }
  return result;
}

Result<Value> MapAttribute(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(Keyword(args, "attribute")));
  const Value* fallback = Keyword(args, "default");
  if (args.keyword.size() > (fallback != nullptr ? 2u : 1u)) return Fail("map() got an argument that it does not have");
  return Lazily(in, self, [&](const Value& item, std::vector<Value>& out) -> Status {
    RF_ASSIGN_OR_RETURN(Value value, path.Get(in, item, fallback));
    out.push_back(std::move(value));
    return {};
  });
}

Result<Value> Map(Interpreter& in, const Value& self, const Args& args) {
  if (args.positional.empty() && Keyword(args, "attribute") != nullptr) return MapAttribute(in, self, args);
  if (args.positional.empty() || !args.positional[0].is_string()) return Fail("map requires a filter argument");
  const Builtin* filter = FindFilter(args.positional[0].str());
  if (filter == nullptr) {
    return Fail(fmt::format("no filter named '{}'", EscapeForMessage(args.positional[0].str(), 80)));
  }
  return Lazily(in, self, [&](const Value& item, std::vector<Value>& out) -> Status {
    Args rest = Rest(args, 1);
    RF_ASSIGN_OR_RETURN(Value value, in.CallBuiltin(*filter, item, rest));
    out.push_back(std::move(value));
    return {};
  });
}

// select, reject, selectattr, rejectattr: keeps the items for which the test's result is `wanted`.
Result<Value> Choose(Interpreter& in, const Value& self, const Args& args, bool by_attribute, bool wanted) {
  const size_t first = by_attribute ? 1 : 0;
  if (by_attribute && args.positional.empty()) return Fail("Missing parameter for attribute name");
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(by_attribute ? &args.positional[0] : nullptr));
  const Builtin* test = nullptr;
  if (args.positional.size() > first) {
    const Value& name = args.positional[first];
    test = name.is_string() ? FindTest(name.str()) : nullptr;
    if (test == nullptr) return Fail("select and its like need the name of a test");
  }
  return Lazily(in, self, [&](const Value& item, std::vector<Value>& out) -> Status {
    RF_ASSIGN_OR_RETURN(Value value, path.Get(in, item));
    if (test != nullptr) {
      Args rest = Rest(args, first + 1);
      RF_ASSIGN_OR_RETURN(value, in.CallBuiltin(*test, value, rest));
    }
    if (Truthy(value) == wanted) out.push_back(item);
    return {};
  });
}

template <bool kByAttribute, bool kWanted>
Result<Value> ChooseFilter(Interpreter& in, const Value& self, const Args& args) {
  return Choose(in, self, args, kByAttribute, kWanted);
}

Result<Value> Attr(Interpreter& in, const Value& self, const Args& args) {
  if (!args[0]->is_string()) return Fail("attr needs a name");
  if (!self.is_dict()) return in.Attribute(self, *args[0]);
  const Methods* methods = FindMethods(args[0]->str());
  if (methods == nullptr || methods->of_dict == nullptr) return Value::Undefined(*args[0], Type::kDict);
  return Value::Of(Type::kFunction, new Function(methods->of_dict, self));
}

constexpr std::array kSelectFilters = {
    Builtin{"map", "*", Map},
    Builtin{"select", "*", ChooseFilter<false, true>},
    Builtin{"reject", "*", ChooseFilter<false, false>},
    Builtin{"selectattr", "*", ChooseFilter<true, true>},
    Builtin{"rejectattr", "*", ChooseFilter<true, false>},
    Builtin{"attr", "name", Attr},
};

}  // namespace

std::span<const Builtin> SelectFilters() {
  return kSelectFilters;
}

}  // namespace rf::jinja
