// Calls of built-ins, macros and recursive loops, and the attributes that values have.
#include <fmt/format.h>

#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

std::string_view Macro::name() const {
  return node->name;
}

namespace {

// Takes the next parameter name off a Builtin's list; `optional` tells whether it had a "?".
std::string_view NextParameter(std::string_view& list, bool& optional) {
  const size_t space = std::min(list.find(' '), list.size());
  std::string_view name = list.substr(0, space);
  list.remove_prefix(std::min(space + 1, list.size()));
  optional = name.starts_with('?');
  return optional ? name.substr(1) : name;
}

}  // namespace

Status Bind(const Builtin& builtin, Args& args) {
  if (builtin.parameters == "*") return {};
  std::string_view list = builtin.parameters;
  size_t n_parameters = 0;
  size_t n_named = 0;
  for (; !list.empty(); ++n_parameters) {
    bool optional = false;
    const std::string_view name = NextParameter(list, optional);
    const Value*& slot = args.bound[n_parameters];
    if (n_parameters < args.positional.size()) slot = &args.positional[n_parameters];
    for (const auto& [given, value] : args.keyword) {
      if (given.str() != name) continue;
      if (slot != nullptr) return Fail(fmt::format("{}() got two values for '{}'", builtin.name, name));
      slot = &value;
      ++n_named;
    }
    if (slot == nullptr && !optional) return Fail(fmt::format("{}() needs the argument '{}'", builtin.name, name));
  }
  if (args.positional.size() > n_parameters) {
    return Fail(
        fmt::format("{}() takes at most {} arguments, got {}", builtin.name, n_parameters, args.positional.size()));
  }
  if (n_named < args.keyword.size()) {
    return Fail(fmt::format("{}() got a named argument that it does not have", builtin.name));
  }
  return {};
}

Result<Value> Interpreter::CallBuiltin(const Builtin& builtin, const Value& self, Args& args) {
  RF_RETURN_IF_ERROR(Bind(builtin, args));
  size_t scanned = self.is_string() ? self.str().size() : 0;
  for (const Value& value : args.positional) scanned += value.is_string() ? value.str().size() : 0;
  RF_RETURN_IF_ERROR(meter_.Scan(scanned));
  Result<Value> result = builtin.function(*this, self, args);
  if (!builtin.blends || !result || !result->is_string()) return result;
  bool holds_input = HoldsInput(self);
  for (const Value& value : args.positional) holds_input = holds_input || HoldsInput(value);
  for (const auto& [name, value] : args.keyword) holds_input = holds_input || HoldsInput(value);
  return holds_input ? Result<Value>(result->AsInput()) : result;
}

Result<Value> Interpreter::Call(const Value& callee, Args& args) {
  switch (callee.type()) {
    case Type::kFunction: {
      const Function& function = callee.as<Function>();
      return CallBuiltin(*function.builtin, function.self, args);
    }
    case Type::kMacro: return CallMacro(callee.as<Macro>(), args);
    case Type::kLoop: return CallLoop(callee.as<Loop>(), args);
    case Type::kJoiner: {
      Joiner& joiner = callee.as<Joiner>();
      if (joiner.used) return joiner.separator;
      joiner.used = true;
      return Value::Str("");
    }
    case Type::kUndefined: return Fail(callee.UndefinedMessage());
    default: return Fail(fmt::format("'{}' object is not callable", callee.TypeName()));
  }
}

