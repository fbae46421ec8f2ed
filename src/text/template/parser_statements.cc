// Statements: what stands between {% and %}.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/template/parser.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

// Whether `name` is one of the space-separated `names`.
bool IsOneOf(std::string_view name, std::string_view names) {
  while (!names.empty()) {
    const size_t space = std::min(names.find(' '), names.size());
    if (names.substr(0, space) == name) return true;
    names.remove_prefix(std::min(space + 1, names.size()));
  }
  return false;
}

}  // namespace

Status Parser::ParseTemplate() {
  for (const std::string_view name : {"loop", "caller", "varargs", "kwargs"}) Intern(name);
  RF_ASSIGN_OR_RETURN(program_.body, Statements("", "", {}));
  if (!unknown_names_.empty()) return unknown_names_.front();
  return {};
}

Status Parser::ExpectBlockEnd() {
  if (Now().kind != TokenKind::kBlockEnd) return Unexpected("the end of the tag");
  Next();
  return {};
}

Status Parser::TextOrOutput(Body& body) {
  const Position position = Now().position;
  if (Now().kind == TokenKind::kText) {
    auto* node = Make<TextNode>(position);
    node->text = Now().text;
    body.push_back(node);
    Next();
    return {};
  }
  Next();
  RF_ASSIGN_OR_RETURN(const Node* value, Tuple({}));
  if (Now().kind != TokenKind::kVariableEnd) return Unexpected("the end of the expression");
  Next();
  auto* node = Make<OutputNode>(position);
  node->value = value;
  body.push_back(node);
  return {};
}

Result<Body> Parser::Statements(std::string_view ends, std::string_view opener, Position opened) {
  const Level level(*this);
  RF_RETURN_IF_ERROR(level.Check());
  Body body;
  while (Now().kind != TokenKind::kEnd) {
    if (Now().kind != TokenKind::kBlockBegin) {
      RF_RETURN_IF_ERROR(TextOrOutput(body));
      continue;
    }
    Next();
    if (Now().kind == TokenKind::kName && IsOneOf(Now().text, ends)) return body;
    RF_ASSIGN_OR_RETURN(const Node* statement, Statement());
    body.push_back(statement);
    RF_RETURN_IF_ERROR(ExpectBlockEnd());
  }
  if (ends.empty()) return body;
  return SyntaxError(Now().position, fmt::format("the template ends inside '{}' of {}; it needs '{}'", opener,
                                                 PositionText(opened), ends.substr(ends.rfind(' ') + 1)));
}

Result<Body> Parser::BodyUntil(std::string_view end, std::string_view opener, Position opened) {
  RF_RETURN_IF_ERROR(ExpectBlockEnd());
  RF_ASSIGN_OR_RETURN(Body body, Statements(end, opener, opened));
  Next();
  return body;
}

Parser::NodeResult Parser::Statement() {
  using Rule = NodeResult (Parser::*)();
  struct Row {
    std::string_view name;
    Rule rule;
  };
  static constexpr std::array kRows = {
      Row{"if", &Parser::If},
      Row{"for", &Parser::For},
      Row{"set", &Parser::Set},
      Row{"call", &Parser::Call},
      Row{"filter", &Parser::FilterBlock},
      Row{"with", &Parser::With},
      Row{"print", &Parser::Print},
      Row{"macro", &Parser::MacroStatement},
  };
  if (Now().kind != TokenKind::kName) return Unexpected("the name of a tag");
  const std::string_view name = Now().text;
  for (const Row& row : kRows) {
    if (row.name == name) return (this->*row.rule)();
  }
  if (name == "generation" || name == "block") return Scope(name);
  if (name == "break" || name == "continue") return LoopControl(name == "break");
  if (IsOneOf(name, "include import from extends autoescape")) {
    return Error{ErrorCode::kUnsupported, fmt::format("the tag '{}' is not supported in chat templates", name),
                 PositionText(Now().position)};
  }
  return SyntaxError(Now().position, fmt::format("unknown tag '{}'", EscapeForMessage(name, 60)));
}

Parser::NodeResult Parser::If() {
  auto* node = Make<IfNode>(Now().position);
  Next();
  ++conditional_depth_;
  while (true) {
    RF_ASSIGN_OR_RETURN(const Node* test, Tuple({.with_conditional = false}));
    RF_RETURN_IF_ERROR(ExpectBlockEnd());
    RF_ASSIGN_OR_RETURN(Body body, Statements("elif else endif", "if", node->position));
    node->arms.emplace_back(test, std::move(body));
    if (!SkipName("elif")) break;
  }
  if (SkipName("else")) {
    RF_ASSIGN_OR_RETURN(node->otherwise, BodyUntil("endif", "if", node->position));
  } else {
    Next();
  }
  --conditional_depth_;
  return node;
}

