// What Linux says about AMD GPUs and who may use them: the files below /sys and /dev that `doctor` reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace rf::hip {

/// An AMD graphics device in /sys/class/drm.
struct DrmCard {
  std::string name;         ///< "card0"
  std::string device_id;    ///< PCI id: "0x744c"
  uint64_t vram_bytes = 0;  ///< of its own; 0: not said
  uint64_t gtt_bytes = 0;   ///< host memory that it may use
  /// Parts of its firmware by name, with their versions as the driver gives them: {"smc", "0x004e8100"}.
  std::vector<std::pair<std::string, std::string>> firmware;
};

/// A GPU in the topology of the kernel's compute driver (KFD).
struct KfdNode {
  std::string gfx;  ///< "gfx1100"
  int n_simds = 0;
};

/// A file that programs must open to compute on a GPU.
struct DeviceFile {
  std::string path;
  std::string group;  ///< that owns it; its number where it has no name
  bool may_open = false;
};

struct SystemFacts {
  std::string kernel;              ///< release: "6.12.9"; empty: not known
  bool has_driver = false;         ///< amdgpu is loaded
  std::string driver;              ///< its version, of drivers that AMD ships; empty: the kernel's own
  std::vector<DrmCard> cards;      ///< by name
  std::vector<KfdNode> nodes;      ///< GPUs only
  std::vector<DeviceFile> kfd;     ///< /dev/kfd, or nothing
  std::vector<DeviceFile> render;  ///< /dev/dri/renderD*
  std::string rocm;                ///< version in /opt/rocm/.info/version; empty: no such file
};

/// Looks below `root`, which only tests replace. What cannot be read is left out.
SystemFacts ReadSystemFacts(const std::filesystem::path& root = "/");

/// The name of a target from KFD's gfx_target_version: 110003 is gfx1103, 90010 gfx90a.
std::string GfxName(int64_t version);

}  // namespace rf::hip
