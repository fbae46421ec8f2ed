// One rendering of one program: evaluates expressions and executes statements.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "text/template/ast.h"
#include "text/template/meter.h"
#include "text/template/value.h"

namespace rf::jinja {

/// Where the strings of a JSON value come from.
struct JsonOrigin {
  bool borrow = false;    ///< they refer to the JSON value's memory
  bool is_input = false;  ///< they are the caller's, not the template's. (Not the names of well-known roles.)
};

/// A JSON value as a template value. Errors: limits.
Result<Value> FromJson(const nlohmann::ordered_json& json, const JsonOrigin& origin, Meter& meter, int depth = 0);

/// a op b with Python's rules. Errors: operand types, division by zero, more than 128 bits, limits.
Result<Value> ApplyBinary(BinaryOp op, const Value& a, const Value& b, Meter& meter);
Result<Value> ApplyUnary(UnaryOp op, const Value& operand);
/// The format operator: `text % values`, for one value or a tuple or a dict.
Result<Value> PercentFormat(const Value& text, const Value& values, Meter& meter);

/// The three parts of a subscript with colons; nullptr where one is not given.
struct SliceBounds {
  const Value* start;
  const Value* stop;
  const Value* step;
};
Result<Value> Slice(const Value& value, const SliceBounds& bounds, Meter& meter);

class Interpreter {
 public:
  Interpreter(const Program& program, const RenderOptions& options)
      : program_(program), options_(options), meter_(options.limits) {}
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  /// Renders with the members of `context`, which must be an object and outlive the call.
  Result<MarkedText> Run(const nlohmann::ordered_json& context);

  // For built-ins.
  Meter& meter() { return meter_; }
  const RenderOptions& options() const { return options_; }
  /// value.name: methods before items. Errors: the value is undefined.
  Result<Value> Attribute(const Value& value, const Value& name);
  /// The same with FindMethods(name), which a parser has looked up.
  Result<Value> Attribute(const Value& value, const Value& name, const Methods* methods);
  /// value[key]: items before methods. Errors: the value is undefined.
  Result<Value> Item(const Value& value, const Value& key);
  Result<Value> Call(const Value& callee, Args& args);
  Result<Value> CallBuiltin(const Builtin& builtin, const Value& self, Args& args);
  /// Keeps `object` until the end and breaks its cycles there.
  void Track(Object* object) { tracked_.emplace_back(object); }
  /// A string whose size is charged. Errors: limits.
  Result<Value> NewString(std::string text);
  Result<Value> NewString(MarkedText text);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  class FrameScope;
  class OutputScope;
  class DepthScope;

  // Expressions (evaluate.cc).
  Result<Value> Evaluate(const Node& node);
  Result<Value> EvaluateInner(const Node& node);
  Value Lookup(Symbol symbol) const;
  Result<Value> EvaluateList(const ListNode& node);
  Result<Value> EvaluateDict(const DictNode& node);
  Result<Value> EvaluateBinary(const BinaryNode& node);
  Result<Value> EvaluateCompare(const CompareNode& node);
  Result<Value> EvaluateLogic(const LogicNode& node);
  Result<Value> EvaluateConcat(const ConcatNode& node);
  Result<Value> EvaluateConditional(const ConditionalNode& node);
  Result<Value> EvaluateChain(const ChainNode& node, const Value& caller = Value::None());
  Result<Value> ApplyLink(const Link& link, const Value& value, const Value& caller);
  Result<Value> ApplyFilters(const std::vector<Link>& filters, Value value);
  Result<Value> ApplySlice(const Link& link, const Value& value);
  Result<Args> EvaluateArguments(const CallArguments& arguments);
  Result<bool> CompareOnce(CompareOp op, const Value& a, const Value& b);

