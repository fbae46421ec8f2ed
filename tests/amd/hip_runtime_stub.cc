// A libamdhip64 without a GPU, for the module that is built for AMD GPUs: memory is the host's, work is done when it is
// queued, and kernels are looked up among those that the module registered, but not run. So everything of the module
// but its kernels' code is used as on a real machine, and a device that computes nothing must be found out.
#include <hip/hip_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

namespace {

const char* Arch() {
  return std::getenv("STUB_HIP_ARCH");
}

std::set<const void*>& Kernels() {
  static std::set<const void*> kernels;
  return kernels;
}

template <typename Handle>
hipError_t Make(Handle* handle) {
  *handle = reinterpret_cast<Handle>(new char);
  return hipSuccess;
}

template <typename Handle>
hipError_t Destroy(Handle handle) {
  delete reinterpret_cast<char*>(handle);
  return hipSuccess;
}

}  // namespace

extern "C" {

hipError_t hipGetDeviceCount(int* count) {
  *count = Arch() == nullptr ? 0 : 1;
  return Arch() == nullptr ? hipErrorNoDevice : hipSuccess;
}

hipError_t hipSetDevice(int) {
  return hipSuccess;
}

hipError_t hipGetDeviceProperties(hipDeviceProp_t* properties, int) {
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "Stub");
  std::snprintf(properties->gcnArchName, sizeof(properties->gcnArchName), "%s:sramecc+:xnack-", Arch());
  return hipSuccess;
}

hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int) {
  switch (attribute) {
    case hipDeviceAttributeWarpSize: *value = 32; break;
    case hipDeviceAttributeMultiprocessorCount: *value = 8; break;
    case hipDeviceAttributeMaxThreadsPerBlock: *value = 1024; break;
    case hipDeviceAttributeMaxSharedMemoryPerBlock: *value = 65536; break;
    case hipDeviceAttributeIntegrated: *value = 0; break;
    default: return hipErrorInvalidValue;
  }
  return hipSuccess;
}

hipError_t hipDriverGetVersion(int* version) {
  *version = 60443484;
  return hipSuccess;
}
hipError_t hipRuntimeGetVersion(int* version) {
  return hipDriverGetVersion(version);
}

hipError_t hipMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  *free_bytes = *total_bytes = size_t{1} << 30;
  return hipSuccess;
}

hipError_t hipMalloc(void** pointer, size_t bytes) {
  *pointer = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*pointer == nullptr) return hipErrorOutOfMemory;
  std::memset(*pointer, 0xff, bytes);
  return hipSuccess;
}
hipError_t hipFree(void* pointer) {
  std::free(pointer);
  return hipSuccess;
}
hipError_t hipHostMalloc(void** pointer, size_t bytes, unsigned int) {
  return hipMalloc(pointer, bytes);
}
hipError_t hipHostFree(void* pointer) {
  return hipFree(pointer);
}

hipError_t hipMemcpyAsync(void* destination, const void* source, size_t bytes, hipMemcpyKind, hipStream_t stream) {
  if (stream == nullptr) return hipErrorInvalidResourceHandle;  // the default stream waits for all others
  std::memcpy(destination, source, bytes);
  return hipSuccess;
}

hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned int flags) {
  return flags == hipStreamNonBlocking ? Make(stream) : hipErrorInvalidValue;
}
hipError_t hipStreamDestroy(hipStream_t stream) {
  return Destroy(stream);
}
hipError_t hipStreamSynchronize(hipStream_t stream) {
  return stream == nullptr ? hipErrorInvalidResourceHandle : hipSuccess;
}
hipError_t hipStreamBeginCapture(hipStream_t, hipStreamCaptureMode) {
  return hipSuccess;
}
hipError_t hipStreamEndCapture(hipStream_t, hipGraph_t* graph) {
  return Make(graph);
}
hipError_t hipGraphInstantiateWithFlags(hipGraphExec_t* exec, hipGraph_t, unsigned long long) {
  return Make(exec);
}
hipError_t hipGraphDestroy(hipGraph_t graph) {
  return Destroy(graph);
}
hipError_t hipGraphExecDestroy(hipGraphExec_t exec) {
  return Destroy(exec);
}
hipError_t hipGraphLaunch(hipGraphExec_t, hipStream_t) {
  return hipSuccess;
}

hipError_t hipEventCreate(hipEvent_t* event) {
  return Make(event);
}
hipError_t hipEventDestroy(hipEvent_t event) {
  return Destroy(event);
}
hipError_t hipEventRecord(hipEvent_t, hipStream_t) {
  return hipSuccess;
}
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t, hipEvent_t) {
  *milliseconds = 1.0f;
  return hipSuccess;
}

const char* hipGetErrorName(hipError_t error) {
  return error == hipErrorNoDevice ? "hipErrorNoDevice" : "hipErrorOfTheStub";
}
const char* hipGetErrorString(hipError_t) {
  return "as the stub says";
}
hipError_t hipGetLastError() {
  return hipSuccess;
}

// What the compiler calls for each kernel that the module holds.
void** __hipRegisterFatBinary(const void* binary) {
  static void* handle = nullptr;
  handle = const_cast<void*>(binary);
  return &handle;
}
void __hipUnregisterFatBinary(void**) {}
void __hipRegisterFunction(void**, const void* function, char*, const char*, unsigned int, void*, void*, void*, void*,
                           int*) {
  Kernels().insert(function);
}
void __hipRegisterVar(void**, void*, char*, const char*, int, size_t, int, int) {}

hipError_t __hipPushCallConfiguration(dim3, dim3, size_t, hipStream_t) {
  return hipSuccess;
}
hipError_t __hipPopCallConfiguration(dim3*, dim3*, size_t*, hipStream_t*) {
  return hipSuccess;
}

hipError_t hipLaunchKernel(const void* function, dim3 blocks, dim3 threads, void**, size_t, hipStream_t) {
  if (Kernels().count(function) == 0) return hipErrorInvalidDeviceFunction;
  const bool is_empty = blocks.x == 0 || blocks.y == 0 || blocks.z == 0 || threads.x == 0;
  return is_empty || threads.x > 1024 ? hipErrorInvalidConfiguration : hipSuccess;
}

}  // extern "C"
