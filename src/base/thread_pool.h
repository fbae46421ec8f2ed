// The engine's one pool of worker threads. Plain interface, so that per-ISA kernel sources may include it.
#pragma once

#include <cstdint>

namespace rf {

/// Runs the tasks of one kernel at a time over a fixed set of threads. The calling thread takes part.
/// Workers spin for a short while between calls and park afterwards, so that a decode step's many small kernels do not
/// pay for a wake-up each, and an idle engine uses no CPU.
class ThreadPool {
 public:
  /// One task: `context` is what Run() was given, `task` in [0, n_tasks), `thread` in [0, n_threads()).
  using Task = void (*)(void* context, int64_t task, int thread);

  /// REQUIRES: 1 <= n_threads <= 1024. Starts n_threads - 1 workers, or as many as the system allows, with a warning.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const { return n_threads_; }

  /// Calls task(context, i, thread) for every i in [0, n_tasks) and returns when all are done. Tasks are handed out in
  /// order, one at a time, to whichever thread is free. An exception thrown by a task is rethrown here (the first one).
  /// One Run() at a time: not reentrant, not for concurrent callers.
  void Run(int64_t n_tasks, Task task, void* context);

 private:
  struct Shared;
  int n_threads_;
  Shared* shared_;
};

}  // namespace rf
