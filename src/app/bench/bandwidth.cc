#include "app/bench/bandwidth.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/thread_pool.h"

namespace rf::app {
namespace {

constexpr size_t kBufferBytes = size_t{512} << 20;
constexpr size_t kTaskBytes = size_t{1} << 20;
constexpr int kPasses = 5;

struct ReadJob {
  const uint64_t* words;
  std::atomic<uint64_t> sum{0};
};

// Eight sums side by side, so that the loop waits for memory and not for additions.
void ReadOneTask(void* context, int64_t task, int) {
  auto& job = *static_cast<ReadJob*>(context);
  constexpr size_t kWords = kTaskBytes / sizeof(uint64_t);
  const uint64_t* words = job.words + static_cast<size_t>(task) * kWords;
  uint64_t sums[8] = {};
  for (size_t i = 0; i < kWords; i += 8) {
    for (size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
  }
  uint64_t sum = 0;
  for (const uint64_t s : sums) sum += s;
  job.sum.fetch_add(sum, std::memory_order_relaxed);
}

}  // namespace

double MeasureReadBandwidth(int n_threads) {
  struct Free {
    void operator()(void* pointer) const { std::free(pointer); }
  };
  const std::unique_ptr<void, Free> buffer(std::aligned_alloc(size_t{2} << 20, kBufferBytes));
  if (!buffer) return 0.0;
  std::memset(buffer.get(), 1, kBufferBytes);  // untouched pages would all be the same zeros
  ThreadPool pool(std::max(n_threads, 1));
  ReadJob job{static_cast<const uint64_t*>(buffer.get()), {}};
  double best_seconds = 1e30;
  for (int i = 0; i < kPasses; ++i) {
    const auto start = std::chrono::steady_clock::now();
    pool.Run(kBufferBytes / kTaskBytes, ReadOneTask, &job);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, elapsed.count());
  }
  // The sum is looked at, or the reading could be optimized away.
  return job.sum.load() == 0 ? 0.0 : static_cast<double>(kBufferBytes) / best_seconds;
}

}  // namespace rf::app
