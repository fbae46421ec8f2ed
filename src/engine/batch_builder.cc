#include "engine/batch_builder.h"

#include <algorithm>

#include "base/check.h"

namespace rf {
namespace {

// Whether the best logits of the run's last output may be enough.
bool MayTakeBest(const ScheduledRun& run, const RunnerLimits& limits) {
  const Sequence& sequence = *run.sequence;
  const Request& request = sequence.request;
  const bool needs_row = sequence.wants_prompt_logits() || request.constraint != nullptr || request.n_top_logprobs >= 0;
  return limits.n_best > 0 && run.samples && !needs_row &&
         sequence.sampler.MayChooseFromBest(static_cast<size_t>(limits.n_best));
}

// Appends what is to be changed in the run's last output; false if it is too much. Not all tokens may change: if none
// is left that may be chosen, one that did not tells whose fault that is.
bool AddChanges(const ScheduledRun& run, const RunnerLimits& limits, std::vector<LogitChange>& changes) {
  const size_t n_before = changes.size();
  run.sequence->sampler.ListChanges(changes);
  const bool fits = changes.size() <= static_cast<size_t>(limits.max_changes) &&
                    changes.size() - n_before < static_cast<size_t>(limits.n_vocab);
  if (!fits) changes.resize(n_before);
  const auto begin = changes.begin() + static_cast<std::ptrdiff_t>(n_before);
  std::stable_sort(begin, changes.end(), [](const LogitChange& a, const LogitChange& b) { return a.token < b.token; });
  return fits;
}

// What is wanted of the run's outputs: of all but the last the whole rows.
void AddWishes(const ScheduledRun& run, const RunnerLimits& limits, StepBatch& batch) {
  for (int32_t i = run.first_output; i < run.n_tokens; ++i) {
    const bool is_last = i + 1 == run.n_tokens;
    const bool takes_best = is_last && MayTakeBest(run, limits) && AddChanges(run, limits, batch.changes);
    batch.best_factors.push_back(takes_best ? run.sequence->sampler.SumFactor() : -1.0f);
    batch.first_change.push_back(static_cast<int32_t>(batch.changes.size()));
  }
}

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
  if (limits.n_best > 0) {
    batch.first_change.push_back(0);
    for (const ScheduledRun& run : step.runs) AddWishes(run, limits, batch);
  }
  RF_CHECK(batch.token_ids.size() <= static_cast<size_t>(limits.max_tokens));
  RF_CHECK(batch.kv_length.size() <= static_cast<size_t>(limits.max_sequences));
  RF_CHECK(batch.output_rows.size() <= static_cast<size_t>(limits.max_outputs));
  RF_CHECK(batch.page_table_stride <= limits.max_pages_per_sequence);
}

}  // namespace rf
