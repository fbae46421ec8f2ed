// Decides what the next step computes. Deterministic; sees sequences and page counts, never a device or a tensor.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/runner.h"
#include "engine/sequence.h"
#include "kv/kv_manager.h"

namespace rf {

/// A run of one sequence's tokens in a step.
struct ScheduledRun {
  Sequence* sequence;
  int32_t n_tokens;      ///< tokens n_computed .. n_computed + n_tokens of the sequence
  int32_t first_output;  ///< of those, tokens from this one on (counted from n_computed) give logits
  bool samples;          ///< the last one's logits choose the next token

  int32_t n_outputs() const { return n_tokens - first_output; }
};

struct ScheduledStep {
  std::vector<ScheduledRun> runs;
  std::vector<PageCopy> copies;  ///< to be made before the step
};

/// Continuous batching (Yu et al. 2022, OSDI "Orca") with chunked prefill (Agrawal et al. 2023, arXiv:2308.16369):
/// every step takes one token of each decoding sequence and fills up with prompt tokens, oldest request first. When
/// pages run out, the newest running sequence is preempted: it gives its pages back and is computed again later.
class Scheduler {
 public:
  struct Options {
    int32_t prefill_chunk = 512;
    bool use_prefix_cache = true;
  };
  Scheduler(const RunnerLimits& limits, const Options& options);

  void Add(std::unique_ptr<Sequence> sequence) { waiting_.push_back(std::move(sequence)); }
  bool HasWork() const { return !running_.empty() || !waiting_.empty(); }
  size_t n_running() const { return running_.size(); }
  size_t n_waiting() const { return waiting_.size(); }
  uint64_t n_preemptions() const { return n_preemptions_; }
  const KvManager& kv() const { return kv_; }

  /// The next step; without runs if nothing can be done. Reserves the pages it needs.
  ScheduledStep Schedule();

  /// Records that a run's tokens are in the cache now. Called after the step, before new tokens are appended.
  void Computed(const ScheduledRun& run);

  /// Takes a sequence out, running or waiting, and gives its pages back.
  std::unique_ptr<Sequence> Remove(Sequence* sequence);

  /// Any sequence; null if there is none.
  Sequence* First() {
    if (!running_.empty()) return running_.front().get();
    return waiting_.empty() ? nullptr : waiting_.front().get();
  }

  /// Calls visit(Sequence&) for all: running ones first, each in order of age. `visit` must not change the scheduler.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (auto& sequence : running_) visit(*sequence);
    for (auto& sequence : waiting_) visit(*sequence);
  }
  template <typename Visit>
  void ForEachWaiting(Visit visit) const {
    for (const auto& sequence : waiting_) visit(static_cast<const Sequence&>(*sequence));
  }

 private:
  /// What a step may still take.
  struct Budget {
    int32_t tokens;
    int32_t prompt_tokens;
    int32_t outputs;
  };
  void ScheduleRunning(ScheduledStep& step, Budget& budget);
  void Admit(ScheduledStep& step, Budget& budget);
  /// The sequence's run within the budget; without tokens if there is no room for it.
  ScheduledRun PlanRun(Sequence& sequence, const Budget& budget) const;
  /// Reserves pages for the run, preempting newer sequences if it must. False if `sequence` itself had to go.
  bool ReserveRunning(const ScheduledRun& run, ScheduledStep& step);
  void PreemptNewest(ScheduledStep& step);
  void Take(const ScheduledRun& run, ScheduledStep& step, Budget& budget) const;
  /// Takes over pages that hold a prefix of the sequence's first n_tokens tokens.
  void TakePrefix(Sequence& sequence, int32_t n_tokens);
  /// Starts the sequence in this step, with what is known of its first n_known tokens. False: there is no room.
  bool TryAdmit(Sequence& sequence, int32_t n_known, ScheduledStep& step, Budget& budget);
  bool HasRoomFor(const Sequence& sequence) const;

  RunnerLimits limits_;
  Options options_;
  KvManager kv_;
  std::deque<std::unique_ptr<Sequence>> waiting_;
  std::vector<std::unique_ptr<Sequence>> running_;  ///< oldest first
  uint64_t n_preemptions_ = 0;
};

}  // namespace rf
