#include "cpu/host_memory.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace rf::cpu {
namespace {

constexpr uint64_t kKiB = 1024;

// The number in a file of one number; 0 if there is none ("max", no such file).
uint64_t ReadNumber(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : 0;
}

}  // namespace

HostMemory ReadHostMemory() {
  HostMemory memory;
  std::ifstream file("/proc/meminfo");
  std::string key;
  uint64_t kib = 0;
  std::string unit;
  while (file >> key >> kib && std::getline(file, unit)) {
    if (key == "MemTotal:") memory.total_bytes = kib * kKiB;
    if (key == "MemAvailable:") memory.available_bytes = kib * kKiB;
  }
  const uint64_t limit = ReadNumber("/sys/fs/cgroup/memory.max");
  if (limit != 0) {
    const uint64_t used = ReadNumber("/sys/fs/cgroup/memory.current");
    memory.total_bytes = std::min(memory.total_bytes, limit);
    memory.available_bytes = std::min(memory.available_bytes, limit > used ? limit - used : 0);
  }
  return memory;
}

}  // namespace rf::cpu
