// Decoding repeats the same kernels with the same arguments: recorded once, they are queued as one. On a GPU that saves
// most of what a step's launches cost the host (CUDA's and HIP's graphs).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>

#include "device/device.h"

namespace rf {

/// One for each stream. A step is recorded when its batch has been seen before: as many rows and the same arrays; what
/// is in them may differ, kernels read that on the device.
class StepRecorder {
 public:
  /// Recordings that are kept; the one longest not used goes first.
  static constexpr size_t kMaxRecordings = 32;

  /// Queues what `queue` queues on the stream: by a recording, by a call, or both at once (recorded, then replayed).
  /// Only batches with one token for each sequence are recorded: prompts come in too many sizes, and their kernels take
  /// longer than their launches.
  void Queue(Stream& stream, const BatchView& batch, const std::function<void()>& queue);

 private:
  using Shape = std::tuple<int32_t, int32_t, int32_t, const int32_t*, const int32_t*, const int32_t*, const int32_t*,
                           const int32_t*, const int32_t*, int32_t, const int32_t*>;
  struct Entry {
    std::unique_ptr<Recording> recording;  // null: seen once
    uint64_t last_use = 0;
  };

  static Shape ShapeOf(const BatchView& batch);
  Recording* Find(Stream& stream, const BatchView& batch, const std::function<void()>& queue);
  void ForgetOldest();

  std::map<Shape, Entry> entries_;
  uint64_t n_uses_ = 0;
  bool is_off_ = false;  ///< the device records nothing, or could not
};

}  // namespace rf
