// Where a thread of a pool runs.
#pragma once

#include <vector>

namespace rf {

struct ThreadPlace {
  int node = 0;           ///< of memory: the pool gives it the tasks of that node first
  std::vector<int> cpus;  ///< ids of the CPUs that it may run on; none: wherever the system likes
};

}  // namespace rf
