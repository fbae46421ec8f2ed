// The emulator as a GPU runtime: devices, memory, streams.
#include "hip/emulation/emulator.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "hip/emulation/block_runner.h"
#include "hip/kernels/matrix_peak.h"
#include "hip/kernels/register.h"
#include "hip/kernels/repack.h"

namespace rf::hip::emulation {
namespace {

constexpr int kWaveSizes[] = {32, 64, 32};
// Devices with matrix instructions, and one without: its kernels multiply integers.
constexpr const char* kArchs[] = {"emulated", "emulated", "emulated-dot"};
constexpr bool kHasMatrices[] = {true, true, false};
constexpr uint64_t kMemoryBytes = uint64_t{64} << 30;
constexpr int kMaxBlockThreads = 1024;
// Of a block: what any GPU has without being asked, and for the device that stands for NVIDIA's what each of those has
// that kernels ask (sm_86).
constexpr uint32_t kMaxSharedBytes[] = {99 << 10, 48 << 10, 48 << 10};
constexpr int kFreshMemory = 0xff;

// Error codes: those that all runtimes share, and the emulator's own.
enum Code : int {
  kFine = 0,
  kOutOfMemory = kGpuOutOfMemory,
  kNoDevice = kGpuNoDevice,
  kBadLaunch = 1000,
  kKernelFailed,
  kBadPointer,
};

using Work = std::deque<std::function<int()>>;

struct Stream {
  int device = 0;
  Work work;
  std::unique_ptr<Work> recording;  // takes what is queued, while there is one

