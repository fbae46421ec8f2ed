#include "text/grammar/expr.h"

#include <utility>

namespace rf::grammar {

ExprId Grammar::Add(Expr expr) {
  exprs_.push_back(expr);
  return static_cast<ExprId>(exprs_.size() - 1);
}

ExprId Grammar::Literal(std::string_view bytes) {
  literals_.emplace_back(bytes);
  return Add({ExprKind::kLiteral, static_cast<uint32_t>(literals_.size() - 1)});
}

ExprId Grammar::Chars(CodePointSet chars) {
  char_sets_.push_back(std::move(chars));
  return Add({ExprKind::kChars, static_cast<uint32_t>(char_sets_.size() - 1)});
}

ExprId Grammar::Seq(std::vector<ExprId> parts) {
  if (parts.size() == 1) return parts[0];
  lists_.push_back(std::move(parts));
  return Add({ExprKind::kSeq, static_cast<uint32_t>(lists_.size() - 1)});
}

ExprId Grammar::Alt(std::vector<ExprId> parts) {
  if (parts.size() == 1) return parts[0];
  lists_.push_back(std::move(parts));
  return Add({ExprKind::kAlt, static_cast<uint32_t>(lists_.size() - 1)});
}

ExprId Grammar::Repeat(ExprId part, uint32_t min, uint32_t max) {
  return Add({ExprKind::kRepeat, part, min, max});
}

ExprId Grammar::Call(RuleId rule) {
  return Add({ExprKind::kRule, rule});
}

ExprId Grammar::Machine(std::shared_ptr<const Dfa> machine) {
  machines_.push_back(std::move(machine));
  return Add({ExprKind::kMachine, static_cast<uint32_t>(machines_.size() - 1)});
}

ExprId Grammar::Path(Graph graph) {
  graphs_.push_back(std::move(graph));
  return Add({ExprKind::kGraph, static_cast<uint32_t>(graphs_.size() - 1)});
}

RuleId Grammar::AddRule(std::string name, ExprId body) {
  rules.push_back({std::move(name), body, false});
  return static_cast<RuleId>(rules.size() - 1);
}

}  // namespace rf::grammar
