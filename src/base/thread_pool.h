// The engine's one pool of worker threads. Plain interface, so that per-ISA kernel sources may include it.
#pragma once

#include <cstdint>

namespace rf {

struct ThreadPlace;

/// How a kernel's tasks follow the memory that they read. Tasks come in regions one after another; what the tasks of
/// one read was written by as many tasks or as many times fewer or more, of a region of its own. So where memory has
/// several nodes, each node's threads are given the same share of each region.
struct TaskRegions {
  int64_t n_regions = 1;
  /// The number of the task behind the region's last; null: there is one region, with all tasks.
  int64_t (*end)(const void* context, int64_t region) = nullptr;
};

/// Runs the tasks of one kernel at a time over a fixed set of threads. The calling thread takes part.
/// Workers spin for a short while between calls and park afterwards, so that a decode step's many small kernels do not
/// pay for a wake-up each, and an idle engine uses no CPU.
class ThreadPool {
 public:
  /// One task: `context` is what Run() was given, `task` in [0, n_tasks), `thread` in [0, n_threads()).
  using Task = void (*)(void* context, int64_t task, int thread);

  /// REQUIRES: 1 <= n_threads <= 1024. Starts n_threads - 1 workers, or as many as the system allows, with a warning.
  explicit ThreadPool(int n_threads);
  /// As many threads as places, a worker in each but the first. That is for whoever calls Run(): its node counts, but
  /// the caller is not bound to it, as threads that it starts later would be bound too.
  ThreadPool(const ThreadPlace* places, int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const { return n_threads_; }

  /// Calls task(context, i, thread) for every i in [0, n_tasks) and returns when all are done. Tasks are handed out in
  /// order, one at a time, to whichever thread is free, of each node's share in the regions; who finds nothing left of
  /// its own node's takes another's. An exception thrown by a task is rethrown here (the first one).
  /// At most `most_threads` threads take part, those of the first places; 0: all.
  /// One Run() at a time: not reentrant, not for concurrent callers.
  void Run(int64_t n_tasks, Task task, void* context, const TaskRegions& regions = {}, int most_threads = 0);

 private:
  struct Shared;
  int n_threads_;
  Shared* shared_;
};

}  // namespace rf
