// Which CPUs this process may use and how they lie: cores, and nodes of memory (NUMA).
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/thread_place.h"

namespace rf {

struct CpuTopology {
  struct Cpu {
    int id = 0;
    int node = 0;          ///< of memory, by position in [0, n_nodes)
    bool is_twin = false;  ///< a usable CPU with a smaller id is a thread of the same core
  };
  std::vector<Cpu> cpus;     ///< those that may be used, by id
  int n_nodes = 1;           ///< that have a usable CPU
  double cores_allowed = 0;  ///< processor time that the control group allows in a time; 0: all
};

/// Reads /sys/devices/system and the control group's limit below `root`. What is not there is taken for one node, for a
/// core for each CPU, and for no limit. `usable`: ids of the CPUs that the process may run on, ascending.
CpuTopology ReadCpuTopology(const std::filesystem::path& root, std::span<const int> usable);
/// Of this machine, for this process.
CpuTopology ReadCpuTopology();

/// A thread for each core, as two on one share its arithmetic units, but no more than the control group lets run at a
/// time, rounded up. At least 1.
int CountThreadsFor(const CpuTopology& topology);

/// Where n_threads threads run: dealt out to the nodes in turn, so that the first few of them use all nodes too. One to
/// a core first. `pins`: each on a CPU of its own. Otherwise each anywhere on its node, and with one node wherever the
/// system likes; also if there are more threads than CPUs.
std::vector<ThreadPlace> PlaceThreads(const CpuTopology& topology, int n_threads, bool pins);

}  // namespace rf
