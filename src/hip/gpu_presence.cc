#include "hip/gpu_presence.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::hip {
namespace {

namespace fs = std::filesystem;

constexpr char kAmdVendor[] = "0x1002";

bool HasAmdCard(const fs::path& drm) {
  std::error_code error;
  for (fs::directory_iterator entry(drm, error), end; !error && entry != end; entry.increment(error)) {
    if (IsAmdCard(entry->path())) return true;
  }
  return false;
}

}  // namespace

bool IsAmdCard(const fs::path& entry) {
  std::ifstream file(entry / "device" / "vendor");
  std::string vendor;
  return file >> vendor && vendor == kAmdVendor;
}

GpuPresence LookForAmdGpu(const fs::path& root) {
  GpuPresence presence;
  presence.has_card = HasAmdCard(root / "sys/class/drm");
  const fs::path kfd = root / "dev/kfd";
  presence.has_kfd = access(kfd.c_str(), F_OK) == 0;
  presence.may_open_kfd = access(kfd.c_str(), R_OK | W_OK) == 0;
  return presence;
}

std::string ExplainNoDevice(const GpuPresence& presence, const std::string& visible) {
  if (!presence.IsLikely()) return "there is neither /dev/kfd nor an AMD card in /sys/class/drm";
  if (!presence.has_kfd) {
    return "/dev/kfd is missing: load the kernel's amdgpu driver (a container needs /dev/kfd and /dev/dri passed in)";
  }
  if (!presence.may_open_kfd) {
    return "this user may not open /dev/kfd: add them to the group 'render' (and 'video') and log in again";
  }
  if (!visible.empty()) return visible + " hides the GPUs: unset it or name one that exists";
  return "the driver is there, but no GPU that this ROCm supports (`rocminfo` lists what it sees)";
}

std::string VisibleDevicesVariable() {
  for (const char* name : kVisibleDevicesVariables) {
    const char* value = std::getenv(name);
    if (value != nullptr) return fmt::format("{}='{}'", name, EscapeForMessage(value, 40));
  }
  return "";
}

}  // namespace rf::hip
