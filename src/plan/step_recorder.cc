#include "plan/step_recorder.h"

#include <algorithm>

#include "base/log.h"

namespace rf {

StepRecorder::Shape StepRecorder::ShapeOf(const BatchView& batch) {
  return {batch.n_tokens,   batch.n_sequences,       batch.n_outputs,   batch.token_ids,
          batch.positions,  batch.sequence_of,       batch.first_token, batch.kv_length,
          batch.page_table, batch.page_table_stride, batch.output_rows};
}

void StepRecorder::ForgetOldest() {
  const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
    return a.second.last_use < b.second.last_use;
  });
  entries_.erase(oldest);
}

// The recording for a batch, made at its second sight; null if there is none.
Recording* StepRecorder::Find(Stream& stream, const BatchView& batch, const std::function<void()>& queue) {
  if (is_off_ || batch.n_tokens != batch.n_sequences) return nullptr;
  const auto [found, is_new] = entries_.try_emplace(ShapeOf(batch));
  Entry& entry = found->second;
  entry.last_use = ++n_uses_;
  if (is_new) {
    if (entries_.size() > kMaxRecordings) ForgetOldest();
    return nullptr;
  }
  if (entry.recording != nullptr) return entry.recording.get();
  auto recording = stream.Record(queue);
  if (!recording) Log(LogLevel::kWarning, "decoding goes on without recorded steps: " + recording.error().ToString());
  if (!recording || *recording == nullptr) {
    is_off_ = true;
    return nullptr;
  }
  entry.recording = std::move(*recording);
  return entry.recording.get();
}

void StepRecorder::Queue(Stream& stream, const BatchView& batch, const std::function<void()>& queue) {
  if (Recording* recording = Find(stream, batch, queue)) return stream.Replay(*recording);
  queue();
}

}  // namespace rf
