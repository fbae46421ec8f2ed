// Expressions. The grammar and its precedences are Jinja's: `~` binds tighter than `+`, `**` goes from the left, unary
// minus binds tighter than `**`, and a test binds tighter than arithmetic.
#include <fmt/format.h>

#include "text/template/parser.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

Status Parser::Level::Check() const {
  if (parser_.depth_ <= parser_.max_depth_) return {};
  return NestingError(parser_.Now().position, parser_.max_depth_);
}

bool Parser::SkipOperator(std::string_view text) {
  if (!IsOperator(text)) return false;
  Next();
  return true;
}

bool Parser::SkipName(std::string_view text) {
  if (!IsName(text)) return false;
  Next();
  return true;
}

Error Parser::Unexpected(std::string_view wanted) const {
  std::string got;
  switch (Now().kind) {
    case TokenKind::kEnd: got = "end of template"; break;
    case TokenKind::kBlockEnd: got = "end of the tag"; break;
    case TokenKind::kVariableEnd: got = "end of the expression"; break;
    default: got = fmt::format("'{}'", EscapeForMessage(Now().text, 60)); break;
  }
  return SyntaxError(Now().position, fmt::format("expected {}, got {}", wanted, got));
}

Status Parser::ExpectOperator(std::string_view text) {
  if (SkipOperator(text)) return {};
  return Unexpected(fmt::format("'{}'", text));
}

Status Parser::ExpectName(std::string_view text) {
  if (SkipName(text)) return {};
  return Unexpected(fmt::format("'{}'", text));
}

Result<std::string_view> Parser::ExpectIdentifier() {
  if (Now().kind != TokenKind::kName) return Unexpected("a name");
  const std::string_view text = Now().text;
  Next();
  return text;
}

Symbol Parser::Intern(std::string_view name) {
  const auto [at, is_new] = symbols_.try_emplace(name, static_cast<Symbol>(program_.symbol_names.size()));
  if (is_new) {
    program_.symbol_names.push_back(Value::Str(std::string(name)));
    program_.symbol_globals.push_back(FindGlobal(name));
  }
  return at->second;
}

const Node* Parser::Constant(Position position, Value value) {
  auto* node = Make<ConstantNode>(position);
  node->value = std::move(value);
  return node;
}

Parser::NodeResult Parser::Expression(bool with_conditional) {
  if (with_conditional) return Conditional();
  const Level level(*this);
  RF_RETURN_IF_ERROR(level.Check());
  return Logic(false);
}

Parser::NodeResult Parser::Conditional() {
  const Level level(*this);
  RF_RETURN_IF_ERROR(level.Check());
  const size_t unknown_before = unknown_names_.size();
  NodeResult value = Logic(false);
  for (int conditions = 0; value && IsName("if"); ++conditions) {
    if (conditions >= max_depth_) return SyntaxError(Now().position, "too many conditions in one expression");
    auto* node = Make<ConditionalNode>(Now().position);
    Next();
    node->value = *value;
    RF_ASSIGN_OR_RETURN(node->test, Logic(false));
    if (SkipName("else")) {
      RF_ASSIGN_OR_RETURN(node->otherwise, Conditional());
    }
    value = node;
    unknown_names_.resize(unknown_before, Error{});  // under a condition they fail when they are reached
  }
  return value;
}

Parser::NodeResult Parser::Logic(bool is_and) {
  const auto operand = [&] { return is_and ? Not() : Logic(true); };
  const std::string_view word = is_and ? "and" : "or";
  RF_ASSIGN_OR_RETURN(const Node* first, operand());
  if (!IsName(word)) return first;
  auto* node = Make<LogicNode>(Now().position);
  node->is_and = is_and;
  node->operands.push_back(first);
  while (SkipName(word)) {
    RF_ASSIGN_OR_RETURN(const Node* next, operand());
    node->operands.push_back(next);
  }
  return node;
}

Parser::NodeResult Parser::Not() {
  if (!IsName("not")) return Compare();
  const Level level(*this);
  RF_RETURN_IF_ERROR(level.Check());
  auto* node = Make<UnaryNode>(Now().position);
  Next();
  RF_ASSIGN_OR_RETURN(node->operand, Not());
  return node;
}

