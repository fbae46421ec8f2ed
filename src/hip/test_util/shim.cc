#include "hip/test_util/shim.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "ops/kv_formats.h"

namespace rf::hip {
namespace {

constexpr size_t kAlignment = 256;
constexpr int kInvalidValue = 1;
constexpr int kNoSuchDevice = 101;

Shim* shim = nullptr;

int CountDevices(int32_t* count) {
  const int code = shim->Count();
  *count = code == 0 ? shim->n_devices : 0;
  if (code == 0 && shim->n_devices == 0) return kGpuNoDevice;
  return code;
}

int Describe(int32_t device, GpuTraits* traits) {
  if (device < 0 || device >= shim->n_devices) return kNoSuchDevice;
  *traits = GpuTraits{};
  shim->name.copy(traits->name, sizeof(traits->name) - 1);
  const bool is_last = device == shim->n_devices - 1 && !shim->last_arch.empty();
  (is_last ? shim->last_arch : shim->arch).copy(traits->arch, sizeof(traits->arch) - 1);
  traits->wave_size = 32;
  traits->n_processors = 4;
  traits->max_block_threads = 1024;
  traits->max_shared_bytes = 65536;
  traits->is_integrated = shim->is_integrated ? 1 : 0;
  std::strcpy(traits->driver_version, "6.4.43484");
  std::strcpy(traits->runtime_version, "6.4.43482");
  return shim->Count();
}

int ReadMemory(int32_t, uint64_t* free_bytes, uint64_t* total_bytes) {
  const int code = shim->Count();
  if (code != 0) return code;
  *free_bytes = shim->claimed_free;
  *total_bytes = shim->claimed_total;
  return 0;
}

const char* ErrorName(int code) {
  switch (code) {
    case kInvalidValue: return "hipErrorInvalidValue";
    case kGpuOutOfMemory: return "hipErrorOutOfMemory";
    case kGpuNoDevice: return "hipErrorNoDevice";
    case 700: return "hipErrorIllegalAddress";
    case 719: return "hipErrorLaunchFailure";
    default: return "hipErrorUnknown";
  }
}

// Makes the result of an op wrong where a test wants that.
template <typename Op>
constexpr const char* kNameOf = nullptr;
#define RF_OP(Name, file) \
  template <>             \
  constexpr const char* kNameOf<Name> = #file;
#include "ops/ops.def"
#undef RF_OP

// The result in which one element is spoiled. Null: the op has none.
template <typename Op>
float* ResultOf(const typename Op::Args& args) {
  if constexpr (std::is_same_v<Op, MatMul>) {
    return static_cast<float*>(args.parts[0].y.data);
  } else if constexpr (std::is_same_v<Op, RopeTable>) {
    return static_cast<float*>(args.table.data);
  } else if constexpr (std::is_same_v<Op, Rope>) {
    return static_cast<float*>(args.x.data);
  } else if constexpr (std::is_same_v<Op, BestLogits>) {
    return static_cast<float*>(args.values.data);
  } else if constexpr (requires { args.y; }) {
    return static_cast<float*>(args.y.data);
  } else {
    return nullptr;
  }
}

template <typename Op>
void Spoil(const typename Op::Args& args) {
  if (shim->wrong_op != kNameOf<Op>) return;
  float* result = ResultOf<Op>(args);
  if (result != nullptr) result[17] += shim->wrong_by;
}

template <typename Op>
concept TakesBatch = requires(typename Op::Args args) {
  args.batch;
};

// A launch takes with it what its arguments point to, as a GPU's launch copies a kernel's arguments.
template <typename Op>
void Launch(void* native, const typename Op::Args& args) {
  auto& context = *static_cast<GpuContext*>(native);
  if constexpr (TakesBatch<Op>) {
    shim->Launch(context, [taken = args, batch = *args.batch]() mutable {
      taken.batch = &batch;
      Op::Reference(taken);
      Spoil<Op>(taken);
    });
  } else {
    shim->Launch(context, [args] {
      Op::Reference(args);
      Spoil<Op>(args);
    });
  }
}

bool IsKey(KeyKind kind, Format format) {
  if (kind == KeyKind::kWeight) return true;
  return kind == KeyKind::kCache ? IsKvFormat(format) : format == Format::kF32;
}

template <typename Op>
void FillOp(KernelSlot<Op>& slot, const char* name) {
  for (int f = 0; f < kNumFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (IsKey(Op::kKeyKind, format)) slot.Set(format, {Launch<Op>, nullptr, name});
  }
}

void FillKernels(const GpuTraits&, KernelTable* table) {
  if (!shim->has_kernels) return;
#define RF_OP(Name, file) FillOp<Name>(table->file, "shim/" #file);
#include "ops/ops.def"
#undef RF_OP
}

GpuApi MakeTable() {
  return GpuApi{
      kGpuApiVersion,
      sizeof(KernelTable),
      "HIP",
      CountDevices,
      Describe,
      ReadMemory,
      [](int32_t, size_t bytes, void** pointer) { return shim->Allocate(bytes, pointer); },
      [](int32_t, void* pointer) {
        shim->Release(pointer, shim->device_memory());
        return 0;
      },
      [](size_t bytes, void** pointer) { return shim->AllocatePinned(bytes, pointer); },
      [](void* pointer) {
        shim->Release(pointer, shim->pinned_memory());
        return 0;
      },
      [](int32_t, void** stream) {
        const int code = shim->Count();
        if (code == 0) shim->CreateStream(stream);
        return code;
      },
      [](int32_t, void* stream) {
        shim->DestroyStream(stream);
        return 0;
      },
      [](int32_t, void* destination, const void* source, size_t bytes, GpuCopy kind, void* stream) {
        return shim->Copy(destination, source, bytes, kind, stream);
      },
      [](int32_t, void* stream) { return shim->Synchronize(stream); },
      [](int32_t, void* stream) { return shim->BeginRecording(stream); },
      [](int32_t, void* stream, void** recording) { return shim->EndRecording(stream, recording); },
      [](int32_t, void* recording, void* stream) { return shim->Replay(recording, stream); },
      [](int32_t, void* recording) {
        shim->ReleaseRecording(recording);
        return 0;
      },
      [](int32_t, void** event) { return shim->CreateEvent(event); },
      [](int32_t, void* event) {
        shim->DestroyEvent(event);
        return 0;
      },
      [](int32_t, void* event, void* stream) { return shim->RecordEvent(event, stream); },
      [](int32_t, void* from, void* to, double* seconds) { return shim->Elapsed(from, to, seconds); },
      ErrorName,
      [](int code) { return code == kGpuOutOfMemory ? "out of memory" : "as the test wants it"; },
      FillKernels,
      [](void*, int32_t) { return int64_t{0}; },
  };
}

}  // namespace

Shim::Shim() : table_(MakeTable()) {
  RF_CHECK(shim == nullptr);
  shim = this;
}

Shim::~Shim() {
  shim = nullptr;
}

uint64_t Shim::live_bytes() const {
  uint64_t total = 0;
  for (const auto& [pointer, bytes] : device_memory_) total += bytes;
  return total;
}

int Shim::Count() {
  const int number = n_calls++;
  if (number == delay_at) std::this_thread::sleep_for(delay);
  return fail_at >= 0 && number >= fail_at && number - fail_at < n_failures ? code : 0;
}

void Shim::NoteMemory(const char* what) {
  if (forbids_memory) violations.emplace_back(what);
}

int Shim::Allocate(size_t bytes, void** pointer) {
  NoteMemory("device memory is allocated during a step");
  const int failed = Count();
  if (failed != 0) return failed;
  if (bytes > capacity || live_bytes() > capacity - bytes) return kGpuOutOfMemory;
  *pointer = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  std::memset(*pointer, 0xff, bytes);
  device_memory_.emplace(*pointer, bytes);
  return 0;
}

int Shim::AllocatePinned(size_t bytes, void** pointer) {
  NoteMemory("pinned memory is allocated during a step");
  const int failed = Count();
  if (failed != 0) return failed;
  if (fails_pinned) return kGpuOutOfMemory;
  *pointer = std::malloc(bytes);
  pinned_memory_.emplace(*pointer, bytes);
  return 0;
}

void Shim::Release(void* pointer, std::map<void*, size_t>& memory) {
  NoteMemory("memory is released during a step");
  if (memory.erase(pointer) == 0) {
    violations.emplace_back("memory is freed that was not allocated");
    return;
  }
  if (std::any_of(streams_.begin(), streams_.end(), [](const Queue* queue) { return !queue->work.empty(); })) {
    violations.emplace_back("memory is freed while work is queued");
  }
  std::free(pointer);
}

void Shim::CreateStream(void** stream) {
  auto* queue = new Queue;
  streams_.insert(queue);
  *stream = queue;
}

void Shim::DestroyStream(void* stream) {
  Queue* queue = Find(stream);
  streams_.erase(queue);
  delete queue;
}

Shim::Queue* Shim::Find(void* stream) {
  auto* queue = static_cast<Queue*>(stream);
  if (streams_.count(queue) != 0) return queue;
  violations.emplace_back(stream == nullptr ? "the default stream is used" : "a stream is used that does not exist");
  return nullptr;
}

bool Shim::IsOnDevice(const void* pointer, size_t bytes) const {
  auto after = device_memory_.upper_bound(const_cast<void*>(pointer));
  if (after == device_memory_.begin()) return false;
  const auto& [begin, size] = *std::prev(after);
  const auto offset = static_cast<size_t>(static_cast<const char*>(pointer) - static_cast<const char*>(begin));
  return offset <= size && bytes <= size - offset;
}

int Shim::Copy(void* destination, const void* source, size_t bytes, GpuCopy kind, void* stream) {
  Queue* queue = Find(stream);
  const int failed = Count();
  if (failed != 0) return failed;
  const bool destination_is_there = kind == GpuCopy::kToHost || IsOnDevice(destination, bytes);
  const bool source_is_there = kind == GpuCopy::kToDevice || IsOnDevice(source, bytes);
  if (queue == nullptr || !destination_is_there || !source_is_there) {
    violations.emplace_back("a copy reaches outside device memory");
    return kInvalidValue;
  }
  if (kind == GpuCopy::kToDevice) {
    const uint64_t flipped = flips_byte - n_copied_to_device;  // far beyond all bytes if it came before these
    n_copied_to_device += bytes;
    queue->Add([=] {
      std::memcpy(destination, source, bytes);
      if (flipped < bytes) static_cast<std::byte*>(destination)[flipped] ^= std::byte{4};
    });
    return 0;
  }
  queue->Add([=] { std::memcpy(destination, source, bytes); });
  return 0;
}

// What was queued is lost where synchronizing fails.
int Shim::Synchronize(void* stream) {
  Queue* queue = Find(stream);
  const int failed = Count();
  if (queue == nullptr) return kInvalidValue;
  const auto work = std::exchange(queue->work, {});
  if (failed != 0) return failed;
  for (const auto& item : work) {
    item();
    ++n_items_run_;
  }
  return 0;
}

int Shim::BeginRecording(void* stream) {
  Queue* queue = Find(stream);
  const int failed = Count();
  if (queue == nullptr) return kInvalidValue;
  if (failed != 0) return failed;
  queue->recording = new Work;
  recordings_.insert(queue->recording);
  return 0;
}

int Shim::EndRecording(void* stream, void** recording) {
  Queue* queue = Find(stream);
  const int failed = Count();
  if (queue == nullptr || queue->recording == nullptr) return kInvalidValue;
  Work* work = std::exchange(queue->recording, nullptr);
  *recording = failed == 0 ? work : nullptr;
  if (failed != 0) ReleaseRecording(work);
  return failed;
}

int Shim::Replay(void* recording, void* stream) {
  Queue* queue = Find(stream);
  const int failed = Count();
  if (queue == nullptr || recordings_.count(static_cast<Work*>(recording)) == 0) return kInvalidValue;
  if (failed != 0) return failed;
  for (const auto& item : *static_cast<Work*>(recording)) queue->Add(item);
  return 0;
}

template <typename T>
void Shim::Delete(std::set<T*>& all, void* handle, const char* violation) {
  auto* item = static_cast<T*>(handle);
  if (all.erase(item) == 0) {
    violations.emplace_back(violation);
    return;
  }
  delete item;
}

void Shim::ReleaseRecording(void* recording) {
  Delete(recordings_, recording, "a recording is released that does not exist");
}

int Shim::CreateEvent(void** event) {
  const int failed = Count();
  if (failed != 0) return failed;
  *event = *events_.insert(new int64_t{-1}).first;
  return 0;
}

void Shim::DestroyEvent(void* event) {
  Delete(events_, event, "an event is destroyed that does not exist");
}

int Shim::RecordEvent(void* event, void* stream) {
  Queue* queue = Find(stream);
  const int failed = Count();
  if (queue == nullptr || events_.count(static_cast<int64_t*>(event)) == 0) return kInvalidValue;
  if (failed == 0) queue->Add([this, moment = static_cast<int64_t*>(event)] { *moment = n_items_run_; });
  return failed;
}

int Shim::Elapsed(void* from, void* to, double* seconds) {
  const int failed = Count();
  if (failed != 0) return failed;
  const int64_t begin = *static_cast<int64_t*>(from);
  const int64_t end = *static_cast<int64_t*>(to);
  if (begin < 0 || end < 0) violations.emplace_back("the time of an event is read that has not come");
  *seconds = static_cast<double>(end - begin);
  return 0;
}

void Shim::Launch(GpuContext& context, std::function<void()> kernel) {
  Queue* queue = Find(context.stream);
  const int failed = Count();
  if (failed == 0 && queue != nullptr) {
    queue->Add(std::move(kernel));
  } else if (context.error == 0) {
    context.error = failed != 0 ? failed : kInvalidValue;
  }
}

}  // namespace rf::hip
