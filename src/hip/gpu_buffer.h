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

/// Host memory for copies to and from a device: pinned where the runtime has some left, ordinary otherwise.
class StagingBuffer final : public Buffer {
 public:
  /// Errors: kOutOfMemory.
  static Result<std::unique_ptr<StagingBuffer>> Allocate(std::shared_ptr<GpuRuntime> runtime, size_t bytes);
  ~StagingBuffer() override;
  StagingBuffer(const StagingBuffer&) = delete;
  StagingBuffer& operator=(const StagingBuffer&) = delete;

  void* data() override { return data_; }
  size_t size() const override { return size_; }
  bool is_pinned() const { return is_pinned_; }

 private:
  StagingBuffer(std::shared_ptr<GpuRuntime> runtime, void* data, size_t size, bool is_pinned)
      : runtime_(std::move(runtime)), data_(data), size_(size), is_pinned_(is_pinned) {}

  std::shared_ptr<GpuRuntime> runtime_;
  void* data_;
  size_t size_;
  bool is_pinned_;
};

}  // namespace rf::hip
