#include "engine/device_batch.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace rf {
namespace {

template <typename T>
constexpr size_t kWordsOf = sizeof(T) / sizeof(int32_t);

}  // namespace

Result<DeviceBatch> DeviceBatch::Create(Device& device, const RunnerLimits& limits) {
  DeviceBatch batch;
  const auto tokens = static_cast<size_t>(limits.max_tokens);
  const auto sequences = static_cast<size_t>(limits.max_sequences);
  const auto outputs = static_cast<size_t>(limits.max_outputs);
  const struct {
    Slot* slot;
    size_t capacity;
  } arrays[] = {
      {&batch.token_ids_, tokens},
      {&batch.positions_, tokens},
      {&batch.sequence_of_, tokens},
      {&batch.first_token_, sequences + 1},
      {&batch.kv_length_, sequences},
      {&batch.output_rows_, outputs},
      {&batch.best_factors_, outputs},
      {&batch.first_change_, outputs + 1},
      {&batch.page_table_,
       sequences * static_cast<size_t>(limits.max_pages_per_sequence)},  // what is not used of this and the next is
                                                                         // not copied
      {&batch.changes_, static_cast<size_t>(limits.max_changes) * kWordsOf<LogitChange>},
  };
  size_t total = 0;
  for (const auto& array : arrays) total += array.capacity;
  RF_ASSIGN_OR_RETURN(batch.memory_, device.Allocate(total * sizeof(int32_t), "batch"));
  batch.staged_.resize(total);
  size_t begin = 0;
  for (const auto& array : arrays) {
    *array.slot =
        Slot{static_cast<int32_t*>(batch.memory_->data()) + begin, batch.staged_.data() + begin, array.capacity};
    begin += array.capacity;
  }
  return batch;
}

template <typename T>
void DeviceBatch::Stage(const Slot& slot, const std::vector<T>& values) {
  static_assert(sizeof(T) % sizeof(int32_t) == 0);
  RF_CHECK(values.size() * kWordsOf<T> <= slot.capacity);
  if (!values.empty()) std::memcpy(slot.host, values.data(), values.size() * sizeof(T));
}

// Who asks for nothing gets whole rows.
void DeviceBatch::StageBest(const StepBatch& batch) {
  const size_t n_outputs = batch.output_rows.size();
  if (batch.best_factors.empty()) {
    Stage(best_factors_, std::vector<float>(n_outputs, -1.0f));
    Stage(first_change_, std::vector<int32_t>(n_outputs + 1, 0));
    return;
  }
  RF_CHECK(batch.best_factors.size() == n_outputs && batch.first_change.size() == n_outputs + 1);
  Stage(best_factors_, batch.best_factors);
  Stage(first_change_, batch.first_change);
  Stage(changes_, batch.changes);
}

void DeviceBatch::StageAll(const StepBatch& batch) {
  const size_t n_tokens = batch.token_ids.size();
  RF_CHECK(batch.positions.size() == n_tokens && batch.sequence_of.size() == n_tokens);
  RF_CHECK(batch.first_token.size() == batch.kv_length.size() + 1);
  RF_CHECK(batch.page_table.size() == batch.kv_length.size() * static_cast<size_t>(batch.page_table_stride));
  Stage(token_ids_, batch.token_ids);
  Stage(positions_, batch.positions);
  Stage(sequence_of_, batch.sequence_of);
  Stage(first_token_, batch.first_token);
  Stage(kv_length_, batch.kv_length);
  Stage(output_rows_, batch.output_rows);
  Stage(page_table_, batch.page_table);
  StageBest(batch);
}

BatchView DeviceBatch::ViewOf(const StepBatch& batch) const {
  BatchView view;
  view.n_tokens = static_cast<int32_t>(batch.token_ids.size());
  view.n_sequences = static_cast<int32_t>(batch.kv_length.size());
  view.n_outputs = static_cast<int32_t>(batch.output_rows.size());
  view.token_ids = token_ids_.device;
  view.positions = positions_.device;
  view.sequence_of = sequence_of_.device;
  view.first_token = first_token_.device;
  view.kv_length = kv_length_.device;
  view.page_table = page_table_.device;
  view.page_table_stride = batch.page_table_stride;
  view.output_rows = output_rows_.device;
  view.best_factors = reinterpret_cast<const float*>(best_factors_.device);
  view.first_change = first_change_.device;
  view.changes = reinterpret_cast<const LogitChange*>(changes_.device);
  return view;
}

Result<BatchView> DeviceBatch::Upload(const StepBatch& batch, Stream& stream) {
  StageAll(batch);
  const size_t n_staged = static_cast<size_t>(page_table_.host - staged_.data()) + batch.page_table.size();
  RF_RETURN_IF_ERROR(stream.CopyToDevice(memory_->data(), staged_.data(), n_staged * sizeof(int32_t)));
  RF_RETURN_IF_ERROR(stream.CopyToDevice(changes_.device, changes_.host, batch.changes.size() * sizeof(LogitChange)));
  return ViewOf(batch);
}

}  // namespace rf
