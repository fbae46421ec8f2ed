// The emulator as a module that the program opens at run time.
#include "hip/emulation/emulator.h"

extern "C" __attribute__((visibility("default"))) const rf::hip::GpuApi* RocmforgeGpuApi() {
  return &rf::hip::emulation::Api();
}
