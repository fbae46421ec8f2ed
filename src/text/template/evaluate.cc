// Evaluation of expressions.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

// A string that needs no escapes beside others.
bool IsPlainString(const Value& value) {
  return value.is_string() && !value.is_safe();
}

template <typename T>
const T& As(const Node& node) {
  return static_cast<const T&>(node);
}

}  // namespace

Error Interpreter::DepthScope::TooDeep() {
  return Fail(fmt::format("the template's calls are nested too deep (more than {} nodes)", kMaxEvaluationDepth));
}

Result<Value> Interpreter::NewString(std::string text) {
  RF_RETURN_IF_ERROR(meter_.Charge(text.size()));
  return Value::Str(std::move(text));
}

Result<Value> Interpreter::NewString(MarkedText text) {
  RF_RETURN_IF_ERROR(meter_.Charge(text.text.size()));
  return Value::Str(std::move(text));
}

Value Interpreter::Lookup(Symbol symbol) const {
  for (const Frame* frame = frame_.get(); frame != nullptr; frame = frame->parent.get()) {
    if (const Value* value = frame->Find(symbol)) return *value;
  }
  const Value& value = root_[symbol];
  return value.is_empty_slot() ? Value::Undefined(program_.symbol_names[symbol]) : value;
}

Result<Value> Interpreter::Evaluate(const Node& node) {
  if (node.kind == NodeKind::kConstant) return As<ConstantNode>(node).value;
  if (node.kind == NodeKind::kName) return Lookup(As<NameNode>(node).symbol);
  const DepthScope depth(*this);
  if (Status status = depth.Check(); !status) return At(std::move(status).error(), node.position);
  if (Status status = meter_.Step(); !status) return At(std::move(status).error(), node.position);
  Result<Value> result = EvaluateInner(node);
  if (!result) return At(std::move(result).error(), node.position);
  return result;
}

Result<Value> Interpreter::EvaluateInner(const Node& node) {
  switch (node.kind) {
    case NodeKind::kList: return EvaluateList(As<ListNode>(node));
    case NodeKind::kDict: return EvaluateDict(As<DictNode>(node));
    case NodeKind::kUnary: {
      RF_ASSIGN_OR_RETURN(const Value operand, Evaluate(*As<UnaryNode>(node).operand));
      return ApplyUnary(As<UnaryNode>(node).op, operand);
    }
    case NodeKind::kBinary: return EvaluateBinary(As<BinaryNode>(node));
    case NodeKind::kCompare: return EvaluateCompare(As<CompareNode>(node));
    case NodeKind::kLogic: return EvaluateLogic(As<LogicNode>(node));
    case NodeKind::kConcat: return EvaluateConcat(As<ConcatNode>(node));
    case NodeKind::kConditional: return EvaluateConditional(As<ConditionalNode>(node));
    case NodeKind::kChain: return EvaluateChain(As<ChainNode>(node));
    default: return Fail("a statement stands where an expression should");
  }
}

Result<Value> Interpreter::EvaluateList(const ListNode& node) {
  RF_RETURN_IF_ERROR(meter_.Charge(node.items.size() * sizeof(Value)));
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const Node* item : node.items) {
    RF_ASSIGN_OR_RETURN(Value value, Evaluate(*item));
    items.push_back(std::move(value));
  }
  return node.is_tuple ? Value::TupleOf(std::move(items)) : Value::ListOf(std::move(items));
}

Result<Value> Interpreter::EvaluateDict(const DictNode& node) {
  RF_RETURN_IF_ERROR(meter_.Charge(node.entries.size() * sizeof(Dict::Entry)));
  auto dict = MakeRef<Dict>();
  for (const auto& [key_node, value_node] : node.entries) {
    RF_ASSIGN_OR_RETURN(const Value key, Evaluate(*key_node));
    RF_ASSIGN_OR_RETURN(Value value, Evaluate(*value_node));
    if (!IsHashable(key)) return Fail(fmt::format("unhashable type: '{}'", key.TypeName()));
    RF_RETURN_IF_ERROR(meter_.Step(dict->entries().size() / 16));
    dict->Set(key, std::move(value));
  }
  return Value::FromDict(std::move(dict));
}

