// The automaton's configurations, found as texts lead to them, and what is known of each: moves and token masks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/local_mask.h"
#include "text/grammar/vocabulary.h"

namespace rf::grammar {

/// One reading of a text: where it is in a rule, and where to go on after it.
struct Configuration {
  StateId state;
  uint32_t n_units;  ///< finished so far, if the state is of a counted rule
  uint32_t stack;    ///< kEmptyStack, or a return with what lies below
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

  SetId start();
  /// The set after one more byte.
  SetId Move(SetId set, uint8_t byte) {
    const Moves* moves = sets_[set].moves.get();
    const uint32_t known = moves != nullptr ? (*moves)[byte] : kUnknown;
    return known != kUnknown ? known : FindMove(set, byte);
  }
  SetId MoveAll(SetId set, std::string_view bytes);
  /// Whether the text may end here.
  bool IsComplete(SetId set) const { return sets_[set].is_complete; }
  /// Whether it can only end here.
  bool IsFinished(SetId set) const { return sets_[set].n_configurations == 0; }
  size_t n_configurations(SetId set) const { return sets_[set].n_configurations; }
  /// The bytes that may come next.
  const ByteSet& Bytes(SetId set) const { return sets_[set].bytes; }
  /// The tokens that may come next. Valid as long as the table is.
  const Mask& TokenMask(SetId set);

  /// The set of another table of the same automaton.
  SetId Import(const Table& other, SetId set);
  size_t size_bytes() const { return size_bytes_; }

 private:
  using Moves = std::array<uint32_t, 256>;
  static constexpr uint32_t kUnknown = 0xFFFFFFFF;

  struct Frame {
    StateId state;  ///< where to go on
    uint32_t below;
    uint32_t depth;
  };
  struct Set {
    uint32_t first_configuration;
    uint32_t n_configurations;
    bool is_complete;
    ByteSet bytes;
    std::unique_ptr<Moves> moves;
    const Mask* mask = nullptr;
  };

  SetId FindMove(SetId set, uint8_t byte);
  /// Follows calls and returns from the seeds and looks the result up. kNoState if nothing is left.
  SetId Close(std::vector<Configuration>& seeds);
  void CloseOver(const Configuration& configuration);
  void Return(uint32_t stack);
  SetId Intern(bool is_complete);
  uint32_t Push(StateId state, uint32_t below);

  const Mask& ComputeMask(SetId set);
  void AddTails(const LocalMask& local, const Configuration& configuration, Mask& mask);
  const LocalMask& LocalOf(StateId state);
  LocalMask WalkRegular(StateId state) const;
  LocalMask WalkCalls(StateId state);
  /// As ComputeMask() for one configuration so deep that the limit of depth may matter.
  void AddDeep(const Configuration& configuration, Mask& mask);

  std::shared_ptr<const Automaton> automaton_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<Frame> frames_ = {{kNoState, 0, 0}};
  std::unordered_map<uint64_t, uint32_t> known_frames_;
  std::vector<Configuration> configurations_;
  std::vector<Set> sets_;
  std::unordered_multimap<uint64_t, SetId> known_sets_;  ///< by hash
  std::unordered_map<StateId, std::shared_ptr<const LocalMask>> locals_;
  std::vector<std::unique_ptr<Mask>> masks_;
  size_t size_bytes_ = 0;

  struct ConfigurationHash {
    size_t operator()(const Configuration& item) const;
  };
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

  // Scratch of Close().
  std::vector<Configuration> todo_, kept_;
  SeenSet seen_;
  std::vector<Configuration> seeds_;
  bool is_complete_ = false;
};

}  // namespace rf::grammar
