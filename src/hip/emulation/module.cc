// The emulator as a module that the program opens at run time.
#include <unistd.h>

#include "hip/emulation/emulator.h"
#include "hip/gpu_fault.h"

extern "C" __attribute__((visibility("default"))) const rf::hip::GpuApi* RocmforgeGpuApi() {
  return &rf::hip::emulation::Api();
}

// A kernel of the emulator is code of this process.
extern "C" __attribute__((visibility("default"))) int RocmforgeGpuFault(int32_t, rf::hip::GpuFault fault) {
  if (fault == rf::hip::GpuFault::kNeverEnd) {
    for (;;) pause();
  }
  int* volatile nowhere = nullptr;
  *static_cast<volatile int*>(nowhere) = 1;
  return 0;
}
