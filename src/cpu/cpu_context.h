// What a CPU kernel receives as its context. Plain, so that per-ISA sources may include it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"

namespace rf::cpu {

struct CpuContext {
  ThreadPool* pool = nullptr;
  int n_decode_threads = 0;   ///< of the pool's, those that multiply few rows; 0: all
  void* workspace = nullptr;  ///< at least as large as the kernel's workspace_bytes() said, 64-byte aligned
  size_t workspace_bytes = 0;
};

namespace {

template <typename Body>
void InvokeBody(void* body, int64_t task, int thread) {
  (*static_cast<Body*>(body))(task, thread);
}

/// Calls body(task, thread) for each task in [0, n_tasks), over the pool's threads if there is more than one task.
/// Internal linkage: compiled anew for each instruction set.
template <typename Body>
void ForEachTask(const CpuContext& context, int64_t n_tasks, Body body) {
  if (n_tasks <= 1 || context.pool->n_threads() == 1) {
    for (int64_t i = 0; i < n_tasks; ++i) body(i, 0);
  } else {
    context.pool->Run(n_tasks, InvokeBody<Body>, &body);
  }
}

/// As ForEachTask over rows in blocks large enough to be worth a thread's while.
template <typename Body>
void ForEachRow(const CpuContext& context, int64_t n_rows, int64_t row_elements, Body body) {
  constexpr int64_t kMinElements = 16384;
  const int64_t wanted = (kMinElements + row_elements - 1) / (row_elements > 0 ? row_elements : 1);
  const int64_t rows_per_task = wanted > 0 ? wanted : 1;
  const int64_t n_tasks = (n_rows + rows_per_task - 1) / rows_per_task;
  ForEachTask(context, n_tasks, [&](int64_t task, int) {
    const int64_t end = (task + 1) * rows_per_task < n_rows ? (task + 1) * rows_per_task : n_rows;
    for (int64_t row = task * rows_per_task; row < end; ++row) body(row);
  });
}

}  // namespace
}  // namespace rf::cpu
