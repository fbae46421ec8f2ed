// What kernels are tested on: a CPU with one instruction set, or a GPU.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/device.h"

namespace rf::conformance {

/// A device with a stream; kept for the whole run.
struct Machine {
  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> stream;
};

/// The machine of an instruction set ("avx2", with a number of threads), with "_bf16" behind it of one that computes
/// many rows in bfloat16 (cpu/precision.h), or of a GPU ("hip:0", "emulated:1"); null where
/// this computer lacks it.
Machine* MachineOf(std::string_view name, int n_threads);

/// All that can be tested: the instruction sets, then the GPUs whose module has been built and finds them.
struct Machines {
  std::vector<std::string> names;    ///< as MachineOf takes them
  std::vector<std::string> missing;  ///< why there are no other GPUs: a line for each kind
};
Machines AllMachines();

/// Whether the name is that of a GPU.
bool IsGpuMachine(std::string_view name);

/// Whether the name is that of a CPU that computes many rows in bfloat16.
bool IsBFloat16Machine(std::string_view name);
/// From how many rows on it does so.
inline constexpr int32_t kBFloat16Rows = 32;

}  // namespace rf::conformance
