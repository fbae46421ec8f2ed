// The CPU as a device.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/cpu_topology.h"
#include "base/result.h"
#include "cpu/precision.h"
#include "device/device.h"

namespace rf::cpu {

struct CpuDeviceOptions {
  int n_threads = 0;  ///< 0: one for each core that this process may use
  std::string isa;    ///< "": as SelectIsa chooses
  /// kBFloat16 has no effect, but for a line in the log, on an instruction set without kernels for it.
  Precision precision = Precision::kExact;
  /// false: products read weights in the file's layout, where a file is mapped without memory of their own; the kernels
  /// for packed ones are not used.
  bool packs_weights = true;
  int n_decode_threads = 0;   ///< of the threads, those that multiply few rows; 0: all
  bool pins_threads = false;  ///< each to a core of its own
  /// Where threads can run; nothing: as the system says. For tests of machines that are not there.
  std::optional<CpuTopology> topology;
};

/// Several CPU devices, with different instruction sets, can live in one process.
/// Errors: kInvalidArgument (threads outside 1..1024, unknown ISA), kUnsupported (the machine lacks it).
Result<std::unique_ptr<Device>> CreateCpuDevice(const CpuDeviceOptions& options);

}  // namespace rf::cpu
