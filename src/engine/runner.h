// Executes the plan on one ragged batch: the only object through which the engine reaches a model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

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
  std::vector<uint64_t> tags;        ///< [n_sequences] Request::tag, for those who watch the runner

  /// Empties all arrays and keeps their memory.
  void Clear() {
    for (auto* array : {&token_ids, &positions, &sequence_of, &first_token, &kv_length, &page_table, &output_rows}) {
      array->clear();
    }
    tags.clear();
    page_table_stride = 0;
  }
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
};

/// Abstract so that scheduler and engine are tested without a model.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual const RunnerLimits& limits() const = 0;
  /// Runs one step and returns logits [n_outputs, n_vocab] on the host, valid until the next call.
  /// REQUIRES: the batch is within limits(). Errors: kDevice, kIo (a mapped weight file that shrank).
  virtual Result<std::span<const float>> Run(const StepBatch& batch) = 0;
  /// Copies the K and V of one page to another in every layer (copy on write). Ordered before the next Run().
  virtual Status CopyPage(int32_t source, int32_t destination) = 0;
};

}  // namespace rf
