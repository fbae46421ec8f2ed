#include "hip/gpu_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace rf::hip {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

class GpuBuffer final : public Buffer {
 public:
  GpuBuffer(std::shared_ptr<GpuRuntime> runtime, void* data, size_t size)
      : runtime_(std::move(runtime)), data_(data), size_(size) {
    runtime_->NoteAllocated(size_);
  }
  ~GpuBuffer() override {
    runtime_->api().release(runtime_->device(), data_);
    runtime_->NoteReleased(size_);
  }
  void* data() override { return data_; }
  size_t size() const override { return size_; }

 private:
  std::shared_ptr<GpuRuntime> runtime_;
  void* data_;
  size_t size_;
};

Error CannotAllocate(GpuRuntime& runtime, int code, size_t bytes, std::string_view purpose) {
  Error error = runtime.Fail(code, fmt::format("allocating {} bytes for {}", bytes, purpose));
  if (error.code != ErrorCode::kOutOfMemory) return error;
  runtime.NoteExhausted();
  const GpuRuntime::Memory memory = runtime.ReadMemory();
  const std::string left = memory.total_bytes == 0 ? std::string("how much is free is not known")
                                                   : fmt::format("{:.1f} of {:.1f} MiB are free",
                                                                 static_cast<double>(memory.free_bytes) / kMiB,
                                                                 static_cast<double>(memory.total_bytes) / kMiB);
  error.message = fmt::format("cannot allocate {} bytes for {}: {}; a smaller --ctx needs less", bytes, purpose, left);
  return error;
}

}  // namespace

Result<std::unique_ptr<Buffer>> AllocateGpuBuffer(std::shared_ptr<GpuRuntime> runtime, size_t bytes,
                                                  std::string_view purpose) {
  RF_RETURN_IF_ERROR(runtime->CheckAlive());
  void* data = nullptr;
  const int code = runtime->api().allocate(runtime->device(), std::max<size_t>(bytes, 1), &data);
  if (code != 0) return CannotAllocate(*runtime, code, bytes, purpose);
  return std::unique_ptr<Buffer>(new GpuBuffer(std::move(runtime), data, bytes));
}

Result<std::unique_ptr<StagingBuffer>> StagingBuffer::Allocate(std::shared_ptr<GpuRuntime> runtime, size_t bytes) {
  void* data = nullptr;
  const int code = runtime->api().allocate_pinned(bytes, &data);
  if (code != 0) {
    Log(LogLevel::kInfo, fmt::format("{}: no pinned host memory, copies will be slower: {}", runtime->name(),
                                     DescribeCode(runtime->api(), code)));
    data = std::malloc(bytes);
    if (data == nullptr) {
      return Error{ErrorCode::kOutOfMemory, fmt::format("cannot allocate {} bytes of host memory for copies", bytes),
                   runtime->name()};
    }
  }
  return std::unique_ptr<StagingBuffer>(new StagingBuffer(std::move(runtime), data, bytes, code == 0));
}

StagingBuffer::~StagingBuffer() {
  if (is_pinned_) {
    runtime_->api().release_pinned(data_);
  } else {
    std::free(data_);
  }
}

}  // namespace rf::hip
