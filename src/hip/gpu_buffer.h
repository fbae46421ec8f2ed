// Memory of a GPU, and host memory that its copies reach directly.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "device/device.h"
#include "hip/gpu_runtime.h"

namespace rf::hip {

/// Device memory. Errors: kOutOfMemory with the numbers, kDevice.
Result<std::unique_ptr<Buffer>> AllocateGpuBuffer(std::shared_ptr<GpuRuntime> runtime, size_t bytes,
                                                  std::string_view purpose);

/// Host memory for copies to a device: pinned where the runtime has some left, ordinary otherwise.
class StagingBuffer {
 public:
  /// Errors: kOutOfMemory.
  static Result<std::unique_ptr<StagingBuffer>> Allocate(std::shared_ptr<GpuRuntime> runtime, size_t bytes);
  ~StagingBuffer();
  StagingBuffer(const StagingBuffer&) = delete;
  StagingBuffer& operator=(const StagingBuffer&) = delete;

  void* data() const { return data_; }
  bool is_pinned() const { return is_pinned_; }

 private:
  StagingBuffer(std::shared_ptr<GpuRuntime> runtime, void* data, bool is_pinned)
      : runtime_(std::move(runtime)), data_(data), is_pinned_(is_pinned) {}

  std::shared_ptr<GpuRuntime> runtime_;
  void* data_;
  bool is_pinned_;
};

}  // namespace rf::hip
