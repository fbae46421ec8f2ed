// `devices`: what can run a model here.
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/device_json.h"
#include "app/devices.h"
#include "app/input.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

struct Options {
  bool json = false;
};

std::string OrUnknown(const std::string& version) {
  return version.empty() ? "not known" : EscapeForMessage(version);
}

// What only GPUs have, below their line.
void PrintGpu(const DeviceProperties& gpu) {
  fmt::print("{:<10} waves of {}, {} compute units, {} KiB of LDS for a block, {} memory; driver {}, runtime {}\n", "",
             gpu.wave_size, gpu.n_processors, gpu.shared_bytes / 1024,
             gpu.shares_host_memory ? "the host's" : "its own", OrUnknown(gpu.driver_version),
             OrUnknown(gpu.runtime_version));
}

Status Run(const Options& options) {
  if (options.json) {
    RF_ASSIGN_OR_RETURN(const DeviceList devices, CreateDevices({}));
    auto list = nlohmann::ordered_json::array();
    for (const auto& device : devices) list.push_back(ToJson(device->properties()));
    PrintJson(list);
    return {};
  }
  RF_ASSIGN_OR_RETURN(const FoundDevices found, FindDevices({}));
  fmt::print("{:<10} {:<40} {:<10} {:>7} {:>10} {:>10}\n", "DEVICE", "NAME", "ISA", "THREADS", "MEMORY", "FREE");
  for (const auto& device : found.devices) {
    const DeviceProperties& it = device->properties();
    fmt::print("{:<10} {:<40} {:<10} {:>7} {:>7.1f} GB {:>7.1f} GB\n", it.Label(), it.name, it.isa, it.n_threads,
               static_cast<double>(it.memory_bytes) / 1e9, static_cast<double>(it.free_bytes) / 1e9);
    if (!it.is_host_memory) PrintGpu(it);
  }
  for (const PassedOver& it : found.passed_over) fmt::print("not used: {}\n", it.reason);
  return {};
}

}  // namespace

void AddDevicesCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "devices", "List the devices that can run a model, best first",
      [](CLI::App& command, Options& options) { command.add_flag("--json", options.json, "print a JSON array"); }, Run);
}

}  // namespace rf::app
