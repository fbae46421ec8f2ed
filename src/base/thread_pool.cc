#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/cpu_relax.h"
#include "base/log.h"
#include "base/thread_place.h"
#include "base/thread_pool_counts.h"

namespace rf {
namespace {

// How long a worker looks for the next call before it parks: about 50 us, longer than the gap between two kernels of a
// step.
constexpr int kSpins = 4000;

std::atomic<uint64_t> n_shared_runs{0};

// Lets the calling thread run on some CPUs only. Where that is refused it runs elsewhere, more slowly.
void BindThread(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  sched_setaffinity(0, sizeof(set), &set);
}

// Of a region's tasks, where the share of a node begins; of the one behind the last, where the region ends.
int64_t BeginOfShare(int64_t begin, int64_t end, int64_t node, int64_t n_nodes) {
  return begin + (end - begin) * node / n_nodes;
}

}  // namespace

uint64_t CountSharedRuns() {
  return n_shared_runs.load(std::memory_order_relaxed);
}

// One call of Run() is one generation. Workers join a generation by adding themselves to `gate`, take tasks from
// `nodes`, and leave. Run() returns when all tasks are done and nobody is active, so that a late worker can never see
// the next call's fields half-written.
struct ThreadPool::Shared {
  // A node's tasks of one call, on a cache line of its own.
  struct alignas(64) NodeTasks {
    std::atomic<int64_t> next{0};
    int64_t count = 0;
  };

  std::atomic<uint32_t> generation{0};  // changes once for each call; workers wait on it
  std::atomic<bool> stop{false};

  // The call's fields: written before `open` is set, read only while it is.
  Task task = nullptr;
  void* context = nullptr;
  TaskRegions regions;
  int64_t n_tasks = 0;
  int n_allowed = 0;  // threads that may take part
  std::vector<NodeTasks> nodes;

  // Bit 31: the call is open for workers to join; the rest: workers inside.
  std::atomic<uint32_t> gate{0};

  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<ThreadPlace> places;
  std::vector<std::thread> workers;

  Shared(const ThreadPlace* first, int n_threads) : places(first, first + n_threads) {
    int n_nodes = 1;
    for (const ThreadPlace& place : places) n_nodes = std::max(n_nodes, place.node + 1);
    nodes = std::vector<NodeTasks>(static_cast<size_t>(n_nodes));
    workers.reserve(static_cast<size_t>(n_threads) - 1);
  }

  static constexpr uint32_t kOpen = 1u << 31;