Result<Value> Interpreter::EvaluateBinary(const BinaryNode& node) {
  RF_ASSIGN_OR_RETURN(Value value, Evaluate(*node.first));
  std::optional<MarkedText>
      joined;  // takes the place of `value` while strings follow strings, so that none is copied twice
  for (const BinaryNode::Term& term : node.terms) {
    RF_RETURN_IF_ERROR(meter_.Step());
    RF_ASSIGN_OR_RETURN(const Value operand, Evaluate(*term.operand));
    if (term.op == BinaryOp::kAdd && IsPlainString(value) && IsPlainString(operand)) {
      RF_RETURN_IF_ERROR(meter_.Charge(operand.str().size() + (joined ? 0 : value.str().size())));
      if (!joined) value.AppendTo(joined.emplace());
      operand.AppendTo(*joined);
      continue;
    }
    if (joined) value = Value::Str(*std::exchange(joined, std::nullopt));
    Result<Value> result = ApplyBinary(term.op, value, operand, meter_);
    if (!result) return At(std::move(result).error(), term.position);
    value = std::move(result).value();
  }
  return joined ? Value::Str(std::move(*joined)) : value;
}

Result<bool> Interpreter::CompareOnce(CompareOp op, const Value& a, const Value& b) {
  switch (op) {
    case CompareOp::kEq: return Equal(a, b, meter_);
    case CompareOp::kNe: {
      RF_ASSIGN_OR_RETURN(const bool same, Equal(a, b, meter_));
      return !same;
    }
    case CompareOp::kLt: return Less(a, b, meter_);
    case CompareOp::kGt: return Less(b, a, meter_);
    case CompareOp::kLe:
    case CompareOp::kGe: {
      const Value& low = op == CompareOp::kLe ? a : b;
      const Value& high = op == CompareOp::kLe ? b : a;
      RF_ASSIGN_OR_RETURN(const bool less, Less(low, high, meter_));
      return less ? Result<bool>(true) : Equal(low, high, meter_);
    }
    case CompareOp::kIn: return Contains(b, a, meter_);
    case CompareOp::kNotIn: {
      RF_ASSIGN_OR_RETURN(const bool found, Contains(b, a, meter_));
      return !found;
    }
  }
  return false;
}

Result<Value> Interpreter::EvaluateCompare(const CompareNode& node) {
  RF_ASSIGN_OR_RETURN(Value left, Evaluate(*node.first));
  for (const auto& [op, operand] : node.terms) {
    RF_ASSIGN_OR_RETURN(Value right, Evaluate(*operand));
    RF_ASSIGN_OR_RETURN(const bool holds, CompareOnce(op, left, right));
    if (!holds) return Value::Bool(false);
    left = std::move(right);
  }
  return Value::Bool(true);
}

Result<Value> Interpreter::EvaluateLogic(const LogicNode& node) {
  Value value;
  for (const Node* operand : node.operands) {
    RF_ASSIGN_OR_RETURN(value, Evaluate(*operand));
    if (Truthy(value) != node.is_and) break;
  }
  return value;
}

Result<Value> Interpreter::EvaluateConcat(const ConcatNode& node) {
  MarkedText out;
  for (const Node* operand : node.operands) {
    RF_ASSIGN_OR_RETURN(const Value value, Evaluate(*operand));
    RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(value, meter_));
    RF_RETURN_IF_ERROR(meter_.Charge(text.str().size()));
    text.AppendTo(out);
  }
  return Value::Str(std::move(out));
}

Result<Value> Interpreter::EvaluateConditional(const ConditionalNode& node) {
  RF_ASSIGN_OR_RETURN(const Value test, Evaluate(*node.test));
  if (Truthy(test)) return Evaluate(*node.value);
  if (node.otherwise != nullptr) return Evaluate(*node.otherwise);
  return Value::Undefined(Value::Str("the inline if-expression without else"));
}

