// What decides which tokens may come next in one sequence, e.g. a grammar.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rf {

/// Follows one sequence's generated tokens. Used by the thread that steps the engine; lives with the sequence, so that
/// being preempted and computed again does not touch it.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;

  /// Bit i % 64 of word i / 64: token i may come next; tokens beyond the words may not. Among them the end of
  /// generation where the text may end. No bit at all: nothing fits. Valid until the next call of a non-const function.
  virtual std::span<const uint64_t> Mask() = 0;

  /// Takes a token that the mask allowed. False: it did not; then nothing has changed.
  virtual bool Accept(int32_t id) = 0;

  /// Whether the text can only end here: asking the model is of no use.
  virtual bool IsFinished() const = 0;

  /// Takes the tokens that must come next, whatever the model says, and returns them; often none.
  virtual std::vector<int32_t> TakeForced() = 0;
};

}  // namespace rf