Parser::NodeResult Parser::For() {
  auto* node = Make<ForNode>(Now().position);
  Next();
  RF_ASSIGN_OR_RETURN(node->target, AssignTarget(false, "in"));
  RF_RETURN_IF_ERROR(ExpectName("in"));
  RF_ASSIGN_OR_RETURN(node->iterable, Tuple({.with_conditional = false, .end_name = "recursive"}));
  if (SkipName("if")) {
    RF_ASSIGN_OR_RETURN(node->filter, Expression());
  }
  node->is_recursive = SkipName("recursive");
  RF_RETURN_IF_ERROR(ExpectBlockEnd());
  ++loop_depth_;
  RF_ASSIGN_OR_RETURN(node->body, Statements("else endfor", "for", node->position));
  --loop_depth_;
  if (SkipName("else")) {
    RF_ASSIGN_OR_RETURN(node->otherwise, BodyUntil("endfor", "for", node->position));
  } else {
    Next();
  }
  return node;
}

Result<Target> Parser::OneTarget(bool with_namespace) {
  Target target;
  target.position = Now().position;
  if (SkipOperator("(")) {
    const Level level(*this);
    RF_RETURN_IF_ERROR(level.Check());
    RF_ASSIGN_OR_RETURN(target, AssignTarget(with_namespace, ")"));
    RF_RETURN_IF_ERROR(ExpectOperator(")"));
    return target;
  }
  RF_ASSIGN_OR_RETURN(const std::string_view name, ExpectIdentifier());
  if (IsOneOf(name, "true false none True False None")) {
    return SyntaxError(target.position, fmt::format("can not assign to '{}'", name));
  }
  target.symbol = Intern(name);
  if (with_namespace && SkipOperator(".")) {
    target.kind = Target::Kind::kNamespace;
    RF_ASSIGN_OR_RETURN(const std::string_view attribute, ExpectIdentifier());
    target.attribute = Value::Str(std::string(attribute));
  }
  return target;
}

Result<Target> Parser::AssignTarget(bool with_namespace, std::string_view end_name) {
  Target tuple;
  tuple.kind = Target::Kind::kTuple;
  tuple.position = Now().position;
  bool is_tuple = false;
  while (tuple.parts.empty() || (!IsName(end_name) && !IsOperator("=") && !IsOperator(")"))) {
    RF_ASSIGN_OR_RETURN(Target part, OneTarget(with_namespace));
    tuple.parts.push_back(std::move(part));
    if (!SkipOperator(",")) break;
    is_tuple = true;
  }
  if (is_tuple) return tuple;
  Target only = std::move(tuple.parts[0]);
  return only;
}

Parser::NodeResult Parser::Set() {
  const Position position = Now().position;
  Next();
  RF_ASSIGN_OR_RETURN(Target target, AssignTarget(true, ""));
  if (SkipOperator("=")) {
    auto* node = Make<SetNode>(position);
    node->target = std::move(target);
    RF_ASSIGN_OR_RETURN(node->value, Tuple({}));
    return node;
  }
  auto* node = Make<SetBlockNode>(position);
  node->target = std::move(target);
  RF_ASSIGN_OR_RETURN(node->filters, FilterList(true));
  RF_ASSIGN_OR_RETURN(node->body, BodyUntil("endset", "set", position));
  return node;
}

Status Parser::Signature(MacroNode& macro) {
  RF_RETURN_IF_ERROR(ExpectOperator("("));
  while (!IsOperator(")")) {
    if (!macro.parameters.empty()) RF_RETURN_IF_ERROR(ExpectOperator(","));
    if (IsOperator(")")) break;
    const Position position = Now().position;
    RF_ASSIGN_OR_RETURN(const std::string_view name, ExpectIdentifier());
    const Symbol symbol = Intern(name);
    for (const auto& [other, text] : macro.parameters) {
      if (other == symbol) return SyntaxError(position, fmt::format("parameter '{}' occurs twice", name));
    }
    macro.parameters.emplace_back(symbol, program_.symbol_names[symbol]);
    if (SkipOperator("=")) {
      RF_ASSIGN_OR_RETURN(const Node* value, Expression());
      macro.defaults.push_back(value);
    } else if (!macro.defaults.empty()) {
      return SyntaxError(position, "a parameter without a default follows one with a default");
    }
  }
  Next();
  return {};
}

