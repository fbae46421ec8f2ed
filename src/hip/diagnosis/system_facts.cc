#include "hip/diagnosis/system_facts.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "hip/gpu_presence.h"

namespace rf::hip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxEntries = 1024;  // of a folder

std::string FirstWord(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::optional<int64_t> NumberIn(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

uint64_t BytesIn(const fs::path& path) {
  return static_cast<uint64_t>(std::max<int64_t>(0, NumberIn(FirstWord(path)).value_or(0)));
}

// A folder's entries whose names begin so, in order.
std::vector<fs::path> EntriesOf(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().rfind(prefix, 0) == 0) entries.push_back(entry->path());
    if (entries.size() == kMaxEntries) break;
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// fw_version/smc_fw_version holds the version of "smc". What a card has not is 0.
std::vector<std::pair<std::string, std::string>> ReadFirmware(const fs::path& folder) {
  constexpr std::string_view kSuffix = "_fw_version";
  std::vector<std::pair<std::string, std::string>> firmware;
  for (const fs::path& file : EntriesOf(folder, "")) {
    std::string name = file.filename().string();
    if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
    std::string version = FirstWord(file);
    if (version.empty() || version.find_first_not_of("0x") == std::string::npos) continue;
    firmware.emplace_back(std::move(name), std::move(version));
  }
  return firmware;
}

std::vector<DrmCard> ReadCards(const fs::path& drm) {
  std::vector<DrmCard> cards;
  for (const fs::path& card : EntriesOf(drm, "card")) {
    const fs::path device = card / "device";
    // Outputs ("card0-HDMI-A-1") have no vendor of their own.
    if (!IsAmdCard(card)) continue;
    cards.push_back({card.filename().string(), FirstWord(device / "device"), BytesIn(device / "mem_info_vram_total"),
                     BytesIn(device / "mem_info_gtt_total"), ReadFirmware(device / "fw_version")});
  }
  return cards;
}

// The value behind a name in lines of "name value".
int64_t PropertyIn(const fs::path& path, const std::string& wanted) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    int64_t value = 0;
    if (words >> name >> value && name == wanted) return value;
  }
  return 0;
}

std::vector<KfdNode> ReadNodes(const fs::path& nodes) {
  std::vector<KfdNode> gpus;
  for (const fs::path& node : EntriesOf(nodes, "")) {
    const int64_t version = PropertyIn(node / "properties", "gfx_target_version");  // 0 for CPUs
    if (version <= 0) continue;
    gpus.push_back({GfxName(version), static_cast<int>(PropertyIn(node / "properties", "simd_count"))});
  }
  return gpus;
}

std::string GroupName(gid_t id) {
  const group* entry = getgrgid(id);
  return entry != nullptr ? entry->gr_name : fmt::format("{}", id);
}

void AddDeviceFile(const fs::path& path, const std::string& name, std::vector<DeviceFile>& files) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return;
  files.push_back({name, GroupName(status.st_gid), access(path.c_str(), R_OK | W_OK) == 0});
}

}  // namespace

std::string GfxName(int64_t version) {
  return fmt::format("gfx{}{}{:x}", version / 10000, version / 100 % 100, version % 100);
}

SystemFacts ReadSystemFacts(const fs::path& root) {
  SystemFacts facts;
  facts.kernel = FirstWord(root / "proc/sys/kernel/osrelease");
  std::error_code error;
  facts.has_driver = fs::exists(root / "sys/module/amdgpu", error);
  facts.driver = FirstWord(root / "sys/module/amdgpu/version");
  facts.cards = ReadCards(root / "sys/class/drm");
  facts.nodes = ReadNodes(root / "sys/class/kfd/kfd/topology/nodes");
  AddDeviceFile(root / "dev/kfd", "/dev/kfd", facts.kfd);
  for (const fs::path& path : EntriesOf(root / "dev/dri", "renderD")) {
    AddDeviceFile(path, "/dev/dri/" + path.filename().string(), facts.render);
  }
  facts.rocm = FirstWord(root / "opt/rocm/.info/version");
  return facts;
}

}  // namespace rf::hip