  void Queue(std::function<int()> item) { (recording ? *recording : work).push_back(std::move(item)); }
};

// Everything that is shared by all threads; kernels and copies run under the lock too.
struct Runtime {
  std::mutex mutex;
  std::map<void*, size_t> allocations;
  uint64_t allocated_bytes = 0;
  std::map<Stream*, std::unique_ptr<Stream>> streams;
  std::string failure;  // of the last kernel that failed
  uint64_t n_launches = 0;
};

Runtime& TheRuntime() {
  static Runtime* const runtime = new Runtime;  // outlives every static object that may still free memory
  return *runtime;
}

bool IsDevice(int32_t device) {
  return device >= 0 && device < static_cast<int32_t>(std::size(kWaveSizes));
}

// Runs what is queued; the first failure's code, and what follows it is dropped.
int Drain(Stream& stream) {
  int code = kFine;
  while (!stream.work.empty()) {
    const std::function<int()> next = std::move(stream.work.front());
    stream.work.pop_front();
    if (code == kFine) code = next();
  }
  return code;
}

int CountDevices(int32_t* count) {
  *count = static_cast<int32_t>(std::size(kWaveSizes));
  return kFine;
}

int Describe(int32_t device, GpuTraits* traits) {
  if (!IsDevice(device)) return kNoDevice;
  *traits = {};
  std::strncpy(traits->name, "block emulator", sizeof(traits->name) - 1);
  std::strncpy(traits->arch, kArchs[device], sizeof(traits->arch) - 1);
  traits->wave_size = kWaveSizes[device];
  traits->n_processors = 1;
  traits->max_block_threads = kMaxBlockThreads;
  traits->max_shared_bytes = static_cast<int32_t>(kMaxSharedBytes[device]);
  return kFine;
}

int Memory(int32_t device, uint64_t* free_bytes, uint64_t* total_bytes) {
  if (!IsDevice(device)) return kNoDevice;
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  *total_bytes = kMemoryBytes;
  *free_bytes = kMemoryBytes - runtime.allocated_bytes;
  return kFine;
}

int Allocate(int32_t device, size_t bytes, void** pointer) {
  if (!IsDevice(device)) return kNoDevice;
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  if (bytes > kMemoryBytes - runtime.allocated_bytes) return kOutOfMemory;
  constexpr size_t kAlignment = 256;
  // Its end is exact, so that AddressSanitizer sees what is read beyond it.
  if (posix_memalign(pointer, kAlignment, bytes) != 0) return kOutOfMemory;
  std::memset(*pointer, kFreshMemory, bytes);
  runtime.allocations[*pointer] = bytes;
  runtime.allocated_bytes += bytes;
  return kFine;
}

// Waits for everything that may still use the memory, as the real ones do.
int Release(int32_t device, void* pointer) {
  if (!IsDevice(device)) return kNoDevice;
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  int code = kFine;
  for (const auto& [key, stream] : runtime.streams) {
    if (const int failed = Drain(*stream); failed != kFine) code = failed;
  }
  const auto found = runtime.allocations.find(pointer);
  if (found == runtime.allocations.end()) return kBadPointer;
  runtime.allocated_bytes -= found->second;
  runtime.allocations.erase(found);
  std::free(pointer);
  return code;
}

int AllocatePinned(size_t bytes, void** pointer) {
  *pointer = std::malloc(bytes);
  return *pointer == nullptr ? kOutOfMemory : kFine;
}

int ReleasePinned(void* pointer) {
  std::free(pointer);
  return kFine;
}

int CreateStream(int32_t device, void** stream) {
  if (!IsDevice(device)) return kNoDevice;
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  auto created = std::make_unique<Stream>();
  created->device = device;
  *stream = created.get();
  runtime.streams[created.get()] = std::move(created);
  return kFine;
}

int DestroyStream(int32_t /*device*/, void* stream) {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  const auto found = runtime.streams.find(static_cast<Stream*>(stream));
  if (found == runtime.streams.end()) return kBadPointer;
  const int code = Drain(*found->second);
  runtime.streams.erase(found);
  return code;
}

int Copy(int32_t /*device*/, void* destination, const void* source, size_t bytes, GpuCopy /*kind*/, void* stream) {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  static_cast<Stream*>(stream)->Queue([=] {
    if (bytes > 0) std::memcpy(destination, source, bytes);
    return static_cast<int>(kFine);
  });
  return kFine;
}

int Synchronize(int32_t /*device*/, void* stream) {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  return Drain(*static_cast<Stream*>(stream));
}

int BeginRecording(int32_t /*device*/, void* stream) {
  const std::lock_guard lock(TheRuntime().mutex);
  static_cast<Stream*>(stream)->recording = std::make_unique<Work>();
  return kFine;
}

int EndRecording(int32_t /*device*/, void* stream, void** recording) {
  const std::lock_guard lock(TheRuntime().mutex);
  *recording = static_cast<Stream*>(stream)->recording.release();
  return kFine;
}

int Replay(int32_t /*device*/, void* recording, void* stream) {
  const std::lock_guard lock(TheRuntime().mutex);
  for (const auto& item : *static_cast<Work*>(recording)) static_cast<Stream*>(stream)->Queue(item);
  return kFine;
}

int ReleaseRecording(int32_t /*device*/, void* recording) {
  delete static_cast<Work*>(recording);
  return kFine;
}

using Moment = std::chrono::steady_clock::time_point;

int CreateEvent(int32_t /*device*/, void** event) {
  *event = new Moment();
  return kFine;
}

int DestroyEvent(int32_t /*device*/, void* event) {
  delete static_cast<Moment*>(event);
  return kFine;
}

int RecordEvent(int32_t /*device*/, void* event, void* stream) {
  const std::lock_guard lock(TheRuntime().mutex);
  static_cast<Stream*>(stream)->Queue([moment = static_cast<Moment*>(event)] {
    *moment = std::chrono::steady_clock::now();
    return static_cast<int>(kFine);
  });
  return kFine;
}

int Elapsed(int32_t /*device*/, void* from, void* to, double* seconds) {
  *seconds = std::chrono::duration<double>(*static_cast<Moment*>(to) - *static_cast<Moment*>(from)).count();
  return kFine;
}

const char* ErrorName(int code) {
  switch (code) {
    case kFine: return "no error";
    case kOutOfMemory: return "out of memory";
    case kNoDevice: return "no such device";
    case kBadLaunch: return "bad launch";
    case kKernelFailed: return "kernel failed";
    case kBadPointer: return "not this runtime's pointer";
    default: return "unknown error";
  }
}

const char* ErrorText(int code) {
  return code == kKernelFailed ? TheRuntime().failure.c_str() : ErrorName(code);
}

}  // namespace

void SetOrder(Order order, uint64_t seed) {
  const std::lock_guard lock(TheRuntime().mutex);
  BlockRunner::Get().SetOrder(order, seed);
}

void SetMatrixLayout(MatrixLayout layout) {
  const std::lock_guard lock(TheRuntime().mutex);
  BlockRunner::Get().SetLayout(layout);
}

int WaveSize() {
  return BlockRunner::Get().wave_size();
}
bool HasMatrixInstructions() {
  return BlockRunner::Get().has_matrices();
}
MatrixLayout CurrentMatrixLayout() {
  return BlockRunner::Get().layout();
}
void* SharedMemory(size_t bytes) {
  return BlockRunner::Get().SharedMemory(bytes);
}
void BlockBarrier() {
  BlockRunner::Get().BlockBarrier();
}
const uint64_t* Exchange(uint64_t value) {
  return BlockRunner::Get().Exchange(value);
}

uint64_t CountLaunches() {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  return runtime.n_launches;
}

void Enqueue(GpuContext& context, Job job) {
  context.units = {};
  if (job.grid.x == 0 || job.grid.y == 0 || job.grid.z == 0) return;
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  auto& stream = *static_cast<Stream*>(context.stream);
  const int wave_size = kWaveSizes[stream.device];
  const bool has_matrices = kHasMatrices[stream.device];
  if (job.n_threads < 1 || job.n_threads > kMaxBlockThreads || job.n_threads % wave_size != 0 ||
      job.shared_bytes > kMaxSharedBytes[stream.device] || job.grid.y > 65535 || job.grid.z > 65535) {
    if (context.error == kFine) context.error = kBadLaunch;
    return;
  }
  ++runtime.n_launches;
  stream.Queue([&runtime, wave_size, has_matrices, job = std::move(job)] {
    BlockRunner::Get().SetMatrices(has_matrices);
    runtime.failure = BlockRunner::Get().Run(job, wave_size);
    return static_cast<int>(runtime.failure.empty() ? kFine : kKernelFailed);
  });
}

const GpuApi& Api() {
  static const GpuApi api = {
      .version = kGpuApiVersion,
      .table_bytes = sizeof(KernelTable),
      .runtime = "emulator",
      .count_devices = CountDevices,
      .describe = Describe,
      .memory = Memory,
      .allocate = Allocate,
      .release = Release,
      .allocate_pinned = AllocatePinned,
      .release_pinned = ReleasePinned,
      .create_stream = CreateStream,
      .destroy_stream = DestroyStream,
      .copy = Copy,
      .synchronize = Synchronize,
      .begin_recording = BeginRecording,
      .end_recording = EndRecording,
      .replay = Replay,
      .release_recording = ReleaseRecording,
      .create_event = CreateEvent,
      .destroy_event = DestroyEvent,
      .record_event = RecordEvent,
      .elapsed = Elapsed,
      .error_name = ErrorName,
      .error_text = ErrorText,
      .fill_kernels = FillKernels,
      .queue_matrix_products = LaunchMatrixPeak,
      .planar_bytes = PlanarWeightBytes,
      .repack = LaunchRepack,
  };
  return api;
}

}  // namespace rf::hip::emulation
