// The GPU's runtime as a module exports it: HIP's calls, or CUDA's under HIP's names.
#if defined(__CUDACC__)
#include "hip/module/cuda_names.h"
#else
#include <hip/hip_runtime.h>
#endif

#include <cstdio>
#include <cstring>

#include "hip/gpu_api.h"
#include "hip/gpu_fault.h"
#include "hip/kernels/matrix_peak.h"
#include "hip/kernels/register.h"
#include "hip/kernels/repack.h"

namespace rf::hip {
namespace {

// Runs `call` with the device made current for this thread.
template <typename Call>
int On(int32_t device, Call call) {
  const hipError_t chosen = hipSetDevice(device);
  return static_cast<int>(chosen != hipSuccess ? chosen : call());
}

int CountDevices(int32_t* count) {
  int n = 0;
  const hipError_t error = hipGetDeviceCount(&n);
  *count = error == hipSuccess ? n : 0;
  return static_cast<int>(error);
}

template <typename Attribute>
int32_t AttributeOf(int32_t device, Attribute attribute, hipError_t& error) {
  int value = 0;
  const hipError_t failed = hipDeviceGetAttribute(&value, attribute, device);
  if (error == hipSuccess) error = failed;
  return value;
}

// The name of the instruction set. hipDeviceProp_t has another layout in every major version of ROCm, but the header
// that this was compiled with belongs to it: HIP versions its symbol.
void ReadNames(const hipDeviceProp_t& properties, GpuTraits* traits) {
  std::snprintf(traits->name, sizeof(traits->name), "%s", properties.name);
#if defined(__CUDACC__)
  std::snprintf(traits->arch, sizeof(traits->arch), "sm_%d%d", properties.major, properties.minor);
#else
  std::snprintf(traits->arch, sizeof(traits->arch), "%s", properties.gcnArchName);
  if (char* features = std::strchr(traits->arch, ':')) *features = '\0';  // "gfx90a:sramecc+:xnack-"
#endif
}

// HIP counts major * 10^7 + minor * 10^5 + patch, CUDA major * 1000 + minor * 10.
template <size_t kSize>
void WriteVersion(int version, char (&text)[kSize]) {
  if (version <= 0) return;
#if defined(__CUDACC__)
  std::snprintf(text, kSize, "%d.%d", version / 1000, version % 1000 / 10);
#else
  std::snprintf(text, kSize, "%d.%d.%d", version / 10000000, version / 100000 % 100, version % 100000);
#endif
}

// A runtime that does not say is used all the same.
void ReadVersions(GpuTraits* traits) {
  int version = 0;
  if (hipDriverGetVersion(&version) == hipSuccess) WriteVersion(version, traits->driver_version);
  if (hipRuntimeGetVersion(&version) == hipSuccess) WriteVersion(version, traits->runtime_version);
}

int Describe(int32_t device, GpuTraits* traits) {
  *traits = {};
  hipDeviceProp_t properties;
  hipError_t error = hipGetDeviceProperties(&properties, device);
  if (error != hipSuccess) return static_cast<int>(error);
  ReadNames(properties, traits);
  ReadVersions(traits);
  traits->wave_size = AttributeOf(device, hipDeviceAttributeWarpSize, error);
  traits->n_processors = AttributeOf(device, hipDeviceAttributeMultiprocessorCount, error);
  traits->max_block_threads = AttributeOf(device, hipDeviceAttributeMaxThreadsPerBlock, error);
  traits->max_shared_bytes = AttributeOf(device, hipDeviceAttributeMaxSharedMemoryPerBlock, error);
  traits->is_integrated = AttributeOf(device, hipDeviceAttributeIntegrated, error);
  return static_cast<int>(error);
}

int Memory(int32_t device, uint64_t* free_bytes, uint64_t* total_bytes) {
  size_t free_size = 0;
  size_t total_size = 0;
  const int error = On(device, [&] { return hipMemGetInfo(&free_size, &total_size); });
  *free_bytes = free_size;
  *total_bytes = total_size;
  return error;
}

int Allocate(int32_t device, size_t bytes, void** pointer) {
  return On(device, [&] { return hipMalloc(pointer, bytes); });
}
int Release(int32_t device, void* pointer) {
  return On(device, [&] { return hipFree(pointer); });
}
int AllocatePinned(size_t bytes, void** pointer) {
  return static_cast<int>(hipHostMalloc(pointer, bytes, hipHostMallocDefault));
}
int ReleasePinned(void* pointer) {
  return static_cast<int>(hipHostFree(pointer));
}

int CreateStream(int32_t device, void** stream) {
  return On(device,
            [&] { return hipStreamCreateWithFlags(reinterpret_cast<hipStream_t*>(stream), hipStreamNonBlocking); });
}
int DestroyStream(int32_t device, void* stream) {
  return On(device, [&] { return hipStreamDestroy(static_cast<hipStream_t>(stream)); });
}

int Copy(int32_t device, void* destination, const void* source, size_t bytes, GpuCopy kind, void* stream) {
  constexpr hipMemcpyKind kKinds[] = {hipMemcpyHostToDevice, hipMemcpyDeviceToHost, hipMemcpyDeviceToDevice};
  return On(device, [&] {
    return hipMemcpyAsync(destination, source, bytes, kKinds[static_cast<int>(kind)], static_cast<hipStream_t>(stream));
  });
}
int Synchronize(int32_t device, void* stream) {
  return On(device, [&] { return hipStreamSynchronize(static_cast<hipStream_t>(stream)); });
}

// Only this thread's calls count: others may allocate meanwhile.
int BeginRecording(int32_t device, void* stream) {
  return On(device,
            [&] { return hipStreamBeginCapture(static_cast<hipStream_t>(stream), hipStreamCaptureModeThreadLocal); });
}
int EndRecording(int32_t device, void* stream, void** recording) {
  *recording = nullptr;
  return On(device, [&] {
    hipGraph_t graph = nullptr;
    hipError_t error = hipStreamEndCapture(static_cast<hipStream_t>(stream), &graph);
    if (error != hipSuccess) return error;
    error = hipGraphInstantiateWithFlags(reinterpret_cast<hipGraphExec_t*>(recording), graph, 0);
    const hipError_t destroyed = hipGraphDestroy(graph);
    return error != hipSuccess ? error : destroyed;
  });
}
int Replay(int32_t device, void* recording, void* stream) {
  return On(device,
            [&] { return hipGraphLaunch(static_cast<hipGraphExec_t>(recording), static_cast<hipStream_t>(stream)); });
}
int ReleaseRecording(int32_t device, void* recording) {
  return On(device, [&] { return hipGraphExecDestroy(static_cast<hipGraphExec_t>(recording)); });
}

int CreateEvent(int32_t device, void** event) {
  return On(device, [&] { return hipEventCreate(reinterpret_cast<hipEvent_t*>(event)); });
}
int DestroyEvent(int32_t device, void* event) {
  return On(device, [&] { return hipEventDestroy(static_cast<hipEvent_t>(event)); });
}
int RecordEvent(int32_t device, void* event, void* stream) {
  return On(device, [&] { return hipEventRecord(static_cast<hipEvent_t>(event), static_cast<hipStream_t>(stream)); });
}
int Elapsed(int32_t device, void* from, void* to, double* seconds) {
  float milliseconds = 0.0f;
  const int error = On(device, [&] {
    return hipEventElapsedTime(&milliseconds, static_cast<hipEvent_t>(from), static_cast<hipEvent_t>(to));
  });
  *seconds = double{milliseconds} / 1e3;
  return error;
}

const char* ErrorName(int code) {
  return hipGetErrorName(static_cast<hipError_t>(code));
}
const char* ErrorText(int code) {
  return hipGetErrorString(static_cast<hipError_t>(code));
}

__global__ void WriteNowhere(volatile int* nowhere) {
  *nowhere = 1;
}

__global__ void NeverEnd() {
  for (volatile int i = 0;; i = i + 1) {
  }
}

int RunFault(int32_t device, GpuFault fault) {
  void* stream = nullptr;
  const int created = CreateStream(device, &stream);
  if (created != 0) return created;
  auto* const queue = static_cast<hipStream_t>(stream);
  if (fault == GpuFault::kNeverEnd) {
    NeverEnd<<<1, 1, 0, queue>>>();
  } else {
    WriteNowhere<<<1, 1, 0, queue>>>(reinterpret_cast<int*>(16));
  }
  return Synchronize(device, stream);
}

}  // namespace
}  // namespace rf::hip

