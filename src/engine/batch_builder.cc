#include "engine/batch_builder.h"

#include <algorithm>

#include "base/check.h"

namespace rf {
namespace {

int32_t WidestTable(const ScheduledStep& step, int32_t page_tokens) {
  int32_t n_pages = 0;
  for (const ScheduledRun& run : step.runs) {
    n_pages = std::max(n_pages, (run.sequence->n_computed + run.n_tokens + page_tokens - 1) / page_tokens);
  }
  return n_pages;
}

void AddRun(const ScheduledRun& run, StepBatch& batch) {
  const Sequence& sequence = *run.sequence;
  const auto index = static_cast<int32_t>(batch.kv_length.size());
  const auto first_row = static_cast<int32_t>(batch.token_ids.size());
  for (int32_t i = 0; i < run.n_tokens; ++i) {
    batch.token_ids.push_back(sequence.tokens[static_cast<size_t>(sequence.n_computed + i)]);
    batch.positions.push_back(sequence.n_computed + i);
    batch.sequence_of.push_back(index);
    if (i >= run.first_output) batch.output_rows.push_back(first_row + i);
  }
  batch.first_token.push_back(first_row + run.n_tokens);
  batch.kv_length.push_back(sequence.n_computed + run.n_tokens);
  batch.tags.push_back(sequence.request.tag);

  const std::vector<PageId>& pages = sequence.table.pages;
  const auto stride = static_cast<size_t>(batch.page_table_stride);
  const auto row = static_cast<size_t>(index) * stride;
  batch.page_table.resize(row + stride, 0);
  std::copy_n(pages.begin(), std::min(stride, pages.size()),
              batch.page_table.begin() + static_cast<std::ptrdiff_t>(row));
}

}  // namespace

void BuildBatch(const ScheduledStep& step, const RunnerLimits& limits, StepBatch& batch) {
  batch.Clear();
  batch.page_table_stride = WidestTable(step, limits.page_tokens);
  batch.first_token.push_back(0);
  for (const ScheduledRun& run : step.runs) AddRun(run, batch);
  RF_CHECK(batch.token_ids.size() <= static_cast<size_t>(limits.max_tokens));
  RF_CHECK(batch.kv_length.size() <= static_cast<size_t>(limits.max_sequences));
  RF_CHECK(batch.output_rows.size() <= static_cast<size_t>(limits.max_outputs));
  RF_CHECK(batch.page_table_stride <= limits.max_pages_per_sequence);
}

}  // namespace rf
