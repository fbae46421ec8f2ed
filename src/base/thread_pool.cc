#include "base/thread_pool.h"

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
#include "base/thread_pool_counts.h"

namespace rf {
namespace {

// How long a worker looks for the next call before it parks: about 50 us, longer than the gap between two kernels of a
// step.
constexpr int kSpins = 4000;

std::atomic<uint64_t> n_shared_runs{0};

}  // namespace

uint64_t CountSharedRuns() {
  return n_shared_runs.load(std::memory_order_relaxed);
}

// One call of Run() is one generation. Workers join a generation by adding themselves to `active`, take tasks from
// `next`, and leave. Run() returns when all tasks are done and nobody is active, so that a late worker can never see
// the next call's fields half-written.
struct ThreadPool::Shared {
  std::atomic<uint32_t> generation{0};  // changes once for each call; workers wait on it
  std::atomic<bool> stop{false};

  // The call's fields: written before `open` is set, read only while it is.
  Task task = nullptr;
  void* context = nullptr;
  int64_t n_tasks = 0;
  std::atomic<int64_t> next{0};

  // Bit 31: the call is open for workers to join; the rest: workers inside.
  std::atomic<uint32_t> gate{0};

  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::thread> workers;

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

  void TakeTasks(int thread) {
    for (;;) {
      const int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= n_tasks) return;
      try {
        task(context, i, thread);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
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
    uint32_t seen = 0;
    for (;;) {
      WaitForCall(seen);
      if (stop.load(std::memory_order_acquire)) return;
      seen = generation.load(std::memory_order_acquire);
      if (!Enter()) continue;
      TakeTasks(thread);
      Leave();
    }
  }
};

ThreadPool::ThreadPool(int n_threads) : n_threads_(1), shared_(nullptr) {
  RF_CHECK(n_threads >= 1 && n_threads <= 1024);
  auto shared = std::make_unique<Shared>();
  shared->workers.reserve(static_cast<size_t>(n_threads) - 1);
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

void ThreadPool::Run(int64_t n_tasks, Task task, void* context) {
  Shared& shared = *shared_;
  shared.task = task;
  shared.context = context;
  shared.n_tasks = n_tasks;
  shared.next.store(0, std::memory_order_relaxed);
  if (n_threads_ > 1 && n_tasks > 1) {
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
