// Finite automata over bytes, whose states may also call rules.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/grammar/expr.h"
#include "text/grammar/limits.h"

namespace rf::grammar {

/// What compiling may still cost.
struct Budget {
  int64_t steps = kMaxSteps;
  size_t states = kMaxStates;

  /// Errors: kInvalidArgument when it is used up.
  Status Spend(int64_t n_steps, size_t n_states);
};

inline constexpr int32_t kDead = -1;

struct Call {
  RuleId rule;
  uint32_t target;  ///< where to go on after the rule
};

/// Deterministic over bytes and over calls (at most one call of each rule from a state). Starts in state 0.
struct Dfa {
  std::array<uint8_t, 256> class_of{};  ///< bytes that no state tells apart
  uint32_t n_classes = 1;
  std::vector<int32_t> next;  ///< [n_states, n_classes], kDead where there is none
  std::vector<uint8_t> accepting;
  std::vector<Call> calls;
  std::vector<uint32_t> call_begin;  ///< [n_states + 1]

  uint32_t n_states() const { return static_cast<uint32_t>(accepting.size()); }
  int32_t Next(uint32_t state, uint8_t byte) const { return next[state * n_classes + class_of[byte]]; }
};

/// An automaton under construction: edges over byte ranges, over calls, and empty ones.
class Nfa {
 public:
  enum class EdgeKind : uint8_t { kBytes, kCall, kEmpty };
  struct Edge {
    EdgeKind kind;
    uint8_t first;
    uint8_t last;
    RuleId rule;
    uint32_t to;
    uint32_t next;  ///< edge of the same state; kNone: the last one
  };
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  uint32_t AddState() {
    head_.push_back(kNone);
    return static_cast<uint32_t>(head_.size() - 1);
  }
  void AddBytes(uint32_t from, uint8_t first, uint8_t last, uint32_t to) {
    Add(from, {EdgeKind::kBytes, first, last, 0, to, 0});
  }
  void AddCall(uint32_t from, RuleId rule, uint32_t to) { Add(from, {EdgeKind::kCall, 0, 0, rule, to, 0}); }
  void AddEmpty(uint32_t from, uint32_t to) { Add(from, {EdgeKind::kEmpty, 0, 0, 0, to, 0}); }

  size_t n_states() const { return head_.size(); }
  const std::vector<Edge>& edges() const { return edges_; }
  uint32_t head(uint32_t state) const { return head_[state]; }

 private:
  void Add(uint32_t from, Edge edge) {
    edge.next = head_[from];
    head_[from] = static_cast<uint32_t>(edges_.size());
    edges_.push_back(edge);
  }
  std::vector<uint32_t> head_;
  std::vector<Edge> edges_;
};

/// Subset construction (Rabin and Scott 1959), calls taken as symbols. Errors: the budget's.
Result<Dfa> Determinize(const Nfa& nfa, uint32_t start, uint32_t accept, Budget& budget);

/// What both accept, without states that lead nowhere. REQUIRES: no calls. Errors: the budget's.
Result<Dfa> Intersect(const Dfa& a, const Dfa& b, Budget& budget);

/// What `a` accepts and `b` does not, without states that lead nowhere. REQUIRES: no calls. Errors: the budget's.
Result<Dfa> Subtract(const Dfa& a, const Dfa& b, Budget& budget);

/// Makes moves into states from which nothing is accepted dead. REQUIRES: no calls.
void Trim(Dfa& dfa);

/// REQUIRES: no calls.
bool Accepts(const Dfa& dfa, std::string_view bytes);

/// Whether nothing is accepted. REQUIRES: trimmed.
bool IsEmpty(const Dfa& dfa);

}  // namespace rf::grammar
