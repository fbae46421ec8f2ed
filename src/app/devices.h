// The devices of this build, best first: the one place that names the folders that implement device/device.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cpu/precision.h"
#include "device/device.h"
#include "plan/plan_part.h"

namespace rf::app {

/// What the command line says about devices.
struct DeviceOptions {
  std::string device = "auto";  ///< "auto", or a kind, or "kind:n" for its n-th device (from 0)
  int n_threads = 0;            ///< CPU threads; 0: one for each core that this process may use
  int n_decode_threads = 0;     ///< of them, those that decode; 0: all
  bool pins_threads = false;    ///< each CPU thread to a core of its own
  std::string cpu_isa;          ///< the CPU's instruction set; "": as cpu::SelectIsa chooses
  cpu::Precision cpu_precision = cpu::Precision::kExact;
  bool cpu_packs_weights = true;
  bool require_gpu = false;  ///< GPUs only: nothing runs on the CPU instead
  bool self_test = true;     ///< a GPU must compute a small model as the CPU does (CheckParity)
  bool adds_cpu = false;     ///< the CPU comes last whatever else is said: for layers that are not on a GPU
};

using DeviceList = std::vector<std::unique_ptr<Device>>;

/// Why a device, or all of a kind, is not used.
struct PassedOver {
  std::string reason;       ///< "hip: why not", one sentence
  bool is_present = false;  ///< the machine has the device: its owner wants to know
};

/// Devices, and why others that were looked for are not among them.
struct FoundDevices {
  DeviceList devices;
  std::vector<PassedOver> passed_over;
};

/// The devices that may run a model, in order of preference: all of them for "auto" (but for the emulated ones),
/// otherwise the named ones. Never empty. Errors: kInvalidArgument for a name of another form (the message lists the
/// kinds) or a CPU with require_gpu; kDevice for a device that this build or the machine lacks, or that fails its test;
/// those of creating a device.
Result<FoundDevices> FindDevices(const DeviceOptions& options);

/// Whether CreateDevices() may give a GPU, so far as that can be told without any GPU runtime in this process.
bool MayGiveGpu(const DeviceOptions& options);

/// As FindDevices(); what was passed over goes to the log: for people to see where this machine seems to have a GPU.
Result<DeviceList> CreateDevices(const DeviceOptions& options);

/// Makes a GPU fail as hip::RunFault() does, for tests. Errors: kDevice if it is none, or cannot.
Status FailDevice(const DeviceProperties& device, bool never_ends);

/// Plain pointers to the devices, as the engine wants them.
std::vector<Device*> Pointers(const DeviceList& devices);

/// "cpu avx2, 8 threads" or "hip:0 gfx1100".
std::string ShortDescription(const DeviceProperties& device);

/// That of all devices of a plan: "cpu avx2, 8 threads + hip:0 gfx1100".
std::string ShortDescription(std::span<const PartInfo> parts);

}  // namespace rf::app
