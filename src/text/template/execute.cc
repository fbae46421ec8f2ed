// Execution of statements.
#include <fmt/format.h>

#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

Interpreter::~Interpreter() {
  for (const Ref<Object>& object : tracked_) object->Clear();
}

Result<MarkedText> Interpreter::Run(const nlohmann::ordered_json& context) {
  root_.resize(program_.symbol_names.size());
  for (size_t i = 0; i < root_.size(); ++i) {
    const std::string name(program_.symbol_names[i].str());
    const auto given = context.find(name);
    if (given != context.end()) {
      const auto& own = options_.own_variables;
      const bool is_input = std::find(own.begin(), own.end(), name) == own.end();
      RF_ASSIGN_OR_RETURN(root_[i], FromJson(*given, {.borrow = true, .is_input = is_input}, meter_));
    } else if (program_.symbol_globals[i] != nullptr) {
      root_[i] = Value::Of(Type::kFunction, new Function(program_.symbol_globals[i], Value::None()));
    }
  }
  MarkedText text;
  output_ = &text;
  Result<Flow> flow = Execute(program_.body);
  output_ = nullptr;
  if (!flow) return std::move(flow).error();
  return text;
}

Status Interpreter::ChargeOutput(size_t n_bytes) {
  const size_t limit = meter_.limits().max_output_bytes;
  if (n_bytes > limit - std::min(limit, output_->text.size())) {
    return Fail(fmt::format("the template's output is longer than {} bytes", limit));
  }
  return meter_.Scan(n_bytes);
}

Status Interpreter::Emit(std::string_view text) {
  RF_RETURN_IF_ERROR(ChargeOutput(text.size()));
  output_->Append(text);
  return {};
}

Status Interpreter::EmitValue(const Value& value) {
  if (value.is_undefined()) return {};
  RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(value, meter_));
  RF_RETURN_IF_ERROR(ChargeOutput(text.str().size()));
  text.AppendTo(*output_);
  return {};
}

void Interpreter::SetVariable(Symbol symbol, Value value) {
  if (frame_) {
    frame_->Set(symbol, std::move(value));
  } else {
    root_[symbol] = std::move(value);
  }
}

Status Interpreter::Assign(const Target& target, const Value& value) {
  if (target.kind == Target::Kind::kName) {
    SetVariable(target.symbol, value);
    return {};
  }
  if (target.kind == Target::Kind::kNamespace) {
    const Value space = Lookup(target.symbol);
    if (!space.Is(Type::kNamespace)) {
      return At(Fail("cannot assign attribute on non-namespace object"), target.position);
    }
    Dict& attributes = space.as<Namespace>().attributes;
    RF_RETURN_IF_ERROR(meter_.Charge(sizeof(Dict::Entry)));
    attributes.Set(target.attribute, value);
    return {};
  }
  if (value.is_sequence()) return Unpack(target, value.items());
  Result<std::vector<Value>> items = Items(value, meter_);
  if (!items) return At(std::move(items).error(), target.position);
  return Unpack(target, *items);
}

Status Interpreter::Unpack(const Target& target, const std::vector<Value>& items) {
  if (items.size() != target.parts.size()) {
    return At(Fail(fmt::format("{} values to unpack, expected {}", items.size(), target.parts.size())),
              target.position);
  }
  for (size_t i = 0; i < items.size(); ++i) RF_RETURN_IF_ERROR(Assign(target.parts[i], items[i]));
  return {};
}