extern "C" __attribute__((visibility("default"))) int RocmforgeGpuFault(int32_t device, rf::hip::GpuFault fault) {
  return rf::hip::RunFault(device, fault);
}

extern "C" __attribute__((visibility("default"))) const rf::hip::GpuApi* RocmforgeGpuApi() {
  using namespace rf::hip;  // NOLINT(google-build-using-namespace)
  static const GpuApi api = {
    kGpuApiVersion,
    sizeof(rf::KernelTable),
#if defined(__CUDACC__)
    "CUDA",
#else
    "HIP",
#endif
    CountDevices,
    Describe,
    Memory,
    Allocate,
    Release,
    AllocatePinned,
    ReleasePinned,
    CreateStream,
    DestroyStream,
    Copy,
    Synchronize,
    BeginRecording,
    EndRecording,
    Replay,
    ReleaseRecording,
    CreateEvent,
    DestroyEvent,
    RecordEvent,
    Elapsed,
    ErrorName,
    ErrorText,
    FillKernels,
    LaunchMatrixPeak,
    PlanarWeightBytes,
    LaunchRepack,
#if defined(RF_GPU_TARGETS)
    RF_GPU_TARGETS,
#else
    nullptr,  // code for a CUDA target also runs on later ones
#endif
  };
  return &api;
}