Status Interpreter::BindRest(const MacroNode& node, Args& args, std::vector<bool>& used, Frame& frame) {
  const size_t n_parameters = node.parameters.size();
  if (args.positional.size() > n_parameters && !node.uses_varargs) {
    return Fail(
        fmt::format("macro '{}' takes not more than {} argument(s)", EscapeForMessage(node.name, 60), n_parameters));
  }
  auto rest = MakeRef<Dict>();
  Value caller = Value::Undefined(program_.symbol_names[kCallerSymbol]);
  for (size_t i = 0; i < args.keyword.size(); ++i) {
    if (used[i]) continue;
    auto& [name, value] = args.keyword[i];
    if (node.uses_caller && name.str() == "caller") {
      caller = std::move(value);
      continue;
    }
    if (!node.uses_kwargs) {
      return Fail(fmt::format("macro '{}' takes no keyword argument '{}'", EscapeForMessage(node.name, 60),
                              EscapeForMessage(name.str(), 60)));
    }
    rest->Append(name, std::move(value));
  }
  if (node.uses_caller) frame.Set(kCallerSymbol, std::move(caller));
  if (node.uses_kwargs) frame.Set(kKwargsSymbol, Value::FromDict(std::move(rest)));
  if (node.uses_varargs) {
    std::vector<Value> extra;
    for (size_t i = n_parameters; i < args.positional.size(); ++i) extra.push_back(std::move(args.positional[i]));
    frame.Set(kVarargsSymbol, Value::TupleOf(std::move(extra)));
  }
  return {};
}

Status Interpreter::BindMacro(const MacroNode& node, Args& args, Frame& frame) {
  std::vector<bool> used(args.keyword.size());
  const size_t n_required = node.parameters.size() - node.defaults.size();
  std::vector<size_t> missing;
  for (size_t i = 0; i < node.parameters.size(); ++i) {
    const auto& [symbol, name] = node.parameters[i];
    bool found = i < args.positional.size();
    if (found) frame.Set(symbol, args.positional[i]);
    for (size_t k = 0; k < args.keyword.size(); ++k) {
      if (used[k] || args.keyword[k].first.str() != name.str()) continue;
      if (found) return Fail(fmt::format("two values for the argument '{}'", EscapeForMessage(name.str(), 60)));
      frame.Set(symbol, args.keyword[k].second);
      used[k] = found = true;
    }
    if (!found) {
      frame.Set(symbol, Value::Undefined(name));
      if (i >= n_required) missing.push_back(i);
    }
  }
  RF_RETURN_IF_ERROR(BindRest(node, args, used, frame));
  for (const size_t i : missing) {  // a default may refer to parameters before it
    RF_ASSIGN_OR_RETURN(Value value, Evaluate(*node.defaults[i - n_required]));
    frame.Set(node.parameters[i].first, std::move(value));
  }
  return {};
}

Result<Value> Interpreter::CallMacro(const Macro& macro, Args& args) {
  if (calls_ >= meter_.limits().max_depth) {
    return Fail(fmt::format("macro calls are nested more than {} deep", meter_.limits().max_depth));
  }
  ++calls_;
  const MacroNode& node = *macro.node;
  auto frame = MakeRef<Frame>(macro.closure);
  const FrameScope scope(*this, frame);
  RF_RETURN_IF_ERROR(BindMacro(node, args, *frame));
  Result<Value> text = Capture(node.body);
  --calls_;
  return text;
}

Result<Value> Interpreter::CallLoop(Loop& loop, Args& args) {
  if (loop.node == nullptr) return Fail("a loop can only be called inside of 'for … recursive'");
  if (args.positional.size() != 1 || !args.keyword.empty()) return Fail("loop() takes one argument");
  if (calls_ >= meter_.limits().max_depth) {
    return Fail(fmt::format("loops are nested more than {} deep", meter_.limits().max_depth));
  }
  ++calls_;
  OutputScope output(*this);
  const FrameScope scope(*this, loop.frame);
  RF_RETURN_IF_ERROR(RunLoop(*loop.node, args.positional[0], loop.depth + 1));
  --calls_;
  return NewString(output.Take());
}

Value Interpreter::LoopAttribute(const Loop& loop, const Value& value, const Value& name) {
  const std::string_view key = name.str();
  const auto index = static_cast<int64_t>(loop.index);
  const auto length = static_cast<int64_t>(loop.items.size());
  if (key == "index") return Value::Int(index + 1);
  if (key == "index0") return Value::Int(index);
  if (key == "first") return Value::Bool(index == 0);
  if (key == "last") return Value::Bool(index + 1 == length);
  if (key == "length") return Value::Int(length);
  if (key == "revindex") return Value::Int(length - index);
  if (key == "revindex0") return Value::Int(length - index - 1);
  if (key == "depth") return Value::Int(loop.depth + 1);
  if (key == "depth0") return Value::Int(loop.depth);
  if (key == "previtem" && index > 0) return loop.items[loop.index - 1];
  if (key == "nextitem" && index + 1 < length) return loop.items[loop.index + 1];
  return Value::Undefined(name, value.type());
}