Result<Interpreter::Flow> Interpreter::Execute(const Body& body) {
  const DepthScope depth(*this);
  RF_RETURN_IF_ERROR(depth.Check());
  for (const Node* node : body) {
    Status step = meter_.Step();
    if (!step) return At(std::move(step).error(), node->position);
    Result<Flow> flow = ExecuteOne(*node);
    if (!flow) return At(std::move(flow).error(), node->position);
    if (*flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::ExecuteOne(const Node& node) {
  switch (node.kind) {
    case NodeKind::kText: RF_RETURN_IF_ERROR(Emit(static_cast<const TextNode&>(node).text)); break;
    case NodeKind::kOutput: {
      RF_ASSIGN_OR_RETURN(const Value value, Evaluate(*static_cast<const OutputNode&>(node).value));
      RF_RETURN_IF_ERROR(EmitValue(value));
      break;
    }
    case NodeKind::kSet: {
      const auto& set = static_cast<const SetNode&>(node);
      RF_ASSIGN_OR_RETURN(const Value value, Evaluate(*set.value));
      RF_RETURN_IF_ERROR(Assign(set.target, value));
      break;
    }
    case NodeKind::kIf: return ExecuteIf(static_cast<const IfNode&>(node));
    case NodeKind::kFor: return ExecuteFor(static_cast<const ForNode&>(node));
    case NodeKind::kWith: return ExecuteWith(static_cast<const WithNode&>(node));
    case NodeKind::kScope: return ExecuteScope(static_cast<const ScopeNode&>(node));
    case NodeKind::kSetBlock: RF_RETURN_IF_ERROR(ExecuteSetBlock(static_cast<const SetBlockNode&>(node))); break;
    case NodeKind::kCallBlock: RF_RETURN_IF_ERROR(ExecuteCallBlock(static_cast<const CallBlockNode&>(node))); break;
    case NodeKind::kFilterBlock:
      RF_RETURN_IF_ERROR(ExecuteFilterBlock(static_cast<const FilterBlockNode&>(node)));
      break;
    case NodeKind::kMacro: {
      const auto& macro = static_cast<const MacroNode&>(node);
      RF_ASSIGN_OR_RETURN(Value value, MakeMacro(macro));
      SetVariable(macro.symbol, std::move(value));
      break;
    }
    case NodeKind::kBreak: return Flow::kBreak;
    case NodeKind::kContinue: return Flow::kContinue;
    default: return Fail("an expression stands where a statement should");
  }
  return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::ExecuteIf(const IfNode& node) {
  for (const auto& [test, body] : node.arms) {
    RF_ASSIGN_OR_RETURN(const Value value, Evaluate(*test));
    if (Truthy(value)) return Execute(body);
  }
  return Execute(node.otherwise);
}

Result<Interpreter::Flow> Interpreter::ExecuteFor(const ForNode& node) {
  RF_ASSIGN_OR_RETURN(const Value iterable, Evaluate(*node.iterable));
  return RunLoop(node, iterable, 0);
}

Result<std::vector<Value>> Interpreter::FilteredItems(const ForNode& node, const Value& iterable) {
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(iterable, meter_));
  if (node.filter == nullptr) return items;
  std::vector<Value> kept;
  auto frame = MakeRef<Frame>(frame_);
  const FrameScope scope(*this, frame);
  for (Value& item : items) {
    RF_RETURN_IF_ERROR(meter_.Step());
    RenewFrame(frame);
    RF_RETURN_IF_ERROR(Assign(node.target, item));
    RF_ASSIGN_OR_RETURN(const Value keep, Evaluate(*node.filter));
    if (Truthy(keep)) kept.push_back(std::move(item));
  }
  return kept;
}

// Empties a loop's scope for its next turn. REQUIRES: `frame` is frame_.
void Interpreter::RenewFrame(Ref<Frame>& frame) {
  frame_ = Ref<Frame>();
  if (frame->unique()) {
    frame->variables.clear();
  } else {  // a macro defined in the last turn keeps that turn's variables
    frame = MakeRef<Frame>(frame->parent);
  }
  frame_ = frame;
}

Result<Interpreter::Flow> Interpreter::RunLoop(const ForNode& node, const Value& iterable, int depth) {
  auto loop = MakeRef<Loop>();
  RF_ASSIGN_OR_RETURN(loop->items, FilteredItems(node, iterable));
  const Ref<Frame> outer = frame_;
  if (loop->items.empty()) {
    const FrameScope scope(*this, MakeRef<Frame>(outer));
    return Execute(node.otherwise);
  }
  loop->depth = depth;
  if (node.is_recursive) {
    loop->node = &node;
    loop->frame = outer;
    Track(loop.get());
  }
  const Value loop_value = Value::Of(Type::kLoop, loop.get());
  auto frame = MakeRef<Frame>(outer);
  const FrameScope scope(*this, frame);
  for (; loop->index < loop->items.size(); ++loop->index) {
    RF_RETURN_IF_ERROR(meter_.Step());
    if (loop->index > 0) RenewFrame(frame);
    frame->Set(kLoopSymbol, loop_value);
    RF_RETURN_IF_ERROR(Assign(node.target, loop->items[loop->index]));
    RF_ASSIGN_OR_RETURN(const Flow flow, Execute(node.body));
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNext;
}

Result<Value> Interpreter::Capture(const Body& body) {
  OutputScope output(*this);
  RF_RETURN_IF_ERROR(Execute(body));
  return NewString(output.Take());
}

Status Interpreter::ExecuteSetBlock(const SetBlockNode& node) {
  Value value;
  {
    const FrameScope scope(*this, MakeRef<Frame>(frame_));
    RF_ASSIGN_OR_RETURN(value, Capture(node.body));
    RF_ASSIGN_OR_RETURN(value, ApplyFilters(node.filters, std::move(value)));
  }
  return Assign(node.target, value);
}

Status Interpreter::ExecuteFilterBlock(const FilterBlockNode& node) {
  const FrameScope scope(*this, MakeRef<Frame>(frame_));
  RF_ASSIGN_OR_RETURN(Value value, Capture(node.body));
  RF_ASSIGN_OR_RETURN(value, ApplyFilters(node.filters, std::move(value)));
  return EmitValue(value);
}

Status Interpreter::ExecuteCallBlock(const CallBlockNode& node) {
  RF_ASSIGN_OR_RETURN(const Value caller, MakeMacro(*node.caller));
  RF_ASSIGN_OR_RETURN(const Value value, EvaluateChain(*node.call, caller));
  return EmitValue(value);
}

Result<Interpreter::Flow> Interpreter::ExecuteWith(const WithNode& node) {
  auto inner = MakeRef<Frame>(frame_);
  std::vector<Value> values;  // all are evaluated outside of the new scope
  for (const auto& [target, value_node] : node.bindings) {
    RF_ASSIGN_OR_RETURN(Value value, Evaluate(*value_node));
    values.push_back(std::move(value));
  }
  const FrameScope scope(*this, std::move(inner));
  for (size_t i = 0; i < values.size(); ++i) RF_RETURN_IF_ERROR(Assign(node.bindings[i].first, values[i]));
  return Execute(node.body);
}

Result<Interpreter::Flow> Interpreter::ExecuteScope(const ScopeNode& node) {
  const FrameScope scope(*this, MakeRef<Frame>(node.from_root ? Ref<Frame>() : frame_));
  return Execute(node.body);
}

Result<Value> Interpreter::MakeMacro(const MacroNode& node) {
  RF_RETURN_IF_ERROR(meter_.Charge(sizeof(Macro) + sizeof(Frame)));
  if (frame_) Track(frame_.get());  // the frame may come to hold the macro, and the macro holds the frame
  return Value::Of(Type::kMacro, new Macro(&node, frame_));
}

}  // namespace rf::jinja
