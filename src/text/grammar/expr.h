// What all front ends (GBNF, JSON schema, regular expressions) build: rules made of expressions over bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/code_points.h"

namespace rf::grammar {

struct Dfa;

using ExprId = uint32_t;
using RuleId = uint32_t;
inline constexpr uint32_t kUnbounded = std::numeric_limits<uint32_t>::max();
inline constexpr ExprId kNoExpr = std::numeric_limits<ExprId>::max();

enum class ExprKind : uint8_t {
  kLiteral,  ///< bytes; none: the empty text
  kChars,    ///< one code point of a set, in UTF-8
  kSeq,      ///< all parts in order
  kAlt,      ///< one of the parts; without parts: nothing matches
  kRepeat,   ///< the part, min to max times
  kRule,     ///< a call
  kMachine,  ///< what a Dfa accepts
  kGraph,    ///< a path from node 0 to node 1
};

/// An edge of a kGraph expression.
struct GraphEdge {
  uint32_t from;
  uint32_t to;
  ExprId expr;
};

struct Graph {
  uint32_t n_nodes = 2;
  std::vector<GraphEdge> edges;
};

struct Expr {
  ExprKind kind;
  uint32_t index = 0;  ///< into the Grammar's list of the kind; the rule; the part of a kRepeat
  uint32_t min = 0;
  uint32_t max = 0;
};

struct Rule {
  std::string name;        ///< for messages
  ExprId body = kNoExpr;   ///< kNoExpr: not defined
  bool is_shared = false;  ///< never copied into its callers, so that its masks are computed once
};

/// Rules and the expressions that they consist of. Expressions refer to earlier ones, so they have no cycles; rules
/// may.
class Grammar {
 public:
  ExprId Literal(std::string_view bytes);
  ExprId Chars(CodePointSet chars);
  ExprId Seq(std::vector<ExprId> parts);
  ExprId Alt(std::vector<ExprId> parts);
  ExprId Repeat(ExprId part, uint32_t min, uint32_t max);
  ExprId Optional(ExprId part) { return Repeat(part, 0, 1); }
  ExprId Star(ExprId part) { return Repeat(part, 0, kUnbounded); }
  ExprId Call(RuleId rule);
  ExprId Machine(std::shared_ptr<const Dfa> machine);
  ExprId Path(Graph graph);
  ExprId Empty() { return Literal(""); }
  ExprId Never() { return Alt({}); }

  RuleId AddRule(std::string name, ExprId body = kNoExpr);

  const Expr& expr(ExprId id) const { return exprs_[id]; }
  const std::string& literal(const Expr& expr) const { return literals_[expr.index]; }
  const CodePointSet& chars(const Expr& expr) const { return char_sets_[expr.index]; }
  const std::vector<ExprId>& parts(const Expr& expr) const { return lists_[expr.index]; }
  const std::shared_ptr<const Dfa>& machine(const Expr& expr) const { return machines_[expr.index]; }
  const Graph& graph(const Expr& expr) const { return graphs_[expr.index]; }

  std::vector<Rule> rules;
  RuleId root = 0;

 private:
  ExprId Add(Expr expr);

  std::vector<Expr> exprs_;
  std::vector<std::string> literals_;
  std::vector<CodePointSet> char_sets_;
  std::vector<std::vector<ExprId>> lists_;
  std::vector<std::shared_ptr<const Dfa>> machines_;
  std::vector<Graph> graphs_;
};

}  // namespace rf::grammar