Result<bool> Parser::CompareOperator(CompareOp* op) {
  constexpr std::pair<std::string_view, CompareOp> kOperators[] = {
      {"==", CompareOp::kEq}, {"!=", CompareOp::kNe}, {"<", CompareOp::kLt},
      {"<=", CompareOp::kLe}, {">", CompareOp::kGt},  {">=", CompareOp::kGe},
  };
  for (const auto& [text, value] : kOperators) {
    if (!SkipOperator(text)) continue;
    *op = value;
    return true;
  }
  if (SkipName("in")) {
    *op = CompareOp::kIn;
    return true;
  }
  if (IsName("not") && Ahead().kind == TokenKind::kName && Ahead().text == "in") {
    Next();
    Next();
    *op = CompareOp::kNotIn;
    return true;
  }
  return false;
}

Parser::NodeResult Parser::Compare() {
  RF_ASSIGN_OR_RETURN(const Node* first, Sum());
  CompareNode* node = nullptr;
  while (true) {
    const Position position = Now().position;
    CompareOp op;
    RF_ASSIGN_OR_RETURN(const bool found, CompareOperator(&op));
    if (!found) break;
    if (node == nullptr) {
      node = Make<CompareNode>(position);
      node->first = first;
    }
    RF_ASSIGN_OR_RETURN(const Node* operand, Sum());
    node->terms.emplace_back(op, operand);
  }
  return node != nullptr ? node : first;
}

bool Parser::SkipSumOperator(BinaryOp* op) {
  *op = IsOperator("+") ? BinaryOp::kAdd : BinaryOp::kSub;
  return SkipOperator("+") || SkipOperator("-");
}

bool Parser::SkipProductOperator(BinaryOp* op) {
  *op = IsOperator("*")    ? BinaryOp::kMul
        : IsOperator("/")  ? BinaryOp::kDiv
        : IsOperator("//") ? BinaryOp::kFloorDiv
                           : BinaryOp::kMod;
  return SkipOperator("*") || SkipOperator("/") || SkipOperator("//") || SkipOperator("%");
}

Parser::NodeResult Parser::BinaryChain(NodeResult (Parser::*operand)(), bool (Parser::*skip_operator)(BinaryOp*)) {
  RF_ASSIGN_OR_RETURN(const Node* first, (this->*operand)());
  BinaryNode* node = nullptr;
  BinaryOp op;
  while (true) {
    const Position position = Now().position;
    if (!(this->*skip_operator)(&op)) break;
    if (node == nullptr) {
      node = Make<BinaryNode>(position);
      node->first = first;
    }
    RF_ASSIGN_OR_RETURN(const Node* next, (this->*operand)());
    node->terms.push_back({op, next, position});
  }
  return node != nullptr ? node : first;
}

Parser::NodeResult Parser::Sum() {
  return BinaryChain(&Parser::Concat, &Parser::SkipSumOperator);
}

Parser::NodeResult Parser::Concat() {
  RF_ASSIGN_OR_RETURN(const Node* first, Product());
  if (!IsOperator("~")) return first;
  auto* node = Make<ConcatNode>(Now().position);
  node->operands.push_back(first);
  while (SkipOperator("~")) {
    RF_ASSIGN_OR_RETURN(const Node* next, Product());
    node->operands.push_back(next);
  }
  return node;
}

Parser::NodeResult Parser::Product() {
  return BinaryChain(&Parser::Power, &Parser::SkipProductOperator);
}

Parser::NodeResult Parser::Power() {
  RF_ASSIGN_OR_RETURN(const Node* first, Unary());
  BinaryNode* node = nullptr;
  while (IsOperator("**")) {
    const Position position = Now().position;
    Next();
    if (node == nullptr) {
      node = Make<BinaryNode>(position);
      node->first = first;
    }
    RF_ASSIGN_OR_RETURN(const Node* next, Unary());
    node->terms.push_back({BinaryOp::kPow, next, position});
  }
  return node != nullptr ? node : first;
}

