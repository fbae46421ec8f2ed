// Tokens to syntax tree: a recursive-descent parser with bounded nesting.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/template/ast.h"
#include "text/template/lexer.h"
#include "text/template/template.h"

namespace rf::jinja {

/// Parses `source` (newlines normalized). Errors: syntax, unknown filters and tests outside of an `if`, nesting.
Result<std::unique_ptr<const Program>> ParseProgram(std::string source, const TemplateLimits& limits);

/// Value of a string token (with its quotes and escapes) or a number token.
Result<std::string> StringLiteral(const Token& token);
Result<Value> NumberLiteral(const Token& token);

class Parser {
 public:
  Parser(Program& program, std::vector<Token> tokens, int max_depth)
      : program_(program), tokens_(std::move(tokens)), max_depth_(max_depth) {}

  /// The whole template into program.body.
  Status ParseTemplate();

 private:
  using NodeResult = Result<const Node*>;

  // Counts one level of nesting for as long as it lives.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Level() { --parser_.depth_; }
    Status Check() const;

   private:
    Parser& parser_;
  };

  // Tokens.
  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  void Next() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool IsOperator(std::string_view text) const { return Now().kind == TokenKind::kOperator && Now().text == text; }
  bool IsName(std::string_view text) const { return Now().kind == TokenKind::kName && Now().text == text; }
  bool SkipOperator(std::string_view text);
  bool SkipName(std::string_view text);
  Status ExpectOperator(std::string_view text);
  Status ExpectName(std::string_view text);
  Result<std::string_view> ExpectIdentifier();
  Error Unexpected(std::string_view wanted) const;

  template <typename T>
  T* Make(Position position) {
    auto node = std::make_unique<T>();
    T* raw = node.get();
    raw->position = position;
    program_.nodes.push_back(std::move(node));
    return raw;
  }
  Symbol Intern(std::string_view name);
  const Node* Constant(Position position, Value value);

  // Expressions (parser_expressions.cc).
  struct TupleRules {
    bool with_conditional = true;
    bool in_parentheses = false;
    std::string_view end_name = {};
  };
  NodeResult Expression(bool with_conditional = true);
  NodeResult Conditional();
  NodeResult Logic(bool is_and);
  NodeResult Not();
  NodeResult Compare();
  Result<bool> CompareOperator(CompareOp* op);
  NodeResult Sum();
  NodeResult Concat();
  NodeResult Product();
  NodeResult Power();
  NodeResult BinaryChain(NodeResult (Parser::*operand)(), bool (Parser::*skip_operator)(BinaryOp*));
  bool SkipSumOperator(BinaryOp* op);
  bool SkipProductOperator(BinaryOp* op);
  NodeResult Unary(bool with_filters = true);
  NodeResult Primary();
  NodeResult StringConstant();
  NodeResult ListLiteral();
  NodeResult DictLiteral();
  NodeResult Tuple(const TupleRules& rules);
  bool TupleEnds(const TupleRules& rules) const;
  /// Appends .x, [x] and (x) steps; `base` comes back unchanged where there are none.
  NodeResult Postfix(const Node* base);
  NodeResult FiltersAndTests(const Node* base);
  ChainNode* ChainOf(const Node* base);
  Status Subscript(Link& link);
  Status CallArgumentsOf(CallArguments& out);
  Status OneCallArgument(CallArguments& out);
  Status FilterLink(Link& link);
  Status TestLink(Link& link);
  Result<Value> DottedName();
  Result<std::vector<Link>> FilterList(bool starts_with_pipe);

  // Statements (parser_statements.cc).
  /// Until a block whose name is among `ends` (space separated); the name token is then the current one.
  Result<Body> Statements(std::string_view ends, std::string_view opener, Position opened);
  Status TextOrOutput(Body& body);
  NodeResult Statement();
  NodeResult If();
  NodeResult For();
  NodeResult Set();
  NodeResult MacroStatement();
  NodeResult Call();
  NodeResult FilterBlock();
  NodeResult With();
  NodeResult Scope(std::string_view name);
  NodeResult Print();
  NodeResult LoopControl(bool is_break);
  Status Signature(MacroNode& macro);
  Status MacroBody(MacroNode& macro, std::string_view end);
  Result<Target> AssignTarget(bool with_namespace, std::string_view end_name);
  Result<Target> OneTarget(bool with_namespace);
  Result<Body> BodyUntil(std::string_view end, std::string_view opener, Position opened);
  Status ExpectBlockEnd();

  Program& program_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int max_depth_;
  int depth_ = 0;
  int loop_depth_ = 0;
  int conditional_depth_ = 0;         // inside of an if, where unknown filters and tests fail only when reached
  std::vector<Error> unknown_names_;  // those outside of conditions
  MacroNode* macro_ = nullptr;
  std::unordered_map<std::string_view, Symbol> symbols_;
};

}  // namespace rf::jinja
