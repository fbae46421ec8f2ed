#include "app/devices.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cpu/cpu_device.h"
#include "engine/parity.h"
#include "hip/gpu_presence.h"
#include "hip/hip_device.h"
#include "hip/module.h"

namespace rf::app {
namespace {

struct Backend {
  std::string_view kind;
  bool is_gpu;
  bool is_automatic;  // used without being named
  Result<int32_t> (*count)(const Backend& backend);
  Result<std::unique_ptr<Device>> (*create)(const Backend& backend, int32_t index, const DeviceOptions& options);
};

Result<int32_t> CountCpus(const Backend&) {
  return 1;
}

Result<std::unique_ptr<Device>> CreateCpu(const DeviceOptions& options) {
  return cpu::CreateCpuDevice({.n_threads = options.n_threads,
                               .isa = options.cpu_isa,
                               .precision = options.cpu_precision,
                               .packs_weights = options.cpu_packs_weights,
                               .n_decode_threads = options.n_decode_threads,
                               .pins_threads = options.pins_threads});
}

Result<std::unique_ptr<Device>> CreateCpuOf(const Backend&, int32_t, const DeviceOptions& options) {
  return CreateCpu(options);
}

Result<int32_t> CountGpus(const Backend& backend) {
  RF_ASSIGN_OR_RETURN(const hip::GpuApi* api, hip::OpenModule(hip::DefaultSearch(backend.kind)));
  return hip::CountDevices(*api, hip::LookForAmdGpu());
}

Result<std::unique_ptr<Device>> CreateGpu(const Backend& backend, int32_t index, const DeviceOptions& options) {
  RF_ASSIGN_OR_RETURN(const hip::GpuApi* api, hip::OpenModule(hip::DefaultSearch(backend.kind)));
  RF_ASSIGN_OR_RETURN(auto device, hip::CreateHipDevice(*api, std::string(backend.kind), index));
  if (!options.self_test) return device;
  RF_ASSIGN_OR_RETURN(const auto reference, cpu::CreateCpuDevice({.n_threads = 1, .isa = "reference"}));
  RF_RETURN_IF_ERROR(CheckParity(*device, *reference));
  return device;
}

// Best first. One line for each kind of device. The emulator is for tests: slow, and never a GPU's silent substitute.
constexpr Backend kBackends[] = {
    {"hip", true, true, CountGpus, CreateGpu},
    {"emulated", true, false, CountGpus, CreateGpu},
    {"cpu", false, true, CountCpus, CreateCpuOf},
};

// "hip:1" taken apart.
struct Choice {
  const Backend* backend = nullptr;
  int32_t index = -1;  // -1: all
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

// Collects devices; one that cannot be used is passed over, unless nothing is left.
class Search {
 public:
  explicit Search(const DeviceOptions& options) : options_(options) {}

  void AddAllOf(const Backend& backend) {
    const auto count = backend.count(backend);
    if (!count) return PassOver(backend, count.error(), false);
    for (int32_t index = 0; index < *count; ++index) {
      auto device = backend.create(backend, index, options_);
      if (device) {
        found_.devices.push_back(std::move(*device));
      } else {
        PassOver(backend, device.error(), true);
      }
    }
  }

  Result<FoundDevices> Finish() && {
    if (found_.devices.empty()) return last_;
    return std::move(found_);
  }

 private:
  void PassOver(const Backend& backend, const Error& error, bool is_present) {
    last_ = error;
    const bool names_device = !error.where.empty();
    found_.passed_over.push_back(
        {names_device ? error.ToString() : fmt::format("{}: {}", backend.kind, error.message), is_present});
  }

