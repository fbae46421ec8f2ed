#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rf {

Scheduler::Scheduler(const RunnerLimits& limits, const Options& options)
    : limits_(limits), options_(options), kv_(limits.n_pages, limits.page_tokens) {}

ScheduledStep Scheduler::Schedule() {
  ScheduledStep step;
  Budget budget{limits_.max_tokens, options_.prefill_chunk, limits_.max_outputs};
  const uint64_t n_preemptions = n_preemptions_;
  ScheduleRunning(step, budget);
  // Who had to give way in this step does not come back in the same one.
  if (n_preemptions_ == n_preemptions || running_.empty()) Admit(step, budget);
  return step;
}

ScheduledRun Scheduler::PlanRun(Sequence& sequence, const Budget& budget) const {
  int32_t n_tokens = std::min(sequence.n_pending(), budget.tokens);
  if (!sequence.is_decoding()) n_tokens = std::min(n_tokens, budget.prompt_tokens);

  ScheduledRun run{&sequence, n_tokens, n_tokens, false};
  const int32_t end = sequence.n_computed + n_tokens;
  run.samples = end == sequence.size() && sequence.request.max_tokens > 0;
  if (run.samples) run.first_output = n_tokens - 1;
  if (sequence.wants_prompt_logits()) {
    const int32_t first = std::clamp(sequence.next_logits - sequence.n_computed, 0, run.first_output);
    run.first_output = first;
    // Shorten the run until its logits fit, beside a row for everybody else's next token and a newcomer's first.
    const int32_t n_others = static_cast<int32_t>(running_.size()) - 1 + (waiting_.empty() ? 0 : 1);
    const int32_t n_rows = std::min(budget.outputs, std::max(1, budget.outputs - n_others));
    if (run.n_outputs() > n_rows) {
      run.n_tokens = first + n_rows;
      run.samples = false;
    }
  } else if (run.n_outputs() > budget.outputs) {
    run.n_tokens = 0;
    run.first_output = 0;
    run.samples = false;
  }
  return run;
}

void Scheduler::Take(const ScheduledRun& run, ScheduledStep& step, Budget& budget) const {
  budget.tokens -= run.n_tokens;
  budget.outputs -= run.n_outputs();
  if (!run.sequence->is_decoding()) budget.prompt_tokens -= run.n_tokens;
  step.runs.push_back(run);
}

// Decodes come before prompts: a long prompt must not make running answers wait.
void Scheduler::ScheduleRunning(ScheduledStep& step, Budget& budget) {
  for (const bool decodes : {true, false}) {
    for (size_t i = 0; i < running_.size(); ++i) {
      Sequence& sequence = *running_[i];
      if (sequence.is_decoding() != decodes || sequence.n_pending() == 0) continue;
      const ScheduledRun run = PlanRun(sequence, budget);
      if (run.n_tokens == 0) continue;
      if (!ReserveRunning(run, step)) break;
      Take(run, step, budget);
    }
  }
}

bool Scheduler::ReserveRunning(const ScheduledRun& run, ScheduledStep& step) {
  Sequence& sequence = *run.sequence;
  while (!kv_.Reserve(sequence.table, sequence.n_computed, sequence.n_computed + run.n_tokens, step.copies)) {
    const bool is_newest = running_.back().get() == &sequence;
    PreemptNewest(step);
    if (is_newest) return false;
  }
  return true;
}

// The newest has the least to lose, and the oldest always gets on. What it had in this step is taken back.
void Scheduler::PreemptNewest(ScheduledStep& step) {
  std::unique_ptr<Sequence> victim = std::move(running_.back());
  running_.pop_back();
  std::erase_if(step.runs, [&](const ScheduledRun& run) { return run.sequence == victim.get(); });
  std::erase_if(step.copies, [&](const PageCopy& copy) {
    const auto& pages = victim->table.pages;
    return std::find(pages.begin(), pages.end(), copy.destination) != pages.end();
  });
  kv_.Release(victim->table);
  victim->n_computed = 0;
  waiting_.push_front(std::move(victim));
  ++n_preemptions_;
}

void Scheduler::TakePrefix(Sequence& sequence, int32_t n_tokens) {
  sequence.table = kv_.NewTable(sequence.request.cache_salt);
  sequence.n_computed = 0;
  if (!options_.use_prefix_cache || !sequence.request.use_prefix_cache || sequence.wants_prompt_logits()) return;
  const int32_t n_known =
      kv_.TakePrefix(sequence.table, std::span(sequence.tokens).first(static_cast<size_t>(n_tokens)));
  // The last token is always computed: its logits are wanted.
  sequence.n_computed = std::min(n_known, sequence.size() - 1);
}

// Room for all tokens that the sequence has now, and for one more page of everyone: admitting it must not make somebody
// give way in the next step. Alone it always has room, which Engine::Submit() made sure of.
bool Scheduler::HasRoomFor(const Sequence& sequence) const {
  if (running_.empty()) return true;
  const auto n_owned = static_cast<int64_t>(sequence.table.pages.size());
  const int64_t n_needed = kv_.PagesFor(sequence.size() + 1) - n_owned + static_cast<int64_t>(running_.size());
  return n_needed <= kv_.n_available();
}

bool Scheduler::TryAdmit(Sequence& sequence, int32_t n_known, ScheduledStep& step, Budget& budget) {
  TakePrefix(sequence, n_known);
  const ScheduledRun run = PlanRun(sequence, budget);
  const int32_t end = sequence.n_computed + run.n_tokens;
  const size_t n_copies = step.copies.size();
  if (run.n_tokens == 0 || !HasRoomFor(sequence) ||
      !kv_.Reserve(sequence.table, sequence.n_computed, end, step.copies)) {
    step.copies.resize(n_copies);
    kv_.Release(sequence.table);
    sequence.n_computed = 0;
    return false;
  }
  if (!sequence.was_admitted) sequence.n_cached = std::min(sequence.n_computed, sequence.n_prompt);
  sequence.was_admitted = true;
  Take(run, step, budget);
  return true;
}

void Scheduler::Admit(ScheduledStep& step, Budget& budget) {
  while (!waiting_.empty() && running_.size() < static_cast<size_t>(limits_.max_sequences)) {
    Sequence& sequence = *waiting_.front();
    if (!TryAdmit(sequence, sequence.size(), step, budget)) {
      // Known to its last token, it needs one page more than its own: the copy of a shared one. If it fills the cache
      // alone there is none, and it computes that page again instead.
      if (!running_.empty() || !TryAdmit(sequence, sequence.size() - 1, step, budget)) return;
    }
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Scheduler::Computed(const ScheduledRun& run) {
  Sequence& sequence = *run.sequence;
  sequence.n_computed += run.n_tokens;
  if (options_.use_prefix_cache && sequence.request.use_prefix_cache) {
    kv_.Publish(sequence.table, sequence.tokens, sequence.n_computed);
  }
}

std::unique_ptr<Sequence> Scheduler::Remove(Sequence* sequence) {
  const auto is_it = [&](const std::unique_ptr<Sequence>& item) { return item.get() == sequence; };
  std::unique_ptr<Sequence> removed;
  if (const auto found = std::find_if(running_.begin(), running_.end(), is_it); found != running_.end()) {
    removed = std::move(*found);
    running_.erase(found);
  } else {
    const auto queued = std::find_if(waiting_.begin(), waiting_.end(), is_it);
    RF_CHECK(queued != waiting_.end());
    removed = std::move(*queued);
    waiting_.erase(queued);
  }
  kv_.Release(removed->table);
  return removed;
}

}  // namespace rf
