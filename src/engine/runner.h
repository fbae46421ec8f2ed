// Executes the plan on one ragged batch: the only object through which the engine reaches a model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "engine/sampler/best_of_row.h"
#include "ops/logit_change.h"

namespace rf {

/// One step's batch on the host; the fields are those of BatchView (ops/tensor.h).
struct StepBatch {
  std::vector<int32_t> token_ids;    ///< [n_tokens]
  std::vector<int32_t> positions;    ///< [n_tokens]
  std::vector<int32_t> sequence_of;  ///< [n_tokens]
  std::vector<int32_t> first_token;  ///< [n_sequences + 1]
  std::vector<int32_t> kv_length;    ///< [n_sequences]
  std::vector<int32_t> page_table;   ///< [n_sequences, page_table_stride]
  int32_t page_table_stride = 0;
  std::vector<int32_t> output_rows;  ///< [n_outputs]
  /// Of which outputs the best logits are wanted instead of the whole row, and what is changed in it before. Empty, all
  /// three: of none.
  std::vector<float> best_factors;    ///< [n_outputs] negative: the whole row; otherwise as BatchView has it
  std::vector<int32_t> first_change;  ///< [n_outputs + 1]
  std::vector<LogitChange> changes;   ///< of each output by token
  std::vector<uint64_t> tags;         ///< [n_sequences] Request::tag, for those who watch the runner

  /// Empties all arrays and keeps their memory.
  void Clear() {
    for (auto* array :
         {&token_ids, &positions, &sequence_of, &first_token, &kv_length, &page_table, &output_rows, &first_change}) {
      array->clear();
    }
    best_factors.clear();
    changes.clear();
    tags.clear();
    page_table_stride = 0;
  }

  bool WantsBest(size_t output) const { return !best_factors.empty() && best_factors[output] >= 0.0f; }
};

/// What a runner can take in one step and what it keeps.
struct RunnerLimits {
  int32_t n_vocab = 0;
  int32_t max_tokens = 0;     ///< tokens in one step
  int32_t max_sequences = 0;  ///< sequences in one step
  int32_t max_outputs = 0;    ///< rows of logits in one step
  int32_t page_tokens = 0;    ///< positions in one KV page
  int32_t n_pages = 0;        ///< pages in the cache
  int32_t max_pages_per_sequence = 0;
  int32_t n_best = 0;       ///< so many best logits it can give in place of a whole row; 0: only whole rows
  int32_t max_changes = 0;  ///< changes of logits in one step
};

/// Abstract so that scheduler and engine are tested without a model.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual const RunnerLimits& limits() const = 0;
  /// Runs one step and returns logits [n_outputs, n_vocab] on the host, valid until the next call. Rows of which the
  /// best were wanted hold anything until FetchRow().
  /// REQUIRES: the batch is within limits(). Errors: kDevice, kIo (a mapped weight file that shrank).
  virtual Result<std::span<const float>> Run(const StepBatch& batch) = 0;
  /// The best of a row of the last Run() for which they were wanted; valid as long as its logits.
  virtual BestOfRow Best(size_t output) const {
    static_cast<void>(output);
    RF_CHECK(false, "the runner gives only whole rows");
    return {};
  }
  /// Brings such a row, with its changes made, into the logits that the last Run() returned. Errors: kDevice.
  virtual Status FetchRow(size_t output) {
    static_cast<void>(output);
    return {};
  }
  /// Copies the K and V of one page to another in every layer (copy on write). Ordered before the next Run().
  virtual Status CopyPage(int32_t source, int32_t destination) = 0;
};

}  // namespace rf