  const DeviceOptions& options_;
  FoundDevices found_;
  Error last_{ErrorCode::kDevice, "this build has no devices", ""};
};

Result<FoundDevices> FindAutomatic(const DeviceOptions& options) {
  Search search(options);
  for (const Backend& backend : kBackends) {
    if (backend.is_automatic && (backend.is_gpu || !options.require_gpu)) search.AddAllOf(backend);
  }
  return std::move(search).Finish();
}

Result<FoundDevices> FindNamed(const DeviceOptions& options) {
  RF_ASSIGN_OR_RETURN(const Choice choice, ParseChoice(options.device));
  const Backend& backend = *choice.backend;
  const std::string where = "--device " + options.device;
  if (options.require_gpu && !backend.is_gpu) {
    return Error{ErrorCode::kInvalidArgument, "is no GPU, and --require-gpu wants one", where};
  }
  if (choice.index < 0) {
    Search search(options);
    search.AddAllOf(backend);
    return std::move(search).Finish();
  }
  RF_ASSIGN_OR_RETURN(const int32_t count, backend.count(backend));
  if (choice.index >= count) {
    return Error{
        ErrorCode::kDevice,
        fmt::format("there is no such device; this machine has {} of kind {}, counted from 0", count, backend.kind),
        where};
  }
  FoundDevices found;
  RF_ASSIGN_OR_RETURN(auto device, backend.create(backend, choice.index, options));
  found.devices.push_back(std::move(device));
  return found;
}

// If there is none yet.
Status AddCpu(const DeviceOptions& options, FoundDevices& found) {
  if (found.devices.back()->properties().is_host_memory) return {};
  RF_ASSIGN_OR_RETURN(auto cpu, CreateCpu(options));
  found.devices.push_back(std::move(cpu));
  return {};
}

}  // namespace

Result<FoundDevices> FindDevices(const DeviceOptions& options) {
  auto found = options.device == "auto" ? FindAutomatic(options) : FindNamed(options);
  if (found && options.adds_cpu) RF_RETURN_IF_ERROR(AddCpu(options, *found));
  if (!found && options.require_gpu && found.error().code == ErrorCode::kDevice) {
    found.error().message += " (--require-gpu: the CPU is not used instead)";
  }
  return found;
}

bool MayGiveGpu(const DeviceOptions& options) {
  if (options.device != "auto") {
    const auto choice = ParseChoice(options.device);
    return choice && choice->backend->is_gpu;
  }
  return std::any_of(std::begin(kBackends), std::end(kBackends), [](const Backend& backend) {
    const hip::ModuleSearch search = hip::DefaultSearch(backend.kind);
    const bool is_likely = !search.override_path.empty() || hip::LookForAmdGpu().IsLikely();
    return backend.is_gpu && backend.is_automatic && is_likely && hip::HasModule(search);
  });
}

Result<DeviceList> CreateDevices(const DeviceOptions& options) {
  RF_ASSIGN_OR_RETURN(FoundDevices found, FindDevices(options));
  const LogLevel of_none = hip::LookForAmdGpu().IsLikely() ? LogLevel::kInfo : LogLevel::kDebug;
  for (const PassedOver& it : found.passed_over) {
    Log(it.is_present ? LogLevel::kWarning : of_none, "not used: " + it.reason);
  }
  return std::move(found.devices);
}

Status FailDevice(const DeviceProperties& device, bool never_ends) {
  const hip::GpuFault fault = never_ends ? hip::GpuFault::kNeverEnd : hip::GpuFault::kWriteNowhere;
  return hip::RunFault(hip::DefaultSearch(device.kind), device.index, fault);
}

std::vector<Device*> Pointers(const DeviceList& devices) {
  std::vector<Device*> pointers;
  for (const auto& device : devices) pointers.push_back(device.get());
  return pointers;
}

std::string ShortDescription(const DeviceProperties& device) {
  const std::string name = fmt::format("{} {}", device.Label(), device.isa);
  return device.n_threads > 0 ? fmt::format("{}, {} threads", name, device.n_threads) : name;
}

std::string ShortDescription(std::span<const PartInfo> parts) {
  std::string all;
  for (const PartInfo& part : parts) all += (all.empty() ? "" : " + ") + ShortDescription(part.device);
  return all;
}

}  // namespace rf::app
