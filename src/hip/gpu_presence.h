// What the operating system knows of AMD GPUs: why a runtime sees none, in words.
#pragma once

#include <filesystem>
#include <string>

namespace rf::hip {

struct GpuPresence {
  bool has_card = false;      ///< a graphics device with AMD's vendor number in /sys/class/drm
  bool has_kfd = false;       ///< /dev/kfd, through which programs compute on AMD GPUs
  bool may_open_kfd = false;  ///< and this process may read and write it

  /// Whether a user would expect a GPU to be used.
  bool IsLikely() const { return has_card || has_kfd; }
};

/// Whether an entry of /sys/class/drm is a graphics device with AMD's vendor number.
bool IsAmdCard(const std::filesystem::path& entry);

/// Looks below `root`, which only tests replace.
GpuPresence LookForAmdGpu(const std::filesystem::path& root = "/");

/// Why HIP finds no device, and what to do: one clause. `visible` is what HIP_VISIBLE_DEVICES or the like says; empty:
/// they are not set.
std::string ExplainNoDevice(const GpuPresence& presence, const std::string& visible);

/// Variables that hide devices from HIP.
inline constexpr const char* kVisibleDevicesVariables[] = {"HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
                                                           "GPU_DEVICE_ORDINAL"};

/// The first of them that is set, as "HIP_VISIBLE_DEVICES='9'"; empty if none is set.
std::string VisibleDevicesVariable();

}  // namespace rf::hip