Parser::NodeResult Parser::Unary(bool with_filters) {
  const Node* node = nullptr;
  if (IsOperator("-") || IsOperator("+")) {
    const Level level(*this);
    RF_RETURN_IF_ERROR(level.Check());
    auto* unary = Make<UnaryNode>(Now().position);
    unary->op = IsOperator("-") ? UnaryOp::kNegate : UnaryOp::kPlus;
    Next();
    RF_ASSIGN_OR_RETURN(unary->operand, Unary(false));
    node = unary;
  } else {
    RF_ASSIGN_OR_RETURN(node, Primary());
  }
  RF_ASSIGN_OR_RETURN(node, Postfix(node));
  return with_filters ? FiltersAndTests(node) : NodeResult(node);
}

Parser::NodeResult Parser::StringConstant() {
  const Position position = Now().position;
  std::string text;
  for (; Now().kind == TokenKind::kString; Next()) {
    RF_ASSIGN_OR_RETURN(const std::string part, StringLiteral(Now()));
    text += part;
  }
  return Constant(position, Value::Str(std::move(text)));
}

Parser::NodeResult Parser::Primary() {
  const Token& token = Now();
  if (token.kind == TokenKind::kString) return StringConstant();
  if (token.kind == TokenKind::kInteger || token.kind == TokenKind::kFloat) {
    RF_ASSIGN_OR_RETURN(Value number, NumberLiteral(token));
    Next();
    return Constant(token.position, std::move(number));
  }
  if (token.kind == TokenKind::kName) {
    Next();
    if (token.text == "true" || token.text == "True") return Constant(token.position, Value::Bool(true));
    if (token.text == "false" || token.text == "False") return Constant(token.position, Value::Bool(false));
    if (token.text == "none" || token.text == "None") return Constant(token.position, Value::None());
    auto* name = Make<NameNode>(token.position);
    name->symbol = Intern(token.text);
    if (macro_ != nullptr) {
      macro_->uses_caller |= name->symbol == kCallerSymbol;
      macro_->uses_varargs |= name->symbol == kVarargsSymbol;
      macro_->uses_kwargs |= name->symbol == kKwargsSymbol;
    }
    return name;
  }
  if (SkipOperator("(")) {
    RF_ASSIGN_OR_RETURN(const Node* inner, Tuple({.in_parentheses = true}));
    RF_RETURN_IF_ERROR(ExpectOperator(")"));
    return inner;
  }
  if (IsOperator("[")) return ListLiteral();
  if (IsOperator("{")) return DictLiteral();
  return Unexpected("an expression");
}

Parser::NodeResult Parser::ListLiteral() {
  auto* node = Make<ListNode>(Now().position);
  Next();
  while (!IsOperator("]")) {
    if (!node->items.empty()) RF_RETURN_IF_ERROR(ExpectOperator(","));
    if (IsOperator("]")) break;
    RF_ASSIGN_OR_RETURN(const Node* item, Expression());
    node->items.push_back(item);
  }
  Next();
  return node;
}

Parser::NodeResult Parser::DictLiteral() {
  auto* node = Make<DictNode>(Now().position);
  Next();
  while (!IsOperator("}")) {
    if (!node->entries.empty()) RF_RETURN_IF_ERROR(ExpectOperator(","));
    if (IsOperator("}")) break;
    RF_ASSIGN_OR_RETURN(const Node* key, Expression());
    RF_RETURN_IF_ERROR(ExpectOperator(":"));
    RF_ASSIGN_OR_RETURN(const Node* value, Expression());
    node->entries.emplace_back(key, value);
  }
  Next();
  return node;
}

bool Parser::TupleEnds(const TupleRules& rules) const {
  const Token& token = Now();
  return token.kind == TokenKind::kBlockEnd || token.kind == TokenKind::kVariableEnd || IsOperator(")") ||
         (!rules.end_name.empty() && IsName(rules.end_name));
}

Parser::NodeResult Parser::Tuple(const TupleRules& rules) {
  const Position position = Now().position;
  std::vector<const Node*> items;
  bool is_tuple = false;
  while (!TupleEnds(rules)) {
    RF_ASSIGN_OR_RETURN(const Node* item, Expression(rules.with_conditional));
    items.push_back(item);
    if (!SkipOperator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return items[0];
    if (!rules.in_parentheses) return Unexpected("an expression");
  }
  auto* node = Make<ListNode>(position);
  node->items = std::move(items);
  node->is_tuple = true;
  return node;
}

}  // namespace rf::jinja
