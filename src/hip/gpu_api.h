// What a GPU module exports: the runtime calls that the host needs and the kernels. A module is a shared library made
// from kernels/ by one of three compilers (HIP, CUDA, the block emulator) and opened at run time, so that the program
// itself links to no GPU runtime. Both sides are built from the same sources; the versions only guard against a module
// of another build lying in the way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/kernel_table.h"

namespace rf::hip {

inline constexpr uint32_t kGpuApiVersion = 8;
inline constexpr char kGpuApiSymbol[] = "RocmforgeGpuApi";

/// Error codes that mean the same in HIP, in CUDA and in the emulator.
inline constexpr int kGpuOutOfMemory = 2;
inline constexpr int kGpuNoDevice = 100;

/// What kernels and their launches must know about a device. Strings end with a zero.
struct GpuTraits {
  char name[256];             ///< for people: "AMD Radeon RX 7900 XTX"
  char arch[256];             ///< "gfx1100", "sm_90", "emulated"
  int32_t wave_size;          ///< lanes of a wave (warp): 32 or 64
  int32_t n_processors;       ///< compute units (streaming multiprocessors)
  int32_t max_block_threads;  ///< threads of a block
  int32_t max_shared_bytes;   ///< shared memory (LDS) of a block
  int32_t is_integrated;      ///< 1: shares the host's memory
  char driver_version[32];    ///< of the GPU's driver, as its runtime knows it: "6.4.43484"; empty: not known
  char runtime_version[32];   ///< of the runtime in use
};

/// Rows of which the units (kernels/units.h) lie in the workspace.
struct UnitsNote {
  const void* of;     ///< null: of none
  const void* units;  ///< where they lie
  int64_t n_rows;
  int64_t n_cols;
};

/// The native handle of a GPU stream: what kernels' launch functions receive. One thread at a time.
struct GpuContext {
  void* stream;
  int32_t device;
  const GpuTraits* traits;
  void* workspace;
  size_t workspace_bytes;
  UnitsNote units;  ///< that the last launch left; launches, copies and replays clear it
  int32_t error;    ///< of the first launch that failed since the last Stream::Synchronize(); 0: none
};

/// Rows of a quantized weight as the file holds them, to be repacked for the products of a device.
struct RepackJob {
  WeightView weight;  ///< data: where the whole weight is to lie, GpuApi::planar_bytes of it
  const void* from;   ///< on the device: the rows' blocks
  int64_t matrix;     ///< of the weight's
  int64_t first_row;  ///< a multiple of 16
  int64_t n_rows;     ///< a multiple of 16, or up to the matrix's last
};

enum class GpuCopy : int32_t { kToDevice, kToHost, kOnDevice };

/// Functions return 0 or the runtime's error code, which error_name() and error_text() explain. Every copy names its
/// stream; nothing waits for a whole device.
struct GpuApi {
  uint32_t version;      ///< kGpuApiVersion
  uint32_t table_bytes;  ///< sizeof(KernelTable)
  const char* runtime;   ///< "HIP", "CUDA", "emulator"
  int (*count_devices)(int32_t* count);
  int (*describe)(int32_t device, GpuTraits* traits);
  int (*memory)(int32_t device, uint64_t* free_bytes, uint64_t* total_bytes);
  int (*allocate)(int32_t device, size_t bytes, void** pointer);
  int (*release)(int32_t device, void* pointer);
  int (*allocate_pinned)(size_t bytes, void** pointer);  ///< host memory that copies read and write directly
  int (*release_pinned)(void* pointer);
  int (*create_stream)(int32_t device, void** stream);
  int (*destroy_stream)(int32_t device, void* stream);
  int (*copy)(int32_t device, void* destination, const void* source, size_t bytes, GpuCopy kind, void* stream);
  int (*synchronize)(int32_t device, void* stream);
  /// From here on the stream keeps what is queued instead of running it.
  int (*begin_recording)(int32_t device, void* stream);
  /// Ends that and gives what was kept; null, with a code, if something queued meanwhile cannot be recorded or failed.
  int (*end_recording)(int32_t device, void* stream, void** recording);
  int (*replay)(int32_t device, void* recording, void* stream);
  int (*release_recording)(int32_t device, void* recording);
  int (*create_event)(int32_t device, void** event);
  int (*destroy_event)(int32_t device, void* event);
  /// The event is the moment at which what was queued before has ended.
  int (*record_event)(int32_t device, void* event, void* stream);
  /// Between two events that have come.
  int (*elapsed)(int32_t device, void* from, void* to, double* seconds);
  const char* (*error_name)(int code);
  const char* (*error_text)(int code);
  /// Enters every kernel that a device with these traits can run.
  void (*fill_kernels)(const GpuTraits& traits, KernelTable* table);
  /// Device::QueueMatrixProducts (device/device.h); `native` is a GpuContext* with 4 bytes of workspace.
  int64_t (*queue_matrix_products)(void* native, int32_t n_rounds);
  /// The bytes of a weight whose layout is not the file's (KernelEntry::weight_layout); data is not looked at.
  uint64_t (*planar_bytes)(const WeightView& weight) = nullptr;
  /// Queues the repacking; `native` is a GpuContext*.
  void (*repack)(void* native, const RepackJob& job) = nullptr;
  /// GpuTraits::arch of the devices that the module holds code for, separated by spaces; null: all that it lists.
  const char* targets = nullptr;
};

using GetGpuApiFn = const GpuApi* (*)();

}  // namespace rf::hip
