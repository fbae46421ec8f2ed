#include "app/devices.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cpu/cpu_device.h"

namespace rf::app {
namespace {

// All devices of one kind that the machine has.
using CreateFunction = Result<DeviceList> (*)(const DeviceOptions& options);

struct Backend {
  std::string_view kind;
  CreateFunction create;  // null: not in this build
};

Result<DeviceList> CreateCpu(const DeviceOptions& options) {
  RF_ASSIGN_OR_RETURN(auto device, cpu::CreateCpuDevice({.n_threads = options.n_threads}));
  DeviceList devices;
  devices.push_back(std::move(device));
  return devices;
}

// Best first. One line for each kind of device.
constexpr Backend kBackends[] = {
    {"hip", nullptr},
    {"cpu", CreateCpu},
};

// "hip:1" taken apart.
struct Choice {
  const Backend* backend = nullptr;
  int index = -1;  // -1: all
};

Error BadName(const std::string& name) {
  std::string kinds = "auto";
  for (const Backend& backend : kBackends) kinds += fmt::format(", {0}, {0}:N", backend.kind);
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("'{}' is no device; it takes one of {}", EscapeForMessage(name, 40), kinds), "--device"};
}

Result<Choice> ParseChoice(const std::string& name) {
  const size_t colon = std::min(name.find(':'), name.size());
  Choice choice;
  for (const Backend& backend : kBackends) {
    if (backend.kind == std::string_view(name).substr(0, colon)) choice.backend = &backend;
  }
  if (choice.backend == nullptr) return BadName(name);
  if (colon < name.size()) {
    const char* end = name.data() + name.size();
    const auto [stopped, failed] = std::from_chars(name.data() + colon + 1, end, choice.index);
    if (failed != std::errc() || stopped != end || choice.index < 0) return BadName(name);
  }
  return choice;
}

Result<DeviceList> CreateNamed(const DeviceOptions& options) {
  RF_ASSIGN_OR_RETURN(const Choice choice, ParseChoice(options.device));
  if (choice.backend->create == nullptr) {
    return Error{ErrorCode::kDevice,
                 fmt::format("this build has no {} devices; use --device auto or --device cpu", choice.backend->kind),
                 "--device " + options.device};
  }
  RF_ASSIGN_OR_RETURN(DeviceList devices, choice.backend->create(options));
  if (choice.index < 0) return devices;
  if (static_cast<size_t>(choice.index) >= devices.size()) {
    return Error{ErrorCode::kDevice,
                 fmt::format("there is no such device; this machine has {} of kind {}, counted from 0", devices.size(),
                             choice.backend->kind),
                 "--device " + options.device};
  }
  DeviceList named;
  named.push_back(std::move(devices[choice.index]));
  return named;
}

// A kind that cannot be used is passed over with a line in the log, unless nothing is left.
Result<DeviceList> CreateAll(const DeviceOptions& options) {
  DeviceList all;
  Error last{ErrorCode::kDevice, "this build has no devices", ""};
  for (const Backend& backend : kBackends) {
    if (backend.create == nullptr) continue;
    auto devices = backend.create(options);
    if (!devices) {
      last = devices.error();
      Log(LogLevel::kDebug, fmt::format("no {} device: {}", backend.kind, last.ToString()));
      continue;
    }
    for (auto& device : *devices) all.push_back(std::move(device));
  }
  if (all.empty()) return last;
  return all;
}

}  // namespace

Result<DeviceList> CreateDevices(const DeviceOptions& options) {
  return options.device == "auto" ? CreateAll(options) : CreateNamed(options);
}

std::vector<Device*> Pointers(const DeviceList& devices) {
  std::vector<Device*> pointers;
  for (const auto& device : devices) pointers.push_back(device.get());
  return pointers;
}

}  // namespace rf::app