  // False if the call has been closed already.
  bool Enter() {
    uint32_t seen = gate.load(std::memory_order_acquire);
    while ((seen & kOpen) != 0) {
      if (gate.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  void Leave() { gate.fetch_sub(1, std::memory_order_acq_rel); }

  int64_t EndOfRegion(int64_t region) const { return regions.end == nullptr ? n_tasks : regions.end(context, region); }

  // Deals the tasks out to the nodes, a share of each region to each.
  void Deal() {
    const auto n_nodes = static_cast<int64_t>(nodes.size());
    for (NodeTasks& node : nodes) {
      node.count = 0;
      node.next.store(0, std::memory_order_relaxed);
    }
    int64_t begin = 0;
    for (int64_t region = 0; region < regions.n_regions; ++region) {
      const int64_t end = EndOfRegion(region);
      for (int64_t k = 0; k < n_nodes; ++k) {
        nodes[static_cast<size_t>(k)].count +=
            BeginOfShare(begin, end, k + 1, n_nodes) - BeginOfShare(begin, end, k, n_nodes);
      }
      begin = end;
    }
  }

  // The i-th task of a node.
  int64_t TaskOf(int64_t node, int64_t i) const {
    const auto n_nodes = static_cast<int64_t>(nodes.size());
    if (n_nodes == 1) return i;
    int64_t begin = 0;
    for (int64_t region = 0;; ++region) {
      const int64_t end = EndOfRegion(region);
      const int64_t first = BeginOfShare(begin, end, node, n_nodes);
      const int64_t count = BeginOfShare(begin, end, node + 1, n_nodes) - first;
      if (i < count) return first + i;
      i -= count;
      begin = end;
    }
  }

  void TakeTasksOf(int64_t node, int thread) {
    NodeTasks& tasks = nodes[static_cast<size_t>(node)];
    for (;;) {
      const int64_t i = tasks.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= tasks.count) return;
      try {
        task(context, TaskOf(node, i), thread);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
  }

  // Those of the thread's own node, then what others have left.
  void TakeTasks(int thread) {
    const auto n_nodes = static_cast<int64_t>(nodes.size());
    const int64_t own = places[static_cast<size_t>(thread)].node;
    for (int64_t i = 0; i < n_nodes; ++i) TakeTasksOf((own + i) % n_nodes, thread);
  }

  // Spins for a while, then sleeps until the generation moves on from `seen`.
  void WaitForCall(uint32_t seen) {
    for (int i = 0; i < kSpins; ++i) {
      if (generation.load(std::memory_order_acquire) != seen) return;
      CpuRelax();
    }
    generation.wait(seen, std::memory_order_acquire);
  }

  void WorkerLoop(int thread) {
    BindThread(places[static_cast<size_t>(thread)].cpus);
    uint32_t seen = 0;
    for (;;) {
      WaitForCall(seen);
      if (stop.load(std::memory_order_acquire)) return;
      seen = generation.load(std::memory_order_acquire);
      if (!Enter()) continue;
      if (thread < n_allowed) TakeTasks(thread);
      Leave();
    }
  }
};

ThreadPool::ThreadPool(int n_threads)
    : ThreadPool(std::vector<ThreadPlace>(static_cast<size_t>(std::max(n_threads, 1))).data(), n_threads) {}

ThreadPool::ThreadPool(const ThreadPlace* places, int n_threads) : n_threads_(1), shared_(nullptr) {
  RF_CHECK(n_threads >= 1 && n_threads <= 1024);
  auto shared = std::make_unique<Shared>(places, n_threads);
  try {
    for (; n_threads_ < n_threads; ++n_threads_) {
      shared->workers.emplace_back([shared = shared.get(), i = n_threads_] { shared->WorkerLoop(i); });
    }
  } catch (const std::exception& error) {  // too many threads or too little memory; those that run are enough
    Log(LogLevel::kWarning,
        fmt::format("only {} of {} threads could be started: {}", n_threads_, n_threads, error.what()));
  }
  shared_ = shared.release();
}

ThreadPool::~ThreadPool() {
  shared_->stop.store(true, std::memory_order_release);
  shared_->generation.fetch_add(1, std::memory_order_acq_rel);
  shared_->generation.notify_all();
  for (std::thread& worker : shared_->workers) worker.join();
  delete shared_;
}

void ThreadPool::Run(int64_t n_tasks, Task task, void* context, const TaskRegions& regions, int most_threads) {
  Shared& shared = *shared_;
  shared.task = task;
  shared.context = context;
  shared.regions = regions;
  shared.n_tasks = n_tasks;
  shared.n_allowed = most_threads == 0 ? n_threads_ : most_threads;
  shared.Deal();
  if (std::min(n_threads_, shared.n_allowed) > 1 && n_tasks > 1) {
    n_shared_runs.fetch_add(1, std::memory_order_relaxed);
    shared.gate.store(Shared::kOpen, std::memory_order_release);
    shared.generation.fetch_add(1, std::memory_order_acq_rel);
    shared.generation.notify_all();
  }
  shared.TakeTasks(0);
  shared.gate.fetch_and(~Shared::kOpen, std::memory_order_acq_rel);
  // Others may still be in their last task. Yield after a while: with fewer cores than threads they need this one.
  for (int i = 0; shared.gate.load(std::memory_order_acquire) != 0; ++i) {
    if (i < kSpins) {
      CpuRelax();
    } else {
      std::this_thread::yield();
    }
  }
  if (shared.error) std::rethrow_exception(std::exchange(shared.error, nullptr));
}

}  // namespace rf
