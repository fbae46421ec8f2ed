// The block emulator: runs the same kernel sources as a GPU, on one thread of the host, to find what a GPU would
// forgive today and not tomorrow.
//
// Every thread of a block is a fiber. A fiber runs until it waits at a block barrier or at a wave function, so threads
// interleave only there, in an order that tests choose: a kernel whose result changes with the order lacks a barrier.
// Device memory and shared memory start as 0xff bytes (NaN in every floating-point format, so what is read before it
// is written shows), and both are exact heap allocations, so that AddressSanitizer sees every access beyond them. Lanes
// of a wave that do not reach the same wave function, and threads of a block that do not reach the same barrier, are
// errors here; on a GPU they are a hang or a wrong number.
//
// Work is queued and runs at synchronization: what a real stream does late, this one does as late as can be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "hip/gpu_api.h"

namespace rf::hip::emulation {

struct Dim3 {
  uint32_t x = 1;
  uint32_t y = 1;
  uint32_t z = 1;

  Dim3() = default;
  Dim3(int64_t x_size, int64_t y_size = 1, int64_t z_size = 1)  // NOLINT(google-explicit-constructor): as dim3 is
      : x(static_cast<uint32_t>(x_size)), y(static_cast<uint32_t>(y_size)), z(static_cast<uint32_t>(z_size)) {}
};

/// In which order blocks, waves, and the lanes of a wave have their turns.
enum class Order { kForward, kReverse, kRandom };

/// For everything that runs from now on; `seed` for kRandom only.
void SetOrder(Order order, uint64_t seed = 0);

/// The emulator as a GPU runtime: device 0 has waves of 32 lanes, device 1 of 64, device 2 of 32 and no matrix
/// instructions.
const GpuApi& Api();

/// One kernel launch.
struct Job {
  Dim3 grid;
  int n_threads = 0;
  size_t shared_bytes = 0;
  std::function<void()> kernel;  ///< runs the calling thread's part
};

/// Launches queued since the program started, on all streams.
uint64_t CountLaunches();

/// Queues a launch on the context's stream. Errors go into the context: a block too large, too much shared memory.
void Enqueue(GpuContext& context, Job job);

// What the kernels' language needs. All refer to the thread of the block that runs now.
extern Dim3 thread_index;
extern Dim3 block_index;
extern Dim3 block_size;
extern Dim3 grid_size;

int WaveSize();
bool HasMatrixInstructions();      ///< the device's
void* SharedMemory(size_t bytes);  ///< REQUIRES: the launch asked for as many
void BlockBarrier();
/// Shows `value` to the other lanes of the wave and returns what they show, by lane: valid until the lane's next call
/// but one.
const uint64_t* Exchange(uint64_t value);

}  // namespace rf::hip::emulation
