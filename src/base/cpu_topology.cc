#include "base/cpu_topology.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace rf {
namespace {

namespace fs = std::filesystem;

// The numbers of a list as the kernel writes it: "0-3,8,10-11".
std::vector<int> ReadList(const fs::path& path) {
  std::ifstream file(path);
  std::vector<int> numbers;
  int first = 0;
  while (file >> first) {
    int last = first;
    if (file.peek() == '-') file.ignore() >> last;
    for (int number = first; number <= last && file; ++number) numbers.push_back(number);
    if (file.peek() == ',') file.ignore();
  }
  return numbers;
}

// The nodes of memory by the kernel's numbers, with the CPUs of each.
std::map<int, std::vector<int>> ReadNodes(const fs::path& root) {
  std::map<int, std::vector<int>> nodes;
  for (const int node : ReadList(root / "sys/devices/system/node/has_cpu")) {
    nodes[node] = ReadList(root / fmt::format("sys/devices/system/node/node{}/cpulist", node));
  }
  return nodes;
}

// What a control group's "cpu.max" allows, "max 100000" or "150000 100000"; 0: all.
double ReadQuota(const fs::path& path) {
  std::ifstream file(path);
  double quota = 0.0;
  double period = 0.0;
  return file >> quota >> period && period > 0.0 ? quota / period : 0.0;
}

// The same of version 1, which has a file for each number and -1 for all.
double ReadOldQuota(const fs::path& folder) {
  double quota = 0.0;
  double period = 0.0;
  std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
  std::ifstream(folder / "cpu.cfs_period_us") >> period;
  return quota > 0.0 && period > 0.0 ? quota / period : 0.0;
}

// Below the mounted control groups: this process's group and all above it limit it.
double ReadCoresAllowed(const fs::path& root) {
  const fs::path groups = root / "sys/fs/cgroup";
  double allowed = ReadOldQuota(groups / "cpu");
  const auto limit_to = [&allowed](double quota) {
    if (quota > 0.0 && (allowed == 0.0 || quota < allowed)) allowed = quota;
  };
  limit_to(ReadQuota(groups / "cpu.max"));
  std::ifstream file(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("0::/", 0) != 0) continue;
    for (fs::path group = line.substr(4); !group.empty(); group = group.parent_path()) {
      limit_to(ReadQuota(groups / group / "cpu.max"));
    }
  }
  return allowed;
}

bool IsTwin(const fs::path& root, int cpu, std::span<const int> usable) {
  const auto siblings = ReadList(root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  return std::any_of(siblings.begin(), siblings.end(), [&](int other) {
    return other < cpu && std::find(usable.begin(), usable.end(), other) != usable.end();
  });
}

// Of each node, its CPUs in the order in which threads take them: one of each core first.
std::vector<std::vector<int>> CpusByNode(const CpuTopology& topology) {
  std::vector<std::vector<int>> nodes(static_cast<size_t>(topology.n_nodes));
  for (const bool twins : {false, true}) {
    for (const CpuTopology::Cpu& cpu : topology.cpus) {
      if (cpu.is_twin == twins) nodes[static_cast<size_t>(cpu.node)].push_back(cpu.id);
    }
  }
  return nodes;
}

}  // namespace

CpuTopology ReadCpuTopology(const fs::path& root, std::span<const int> usable) {
  CpuTopology topology;
  std::map<int, int> node_of;
  int n_nodes = 0;
  for (const auto& [number, cpus] : ReadNodes(root)) {
    bool is_used = false;
    for (const int cpu : cpus) {
      if (std::find(usable.begin(), usable.end(), cpu) == usable.end()) continue;
      node_of[cpu] = n_nodes;
      is_used = true;
    }
    n_nodes += is_used ? 1 : 0;
  }
  topology.n_nodes = std::max(n_nodes, 1);
  for (const int cpu : usable) topology.cpus.push_back({cpu, node_of[cpu], IsTwin(root, cpu, usable)});
  topology.cores_allowed = ReadCoresAllowed(root);
  return topology;
}

CpuTopology ReadCpuTopology() {
  std::vector<int> usable;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) usable.push_back(cpu);
    }
  }
  return ReadCpuTopology("/", usable);
}

int CountThreadsFor(const CpuTopology& topology) {
  const auto n_cores = static_cast<int>(
      std::count_if(topology.cpus.begin(), topology.cpus.end(), [](const auto& cpu) { return !cpu.is_twin; }));
  if (topology.cores_allowed <= 0.0 || topology.cores_allowed >= n_cores) return std::max(n_cores, 1);
  return std::max(static_cast<int>(std::ceil(topology.cores_allowed)), 1);
}

std::vector<ThreadPlace> PlaceThreads(const CpuTopology& topology, int n_threads, bool pins) {
  std::vector<ThreadPlace> places(static_cast<size_t>(n_threads));
  const bool is_too_many = places.size() > topology.cpus.size();
  if (is_too_many || (topology.n_nodes == 1 && !pins)) return places;
  const std::vector<std::vector<int>> nodes = CpusByNode(topology);
  std::vector<size_t> taken(nodes.size());
  size_t node = 0;
  for (ThreadPlace& place : places) {
    while (taken[node] == nodes[node].size()) node = (node + 1) % nodes.size();
    place.node = static_cast<int>(node);
    place.cpus = pins ? std::vector<int>{nodes[node][taken[node]]} : nodes[node];
    ++taken[node];
    node = (node + 1) % nodes.size();
  }
  return places;
}

}  // namespace rf
