// A runner without a model, for tests: its "keys and values" are the token ids, its next token is a hash of everything
// that it finds through the page table. So a wrong page, position or copy changes the text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/runner.h"

namespace rf::test {

class FakeRunner final : public Runner {
 public:
  explicit FakeRunner(const RunnerLimits& limits);

  const RunnerLimits& limits() const override { return limits_; }
  Result<std::span<const float>> Run(const StepBatch& batch) override;
  Status CopyPage(int32_t source, int32_t destination) override;

  /// What greedy sampling gives after `tokens`.
  static int32_t NextToken(std::span<const int32_t> tokens, int32_t n_vocab);
  /// The greedy continuation of a prompt.
  static std::vector<int32_t> Continue(std::vector<int32_t> prompt, int32_t n, int32_t n_vocab);

  /// Called at the start of each Run(); an Error makes it fail.
  std::function<Status(const StepBatch&)> on_run;
  /// Tokens in each step so far.
  std::vector<size_t> step_sizes;

 private:
  int32_t& Slot(const StepBatch& batch, int32_t sequence, int32_t position);
  void WriteTokens(const StepBatch& batch);
  void WriteLogits(const StepBatch& batch, int32_t row, std::span<float> logits);

  RunnerLimits limits_;
  std::vector<int32_t> cache_;  ///< [n_pages, page_tokens]
  std::vector<float> logits_;
};

}  // namespace rf::test
