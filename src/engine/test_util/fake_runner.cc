#include "engine/test_util/fake_runner.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace rf::test {
namespace {

uint64_t HashOf(std::span<const int32_t> tokens) {
  uint64_t hash = 1469598103934665603u;
  for (const int32_t token : tokens) hash = (hash ^ static_cast<uint64_t>(token + 1)) * 1099511628211u;
  return hash ^ (hash >> 29);
}

}  // namespace

FakeRunner::FakeRunner(const RunnerLimits& limits)
    : limits_(limits), cache_(static_cast<size_t>(limits.n_pages) * static_cast<size_t>(limits.page_tokens), -1) {}

int32_t FakeRunner::NextToken(std::span<const int32_t> tokens, int32_t n_vocab) {
  return static_cast<int32_t>(HashOf(tokens) % static_cast<uint64_t>(n_vocab));
}

std::vector<int32_t> FakeRunner::Continue(std::vector<int32_t> prompt, int32_t n, int32_t n_vocab) {
  const auto n_prompt = static_cast<std::ptrdiff_t>(prompt.size());
  for (int32_t i = 0; i < n; ++i) prompt.push_back(NextToken(prompt, n_vocab));
  return {prompt.begin() + n_prompt, prompt.end()};
}

int32_t& FakeRunner::Slot(const StepBatch& batch, int32_t sequence, int32_t position) {
  const int32_t page =
      batch.page_table[static_cast<size_t>(sequence * batch.page_table_stride + position / limits_.page_tokens)];
  RF_CHECK(page >= 0 && page < limits_.n_pages);
  return cache_[static_cast<size_t>(page * limits_.page_tokens + position % limits_.page_tokens)];
}

void FakeRunner::WriteTokens(const StepBatch& batch) {
  std::set<const int32_t*> written;
  for (size_t t = 0; t < batch.token_ids.size(); ++t) {
    int32_t& slot = Slot(batch, batch.sequence_of[t], batch.positions[t]);
    RF_CHECK(written.insert(&slot).second, "two tokens of a step share a slot");
    slot = batch.token_ids[t];
  }
}

void FakeRunner::WriteLogits(const StepBatch& batch, int32_t row, std::span<float> logits) {
  const auto t = static_cast<size_t>(row);
  std::vector<int32_t> history;
  for (int32_t p = 0; p <= batch.positions[t]; ++p) history.push_back(Slot(batch, batch.sequence_of[t], p));
  const uint64_t hash = HashOf(history);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>((hash >> (i % 48)) & 0xff) / 256.0f;
  logits[static_cast<size_t>(NextToken(history, limits_.n_vocab))] = 2.0f;
}

Result<std::span<const float>> FakeRunner::Run(const StepBatch& batch) {
  if (on_run) RF_RETURN_IF_ERROR(on_run(batch));
  step_sizes.push_back(batch.token_ids.size());
  WriteTokens(batch);
  const auto n_vocab = static_cast<size_t>(limits_.n_vocab);
  logits_.resize(batch.output_rows.size() * n_vocab);
  for (size_t i = 0; i < batch.output_rows.size(); ++i) {
    WriteLogits(batch, batch.output_rows[i], std::span(logits_).subspan(i * n_vocab, n_vocab));
  }
  return std::span<const float>(logits_);
}

Status FakeRunner::CopyPage(int32_t source, int32_t destination) {
  const auto at = [&](int32_t page) { return cache_.begin() + page * limits_.page_tokens; };
  std::copy_n(at(source), limits_.page_tokens, at(destination));
  return {};
}

}  // namespace rf::test
