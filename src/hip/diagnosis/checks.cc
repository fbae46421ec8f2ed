#include "hip/diagnosis/checks.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/utf8.h"
#include "hip/gpu_presence.h"
#include "hip/hip_device.h"

namespace rf::hip {
namespace {

constexpr size_t kShownBytes = 80;  // of a variable

std::string Gigabytes(uint64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

// Collects checks. What is missing on a machine that has an AMD card is a failure, elsewhere only worth knowing.
class Diagnosis {
 public:
  explicit Diagnosis(bool has_gpu) : has_gpu_(has_gpu) {}

  void Ok(std::string name, std::string detail) { Add(std::move(name), CheckStatus::kOk, std::move(detail), ""); }
  void Warn(std::string name, std::string detail, std::string advice) {
    Add(std::move(name), CheckStatus::kWarn, std::move(detail), std::move(advice));
  }
  void Missing(std::string name, std::string detail, std::string advice) {
    Add(std::move(name), has_gpu_ ? CheckStatus::kFail : CheckStatus::kWarn, std::move(detail),
        has_gpu_ ? std::move(advice) : "nothing, unless this machine should have an AMD GPU");
  }
  std::vector<Check> Take() { return std::move(checks_); }

 private:
  void Add(std::string name, CheckStatus status, std::string detail, std::string advice) {
    checks_.push_back({std::move(name), status, std::move(detail), std::move(advice)});
  }

  bool has_gpu_;
  std::vector<Check> checks_;
};

std::string ListFirmware(const DrmCard& card) {
  std::string list;
  for (const auto& [name, version] : card.firmware) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", EscapeForMessage(name, kShownBytes),
                        EscapeForMessage(version, kShownBytes));
  }
  return list;
}

void CheckCards(const SystemFacts& system, Diagnosis& found) {
  if (system.cards.empty()) {
    return found.Missing("card", "no AMD card in /sys/class/drm",
                         "a container or virtual machine needs the card passed in");
  }
  for (const DrmCard& card : system.cards) {
    found.Ok("card", fmt::format("{}: AMD device {}, {} of its own memory, up to {} of the host's", card.name,
                                 card.device_id, Gigabytes(card.vram_bytes), Gigabytes(card.gtt_bytes)));
    if (!card.firmware.empty()) found.Ok("firmware", card.name + ": " + ListFirmware(card));
  }
}

void CheckDriver(const SystemFacts& system, Diagnosis& found) {
  const std::string kernel = system.kernel.empty() ? "" : ", kernel " + system.kernel;
  const std::string version = system.driver.empty() ? "" : " " + EscapeForMessage(system.driver, kShownBytes);
  if (system.has_driver) return found.Ok("driver", fmt::format("amdgpu{} is loaded{}", version, kernel));
  found.Missing("driver", "the kernel's driver amdgpu is not loaded" + kernel,
                "sudo modprobe amdgpu; if that fails, `sudo dmesg | grep amdgpu` says why (often missing firmware)");
}

void CheckFile(const std::string& name, const DeviceFile& file, Diagnosis& found) {
  if (file.may_open) return found.Ok(name, file.path + " can be opened");
  found.Missing(name, fmt::format("this user may not open {}, which belongs to the group '{}'", file.path, file.group),
                fmt::format("sudo usermod -aG {} $USER, then log in again (a container: --group-add {})", file.group,
                            file.group));
}

void CheckFiles(const SystemFacts& system, Diagnosis& found) {
  constexpr char kPassIn[] = "load amdgpu; a container needs --device /dev/kfd --device /dev/dri";
  if (system.kfd.empty()) found.Missing("kfd", "/dev/kfd, through which programs compute, is missing", kPassIn);
  for (const DeviceFile& file : system.kfd) CheckFile("kfd", file, found);
  if (system.render.empty()) found.Missing("render", "there is no /dev/dri/renderD*", kPassIn);
  for (const DeviceFile& file : system.render) CheckFile("render", file, found);
}

// The kernel knows each GPU's target before any runtime is asked.
void CheckTargets(const SystemFacts& system, const RuntimeFacts& runtime, Diagnosis& found) {
  for (const KfdNode& node : system.nodes) {
    const std::string detail = fmt::format("the kernel's driver has a {} with {} SIMDs", node.gfx, node.n_simds);
    if (!runtime.module_error.empty() ||
        HasCodeFor(runtime.targets.empty() ? nullptr : runtime.targets.c_str(), node.gfx)) {
      found.Ok("target", detail);
      continue;
    }
    found.Missing("target", fmt::format("{}; the module holds code for {}", detail, runtime.targets),
                  fmt::format("configure with -DRF_HIP_ARCHS={} and build again", node.gfx));
  }
}

void CheckSettings(const std::vector<Setting>& settings, Diagnosis& found) {
  for (const Setting& setting : settings) {
    const std::string detail = fmt::format("{}='{}'", setting.name, EscapeForMessage(setting.value, kShownBytes));
    if (setting.name == "HSA_OVERRIDE_GFX_VERSION") {
      found.Warn("override", detail + ": the runtime takes every GPU for that one",
                 "unset it if the GPU has a target of its own in the module; code for another may compute nonsense");
    } else {
      found.Warn("visible", detail + " chooses the GPUs that are seen", "unset it if one is missing");
    }
  }
}

void CheckRuntime(const SystemFacts& system, const RuntimeFacts& runtime, Diagnosis& found) {
  const std::string rocm = system.rocm.empty() ? "no /opt/rocm" : "ROCm " + system.rocm;
  if (!runtime.module_error.empty()) {
    found.Missing("module", fmt::format("{} ({})", runtime.module_error, rocm),
                  "build with -DRF_GPU=hip where a HIP compiler is, and install ROCm's runtime (package libamdhip64)");
    return;
  }
  found.Ok("module", fmt::format("opened, with {} ({})", runtime.runtime, rocm));
  if (!runtime.devices_error.empty()) found.Missing("devices", runtime.devices_error, "see the checks before this one");
}

void CheckDevices(const RuntimeFacts& runtime, Diagnosis& found) {
  for (const RuntimeDevice& device : runtime.devices) {
    if (!device.refusal.empty()) {
      found.Missing("device", fmt::format("{} is not used: {}", device.label, device.refusal),
                    "the CPU is used meanwhile; please report this");
      continue;
    }
    found.Ok("device", fmt::format("{} ({} {}) passed its self-tests", device.label, device.name, device.arch));
    if (!device.runtime_version.empty()) {
      found.Ok("versions", fmt::format("{}: driver {}, runtime {}", device.label,
                                       device.driver_version.empty() ? "not known" : device.driver_version,
                                       device.runtime_version));
    }
    const std::string memory =
        fmt::format("{}: {} of {} are free", device.label, Gigabytes(device.free_bytes), Gigabytes(device.total_bytes));
    if (device.free_bytes * 4 >= device.total_bytes) {
      found.Ok("memory", memory);
    } else {
      found.Warn("memory", memory, "close what else uses the GPU (`rocm-smi --showpids`)");
    }
  }
}

}  // namespace

const char* NameOf(CheckStatus status) {
  return status == CheckStatus::kOk ? "ok" : status == CheckStatus::kWarn ? "warn" : "fail";
}

std::vector<Setting> ReadSettings() {
  std::vector<Setting> settings;
  const auto read = [&](const char* name) {
    if (const char* value = std::getenv(name); value != nullptr) settings.push_back({name, value});
  };
  read("HSA_OVERRIDE_GFX_VERSION");
  for (const char* name : kVisibleDevicesVariables) read(name);
  return settings;
}

std::vector<Check> CheckGpu(const SystemFacts& system, const RuntimeFacts& runtime,
                            const std::vector<Setting>& settings) {
  Diagnosis found(!system.cards.empty() || !system.kfd.empty());
  CheckCards(system, found);
  CheckDriver(system, found);
  CheckFiles(system, found);
  CheckSettings(settings, found);
  CheckRuntime(system, runtime, found);
  CheckTargets(system, runtime, found);
  CheckDevices(runtime, found);
  return found.Take();
}

}  // namespace rf::hip
