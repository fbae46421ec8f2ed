#include "hip/gpu_stream.h"

#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rf::hip {
namespace {

class GpuRecording final : public Recording {
 public:
  GpuRecording(std::shared_ptr<GpuRuntime> runtime, void* handle) : runtime_(std::move(runtime)), handle_(handle) {}
  GpuRecording(const GpuRecording&) = delete;
  GpuRecording& operator=(const GpuRecording&) = delete;
  ~GpuRecording() override { runtime_->api().release_recording(runtime_->device(), handle_); }
  void* handle() const { return handle_; }

 private:
  std::shared_ptr<GpuRuntime> runtime_;
  void* handle_;
};

class GpuEvent {
 public:
  static Result<GpuEvent> Create(std::shared_ptr<GpuRuntime> runtime) {
    void* handle = nullptr;
    const int code = runtime->api().create_event(runtime->device(), &handle);
    if (code != 0) return runtime->Fail(code, "creating an event");
    return GpuEvent(std::move(runtime), handle);
  }
  GpuEvent(GpuEvent&& other) noexcept
      : runtime_(std::move(other.runtime_)), handle_(std::exchange(other.handle_, nullptr)) {}
  GpuEvent& operator=(GpuEvent&&) = delete;
  ~GpuEvent() {
    if (handle_ != nullptr) runtime_->api().destroy_event(runtime_->device(), handle_);
  }
  void* handle() const { return handle_; }

 private:
  GpuEvent(std::shared_ptr<GpuRuntime> runtime, void* handle) : runtime_(std::move(runtime)), handle_(handle) {}

  std::shared_ptr<GpuRuntime> runtime_;
  void* handle_;
};

class GpuStream final : public Stream {
 public:
  GpuStream(std::shared_ptr<GpuRuntime> runtime, void* stream, const GpuTraits& traits)
      : runtime_(std::move(runtime)), context_{stream, runtime_->device(), &traits, nullptr, 0, {}, 0} {}
  // Whose memory is freed next must not be in use any more.
  ~GpuStream() override {
    runtime_->api().synchronize(context_.device, context_.stream);
    runtime_->api().destroy_stream(context_.device, context_.stream);
  }

  void* native() override { return &context_; }
  void SetWorkspace(Buffer* workspace) override {
    context_.workspace = workspace->data();
    context_.workspace_bytes = workspace->size();
    context_.units = {};
  }
  Status CopyToDevice(void* dst, const void* src, size_t bytes) override {
    return Copy(dst, src, bytes, GpuCopy::kToDevice);
  }
  Status CopyToHost(void* dst, const void* src, size_t bytes) override {
    return Copy(dst, src, bytes, GpuCopy::kToHost);
  }
  Status CopyOnDevice(void* dst, const void* src, size_t bytes) override {
    return Copy(dst, src, bytes, GpuCopy::kOnDevice);
  }

  // A launch has no result of its own: what it met lies in the context until here.
  Status Synchronize() override {
    const int launched = std::exchange(context_.error, 0);
    const int finished = runtime_->api().synchronize(context_.device, context_.stream);
    if (launched != 0) return runtime_->Fail(launched, "starting a kernel");
    if (finished != 0) return runtime_->Fail(finished, "running what was queued");
    return runtime_->CheckAlive();
  }

  Result<std::unique_ptr<Recording>> Record(const std::function<void()>& queue) override {
    RF_RETURN_IF_ERROR(runtime_->CheckAlive());
    const GpuApi& api = runtime_->api();
    if (const int code = api.begin_recording(context_.device, context_.stream); code != 0) {
      return runtime_->Fail(code, "starting to record a step");
    }
    const int error_before = std::exchange(context_.error, 0);
    context_.units = {};
    queue();
    context_.units = {};
    const int launched = std::exchange(context_.error, error_before);
    void* handle = nullptr;
    const int ended = api.end_recording(context_.device, context_.stream, &handle);
    std::unique_ptr<Recording> recording;
    if (handle != nullptr) recording = std::make_unique<GpuRecording>(runtime_, handle);
    if (launched != 0) return runtime_->Fail(launched, "recording a kernel");
    if (ended != 0) return runtime_->Fail(ended, "recording a step");
    return recording;
  }

  void Replay(Recording& recording) override {
    void* handle = static_cast<GpuRecording&>(recording).handle();
    context_.units = {};
    const int code = runtime_->api().replay(context_.device, handle, context_.stream);
    if (context_.error == 0) context_.error = code;
  }

  Status Mark() override {
    RF_ASSIGN_OR_RETURN(GpuEvent event, GpuEvent::Create(runtime_));
    const int code = runtime_->api().record_event(context_.device, event.handle(), context_.stream);
    if (code != 0) return runtime_->Fail(code, "recording an event");
    marks_.push_back(std::move(event));
    return {};
  }

  Result<std::vector<double>> TakeMarks() override {
    const std::vector<GpuEvent> marks = std::exchange(marks_, {});
    std::vector<double> seconds(marks.empty() ? 0 : marks.size() - 1);
    for (size_t i = 0; i < seconds.size(); ++i) {
      const int code = runtime_->api().elapsed(context_.device, marks[i].handle(), marks[i + 1].handle(), &seconds[i]);
      if (code != 0) return runtime_->Fail(code, "reading the time between two events");
    }
    return seconds;
  }

 private:
  Status Copy(void* dst, const void* src, size_t bytes, GpuCopy kind) {
    if (bytes == 0) return {};
    RF_RETURN_IF_ERROR(runtime_->CheckAlive());
    context_.units = {};
    const int code = runtime_->api().copy(context_.device, dst, src, bytes, kind, context_.stream);
    if (code == 0) return {};
    constexpr const char* kWays[] = {"to the device", "from the device", "on the device"};
    return runtime_->Fail(code, fmt::format("copying {} bytes {}", bytes, kWays[static_cast<int>(kind)]));
  }

  std::shared_ptr<GpuRuntime> runtime_;
  GpuContext context_;
  std::vector<GpuEvent> marks_;
};

}  // namespace

Result<std::unique_ptr<Stream>> CreateGpuStream(std::shared_ptr<GpuRuntime> runtime, const GpuTraits& traits) {
  RF_RETURN_IF_ERROR(runtime->CheckAlive());
  void* stream = nullptr;
  const int code = runtime->api().create_stream(runtime->device(), &stream);
  if (code != 0) return runtime->Fail(code, "creating a stream");
  if (stream == nullptr) return Error{ErrorCode::kDevice, "the runtime gave its default stream", runtime->name()};
  return std::unique_ptr<Stream>(new GpuStream(std::move(runtime), stream, traits));
}

}  // namespace rf::hip