Status Parser::MacroBody(MacroNode& macro, std::string_view end) {
  MacroNode* const outer = macro_;
  const int outer_loops = loop_depth_;
  macro_ = &macro;
  loop_depth_ = 0;
  RF_ASSIGN_OR_RETURN(macro.body, BodyUntil(end, end.substr(3), macro.position));
  macro_ = outer;
  loop_depth_ = outer_loops;
  return {};
}

Parser::NodeResult Parser::MacroStatement() {
  auto* node = Make<MacroNode>(Now().position);
  Next();
  RF_ASSIGN_OR_RETURN(node->name, ExpectIdentifier());
  node->symbol = Intern(node->name);
  RF_RETURN_IF_ERROR(Signature(*node));
  RF_RETURN_IF_ERROR(MacroBody(*node, "endmacro"));
  return node;
}

Parser::NodeResult Parser::Call() {
  auto* node = Make<CallBlockNode>(Now().position);
  Next();
  auto* caller = Make<MacroNode>(node->position);
  caller->name = "caller";
  caller->symbol = kCallerSymbol;
  if (IsOperator("(")) RF_RETURN_IF_ERROR(Signature(*caller));
  RF_ASSIGN_OR_RETURN(const Node* call, Expression());
  const auto* chain = call->kind == NodeKind::kChain ? static_cast<const ChainNode*>(call) : nullptr;
  if (chain == nullptr || chain->links.back().kind != LinkKind::kCall) {
    return SyntaxError(call->position, "expected a call");
  }
  node->call = chain;
  RF_RETURN_IF_ERROR(MacroBody(*caller, "endcall"));
  node->caller = caller;
  return node;
}

Parser::NodeResult Parser::FilterBlock() {
  auto* node = Make<FilterBlockNode>(Now().position);
  Next();
  RF_ASSIGN_OR_RETURN(node->filters, FilterList(false));
  RF_ASSIGN_OR_RETURN(node->body, BodyUntil("endfilter", "filter", node->position));
  return node;
}

Parser::NodeResult Parser::With() {
  auto* node = Make<WithNode>(Now().position);
  Next();
  while (Now().kind != TokenKind::kBlockEnd) {
    if (!node->bindings.empty()) RF_RETURN_IF_ERROR(ExpectOperator(","));
    RF_ASSIGN_OR_RETURN(Target target, OneTarget(false));
    RF_RETURN_IF_ERROR(ExpectOperator("="));
    RF_ASSIGN_OR_RETURN(const Node* value, Expression());
    node->bindings.emplace_back(std::move(target), value);
  }
  RF_ASSIGN_OR_RETURN(node->body, BodyUntil("endwith", "with", node->position));
  return node;
}

Parser::NodeResult Parser::Scope(std::string_view name) {
  auto* node = Make<ScopeNode>(Now().position);
  Next();
  if (name == "block") {
    node->from_root = true;
    RF_RETURN_IF_ERROR(ExpectIdentifier());
    if (SkipName("scoped")) node->from_root = false;
    SkipName("required");
  }
  const int outer_loops = loop_depth_;
  loop_depth_ = 0;
  RF_ASSIGN_OR_RETURN(node->body, BodyUntil(fmt::format("end{}", name), name, node->position));
  loop_depth_ = outer_loops;
  if (name == "block" && Now().kind == TokenKind::kName) Next();  // {% endblock name %}
  return node;
}

Parser::NodeResult Parser::Print() {
  auto* node = Make<OutputNode>(Now().position);
  Next();
  RF_ASSIGN_OR_RETURN(node->value, Tuple({}));
  return node;
}

Parser::NodeResult Parser::LoopControl(bool is_break) {
  const Position position = Now().position;
  if (loop_depth_ == 0) return SyntaxError(position, fmt::format("'{}' outside of a loop", Now().text));
  Next();
  if (is_break) return Make<BreakNode>(position);
  return Make<ContinueNode>(position);
}

Result<std::unique_ptr<const Program>> ParseProgram(std::string source, const TemplateLimits& limits) {
  auto program = std::make_unique<Program>();
  program->source = std::move(source);
  RF_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(program->source, limits.max_depth));
  Parser parser(*program, std::move(tokens), limits.max_depth);
  RF_RETURN_IF_ERROR(parser.ParseTemplate());
  return std::unique_ptr<const Program>(std::move(program));
}

}  // namespace rf::jinja