Result<Value> Interpreter::EvaluateChain(const ChainNode& node, const Value& caller) {
  RF_ASSIGN_OR_RETURN(Value value, Evaluate(*node.base));
  for (size_t i = 0; i < node.links.size(); ++i) {
    const Link& link = node.links[i];
    RF_RETURN_IF_ERROR(meter_.Step());
    const bool is_last = i + 1 == node.links.size();
    // value.method(...) without making the method a value in between
    if (link.kind == LinkKind::kAttribute && !is_last && node.links[i + 1].kind == LinkKind::kCall) {
      if (const Builtin* method = link.methods != nullptr ? link.methods->Of(value.type()) : nullptr) {
        RF_ASSIGN_OR_RETURN(Args args, EvaluateArguments(node.links[i + 1].arguments));
        Result<Value> result = CallBuiltin(*method, value, args);
        if (!result) return At(std::move(result).error(), link.position);
        value = std::move(result).value();
        ++i;
        continue;
      }
    }
    Result<Value> result = ApplyLink(link, value, is_last ? caller : Value::None());
    if (!result) return At(std::move(result).error(), link.position);
    value = std::move(result).value();
  }
  return value;
}

Result<Value> Interpreter::ApplyLink(const Link& link, const Value& value, const Value& caller) {
  switch (link.kind) {
    case LinkKind::kAttribute: return Attribute(value, link.name, link.methods);
    case LinkKind::kItem: {
      RF_ASSIGN_OR_RETURN(const Value key, Evaluate(*link.index));
      return Item(value, key);
    }
    case LinkKind::kSlice: return ApplySlice(link, value);
    case LinkKind::kCall: {
      RF_ASSIGN_OR_RETURN(Args args, EvaluateArguments(link.arguments));
      if (!caller.is_none()) args.keyword.emplace_back(program_.symbol_names[kCallerSymbol], caller);
      return Call(value, args);
    }
    case LinkKind::kFilter:
    case LinkKind::kTest: break;
  }
  const bool is_test = link.kind == LinkKind::kTest;
  if (link.builtin == nullptr) {
    return Fail(fmt::format("no {} named '{}'", is_test ? "test" : "filter", EscapeForMessage(link.name.str(), 80)));
  }
  RF_ASSIGN_OR_RETURN(Args args, EvaluateArguments(link.arguments));
  RF_ASSIGN_OR_RETURN(Value result, CallBuiltin(*link.builtin, value, args));
  return link.negated ? Value::Bool(!Truthy(result)) : result;
}

Result<Value> Interpreter::ApplyFilters(const std::vector<Link>& filters, Value value) {
  for (const Link& link : filters) {
    Result<Value> result = ApplyLink(link, value, Value::None());
    if (!result) return At(std::move(result).error(), link.position);
    value = std::move(result).value();
  }
  return value;
}

Result<Value> Interpreter::ApplySlice(const Link& link, const Value& value) {
  Value parts[3];
  const Node* nodes[3] = {link.start, link.stop, link.step};
  const Value* given[3] = {};
  for (int i = 0; i < 3; ++i) {
    if (nodes[i] == nullptr) continue;
    RF_ASSIGN_OR_RETURN(parts[i], Evaluate(*nodes[i]));
    given[i] = &parts[i];
  }
  return Slice(value, {given[0], given[1], given[2]}, meter_);
}

Result<Args> Interpreter::EvaluateArguments(const CallArguments& arguments) {
  Args args;
  args.positional.reserve(arguments.positional.size());
  for (const Node* node : arguments.positional) {
    RF_ASSIGN_OR_RETURN(Value value, Evaluate(*node));
    args.positional.push_back(std::move(value));
  }
  if (arguments.star != nullptr) {
    RF_ASSIGN_OR_RETURN(const Value value, Evaluate(*arguments.star));
    RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(value, meter_));
    args.positional.insert(args.positional.end(), items.begin(), items.end());
  }
  for (const auto& [name, node] : arguments.keyword) {
    RF_ASSIGN_OR_RETURN(Value value, Evaluate(*node));
    args.keyword.emplace_back(name, std::move(value));
  }
  if (arguments.double_star != nullptr) {
    RF_ASSIGN_OR_RETURN(const Value value, Evaluate(*arguments.double_star));
    if (!value.is_dict()) return Fail(fmt::format("** needs a dict, not {}", value.TypeName()));
    RF_RETURN_IF_ERROR(meter_.Charge(value.dict().entries().size() * sizeof(Dict::Entry)));
    for (const Dict::Entry& entry : value.dict().entries()) {
      if (!entry.key.is_string()) return Fail("keywords must be strings");
      args.keyword.emplace_back(entry.key, entry.value);
    }
  }
  return args;
}

}  // namespace rf::jinja
