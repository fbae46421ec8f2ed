// The automaton's configurations, found as texts lead to them, and what is known of each: moves and token masks.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/local_mask.h"
#include "text/grammar/token_set.h"
#include "text/grammar/trie_walker.h"
#include "text/grammar/vocabulary.h"

namespace rf::grammar {

/// One reading of a text: where it is in a rule, and where to go on after it.
struct Configuration {
  StateId state = kNoState;
  uint32_t n_units = 0;  ///< finished so far, if the state is of a counted rule
  uint32_t stack = 0;    ///< kEmptyStack, or a return with what lies below
  bool operator==(const Configuration&) const = default;
  auto operator<=>(const Configuration&) const = default;  // NOLINT(modernize-use-nullptr): the compiler writes the 0
};

using SetId = uint32_t;  ///< kNoState: no reading, the text is refused

/// All readings of a text at once, as a deterministic automaton that is built while it is used: sets of configurations
/// with shared stacks, numbered when first met (the lazy subset construction of a pushdown automaton). Only readings
/// that go on with a byte are kept in a set. Not thread-safe.
class Table {
 public:
  static constexpr uint32_t kEmptyStack = 0;

  Table(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const Vocabulary> vocabulary);

  /// What a text has led to: a set; or a single configuration behind which the text cannot end, which needs no number.
  class Position {
   public:
    Position() = default;
    explicit Position(const Configuration& single) : item_(single) {}
    explicit Position(SetId set) : item_{set | kIsSet, 0, 0} {}
    bool operator==(const Position&) const = default;

   private:
    friend class Table;
    static constexpr uint32_t kIsSet = 0x80000000;
    bool is_set() const { return (item_.state & kIsSet) != 0; }
    SetId set() const { return item_.state & ~kIsSet; }
    Configuration item_;
  };

  SetId start();
  Position At(SetId set) const;
  /// The set of a position.
  SetId SetOf(const Position& position);
  /// What one more byte leads to. False: it is refused; then `to` is undefined.
  bool Step(const Position& from, uint8_t byte, Position& to);
  /// The set after more bytes; kNoState.
  SetId MoveAll(SetId set, std::string_view bytes);
  /// The bytes that may come next.
  const ByteSet& Bytes(const Position& position) const {
    return position.is_set() ? sets_[position.set()].bytes : automaton_->bytes(position.item_.state);
  }
  /// Whether the text may end here.
  bool IsComplete(const Position& position) const { return position.is_set() && sets_[position.set()].is_complete; }
  /// Whether it can only end here.
  bool IsFinished(SetId set) const { return sets_[set].n_configurations == 0; }
  size_t n_configurations(SetId set) const { return sets_[set].n_configurations; }
  /// The tokens that may come next. Valid as long as the table is.
  const TokenSet& Tokens(SetId set);

  /// The set of another table of the same automaton.
  SetId Import(const Table& other, SetId set);
  size_t size_bytes() const { return size_bytes_; }

 private:
  static constexpr uint32_t kUnknown = 0xFFFFFFFF;

  struct Frame {
    StateId state;  ///< where to go on
    uint32_t below;
    uint32_t depth;
  };
  /// Classes of bytes by which all configurations of a set move alike.
  struct ByteClasses {
    std::array<uint8_t, 256> class_of{};
    uint32_t n_classes = 1;
  };
  struct Set {
    uint32_t first_configuration;
    uint32_t n_configurations;
    bool is_complete;
    ByteSet bytes;
    const ByteClasses* classes = nullptr;  ///< with the moves: when first needed
    std::unique_ptr<uint32_t[]> moves;     ///< [n_classes]: sets, kNoState, or kUnknown
    const TokenSet* tokens = nullptr;
  };

  // table.cc
  SetId Move(SetId set, uint8_t byte);
  SetId FindMove(SetId set, uint8_t byte);
  bool IsFull() const;
  Configuration Advance(const Configuration& from, uint32_t move) const;
  void PrepareMoves(Set& set);
  const ByteClasses& ClassesOf(const Set& set);
  SetId SetAt(const Configuration& configuration);
  /// Follows calls and returns from the seeds and looks the result up. kNoState if nothing is left.
  SetId Close();
  void CloseOver(const Configuration& configuration);
  void Return(uint32_t stack);
  SetId Intern(bool is_complete);
  uint32_t Push(StateId state, uint32_t below);

  // table_masks.cc
  struct Tail {
    int32_t token;
    uint32_t n_units;  ///< of the rule, before the token runs beyond its end
  };
  struct Local {
    std::shared_ptr<const LocalMask> mask;
    std::unordered_map<uint32_t, std::vector<Tail>> tails;  ///< by stack
  };
  void ComputeTokens(SetId set);
  bool IsLocal(const Configuration& configuration);
  void AddLocal(const Configuration& configuration);
  Local& LocalOf(StateId state);
  std::vector<Tail> FindTails(const Configuration& configuration);
  void AddByWalk(const Configuration& configuration);

  std::shared_ptr<const Automaton> automaton_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<Frame> frames_ = {{kNoState, 0, 0}};
  std::unordered_map<uint64_t, uint32_t> known_frames_;
  std::vector<Configuration> configurations_;
  std::vector<Set> sets_;
  std::unordered_multimap<uint64_t, SetId> known_sets_;            ///< by hash
  std::unordered_map<std::u32string, ByteClasses> known_classes_;  ///< by rules
  std::unordered_map<StateId, Local> locals_;
  std::deque<TokenSet> token_sets_;
  size_t size_bytes_ = 0;

  struct ConfigurationHash {
    size_t operator()(const Configuration& item) const;
  };
  std::unordered_map<Configuration, SetId, ConfigurationHash> known_closures_;

  // Most sets are small.
  class SeenSet {
   public:
    bool Add(const Configuration& item);
    size_t size() const { return list_.size(); }
    void Clear() {
      list_.clear();
      hashed_.clear();
    }

   private:
    static constexpr size_t kFew = 24;
    std::vector<Configuration> list_;
    std::unordered_set<Configuration, ConfigurationHash> hashed_;
  };

  // Scratch: of Close(), which begins with todo_; of the masks.
  std::vector<Configuration> todo_, kept_;
  SeenSet seen_;
  bool is_complete_ = false;
  TokenSetBuilder builder_;
  TrieWalker<Position> walker_;
};

}  // namespace rf::grammar