  // Calls (calls.cc).
  Result<Value> CallMacro(const Macro& macro, Args& args);
  Status BindMacro(const MacroNode& node, Args& args, Frame& frame);
  Status BindRest(const MacroNode& node, Args& args, std::vector<bool>& used, Frame& frame);
  Result<Value> CallLoop(Loop& loop, Args& args);
  Value LoopAttribute(const Loop& loop, const Value& value, const Value& name);
  Value MacroAttribute(const Macro& macro, const Value& name);

  // Statements (execute.cc).
  Result<Flow> Execute(const Body& body);
  Result<Flow> ExecuteOne(const Node& node);
  Result<Flow> ExecuteIf(const IfNode& node);
  Result<Flow> ExecuteFor(const ForNode& node);
  Result<Flow> RunLoop(const ForNode& node, const Value& iterable, int depth);
  Result<std::vector<Value>> FilteredItems(const ForNode& node, const Value& iterable);
  void RenewFrame(Ref<Frame>& frame);
  Status ExecuteSetBlock(const SetBlockNode& node);
  Status ExecuteCallBlock(const CallBlockNode& node);
  Status ExecuteFilterBlock(const FilterBlockNode& node);
  Result<Flow> ExecuteWith(const WithNode& node);
  Result<Flow> ExecuteScope(const ScopeNode& node);
  Result<Value> Capture(const Body& body);
  Result<Value> MakeMacro(const MacroNode& node);
  Status Assign(const Target& target, const Value& value);
  Status Unpack(const Target& target, const std::vector<Value>& items);
  void SetVariable(Symbol symbol, Value value);
  Status Emit(std::string_view text);
  Status ChargeOutput(size_t n_bytes);
  Status EmitValue(const Value& value);

  const Program& program_;
  const RenderOptions& options_;
  Meter meter_;
  std::vector<Value> root_;  // variables of the outermost scope by symbol
  Ref<Frame> frame_;         // innermost scope; none: the outermost
  MarkedText* output_ = nullptr;
  int depth_ = 0;  // of nested evaluation
  int calls_ = 0;  // of macros and recursive loops
  std::vector<Ref<Object>> tracked_;
};

/// Restores the variables' scope when it ends.
class Interpreter::FrameScope {
 public:
  FrameScope(Interpreter& interpreter, Ref<Frame> frame) : interpreter_(interpreter), outer_(interpreter.frame_) {
    interpreter_.frame_ = std::move(frame);
  }
  ~FrameScope() { interpreter_.frame_ = std::move(outer_); }
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

 private:
  Interpreter& interpreter_;
  Ref<Frame> outer_;
};

/// Sends output to a string of its own.
class Interpreter::OutputScope {
 public:
  explicit OutputScope(Interpreter& interpreter) : interpreter_(interpreter), outer_(interpreter.output_) {
    interpreter_.output_ = &text_;
  }
  ~OutputScope() { interpreter_.output_ = outer_; }
  OutputScope(const OutputScope&) = delete;
  OutputScope& operator=(const OutputScope&) = delete;
  MarkedText Take() { return std::move(text_); }

 private:
  Interpreter& interpreter_;
  MarkedText* outer_;
  MarkedText text_;
};

/// Counts one level of nested evaluation, which bounds the stack.
class Interpreter::DepthScope {
 public:
  explicit DepthScope(Interpreter& interpreter) : depth_(++interpreter.depth_), interpreter_(interpreter) {}
  ~DepthScope() { --interpreter_.depth_; }
  DepthScope(const DepthScope&) = delete;
  DepthScope& operator=(const DepthScope&) = delete;
  Status Check() const {
    if (depth_ > kMaxEvaluationDepth) return TooDeep();
    return {};
  }

 private:
  // Deep enough for max_depth macro calls of ordinary templates; about 1 MiB of stack.
  static constexpr int kMaxEvaluationDepth = 700;
  static Error TooDeep();

  int depth_;
  Interpreter& interpreter_;
};

/// The error with a position, unless it has one.
inline Error At(Error error, Position position) {
  if (error.where.empty())
    error.where = "template:" + std::to_string(position.line) + ":" + std::to_string(position.column);
  return error;
}

}  // namespace rf::jinja