Value Interpreter::MacroAttribute(const Macro& macro, const Value& name) {
  const std::string_view key = name.str();
  const MacroNode& node = *macro.node;
  if (key == "name") return Value::Str(std::string(node.name));
  if (key == "catch_kwargs") return Value::Bool(node.uses_kwargs);
  if (key == "catch_varargs") return Value::Bool(node.uses_varargs);
  if (key == "caller") return Value::Bool(node.uses_caller);
  if (key != "arguments") return Value::Undefined(name, Type::kMacro);
  std::vector<Value> names;
  for (const auto& [symbol, text] : node.parameters) names.push_back(text);
  return Value::TupleOf(std::move(names));
}

Result<Value> Interpreter::Attribute(const Value& value, const Value& name) {
  return Attribute(value, name, FindMethods(name.str()));
}

Result<Value> Interpreter::Attribute(const Value& value, const Value& name, const Methods* methods) {
  switch (value.type()) {
    case Type::kUndefined: return Fail(value.UndefinedMessage());
    case Type::kNamespace: {
      const Value* found = value.as<Namespace>().attributes.Find(name.str());
      return found != nullptr ? *found : Value::Undefined(name, Type::kNamespace);
    }
    case Type::kMacro: return MacroAttribute(value.as<Macro>(), name);
    case Type::kCycler:
      if (name.str() == "current") return value.as<Cycler>().items[value.as<Cycler>().position];
      break;
    case Type::kTuple:
      if (value.is_group() && name.str() == "grouper") return value.items()[0];
      if (value.is_group() && name.str() == "list") return value.items()[1];
      break;
    default: break;
  }
  if (const Builtin* method = methods != nullptr ? methods->Of(value.type()) : nullptr) {
    return Value::Of(Type::kFunction, new Function(method, value));
  }
  if (value.Is(Type::kLoop)) return LoopAttribute(value.as<Loop>(), value, name);
  if (value.is_dict()) {
    if (const Value* found = value.dict().Find(name.str())) return *found;
  }
  return Value::Undefined(name, value.type());
}

Result<Value> Interpreter::Item(const Value& value, const Value& key) {
  if (value.is_undefined()) return Fail(value.UndefinedMessage());
  if (value.is_dict() && IsHashable(key)) {
    if (!key.is_string()) RF_RETURN_IF_ERROR(meter_.Step(value.dict().entries().size() / 16));
    if (const Value* found = value.dict().Find(key)) return *found;
  }
  const bool is_indexable = value.is_sequence() || value.is_string() || value.Is(Type::kRange);
  if (is_indexable && key.is_integer() && !key.Is(Type::kBigInt)) {
    if (value.is_string()) RF_RETURN_IF_ERROR(meter_.Walk(value.str().size()));
    RF_ASSIGN_OR_RETURN(const int64_t size, Length(value));
    const int64_t index = key.integer() < 0 ? key.integer() + size : key.integer();
    if (index >= 0 && index < size) {
      if (value.is_sequence()) return value.items()[static_cast<size_t>(index)];
      if (value.Is(Type::kRange)) return Value::Int(value.as<Range>().start + index * value.as<Range>().step);
      const Value first = Value::Int(index);
      const Value last = Value::Int(index + 1);
      return Slice(value, {&first, &last, nullptr}, meter_);
    }
  }
  if (key.is_string()) return Attribute(value, key);
  if (key.is_integer()) return Value::Undefined(Value::Str(IntRepr(key.wide())), value.type());
  return Value::Undefined(Value::Str(std::string(key.TypeName())), value.type());
}

}  // namespace rf::jinja
