#include "app/bench/bandwidth.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "app/bench/seconds_since.h"
#include "base/thread_pool.h"

namespace rf::app {
namespace {

constexpr size_t kBufferBytes = size_t{512} << 20;
constexpr size_t kTaskBytes = size_t{1} << 20;
constexpr int kPasses = 5;
constexpr double kPeakSeconds = 0.01;   // of a pass
constexpr double kEnoughSeconds = 2.0;  // of a measurement: who is so slow is measured well by fewer passes
constexpr int32_t kMaxRounds = 1 << 20;
constexpr int kCopies = 8;  // of a pass: starting one costs little beside them

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
    best_seconds = std::min(best_seconds, SecondsSince(start));
  }
  // The sum is looked at, or the reading could be optimized away.
  return job.sum.load() == 0 ? 0.0 : static_cast<double>(kBufferBytes) / best_seconds;
}

Result<double> MeasureCopyBandwidth(Device& device) {
  const auto from = device.Allocate(kBufferBytes, "measurement of the bandwidth");
  const auto to = device.Allocate(kBufferBytes, "measurement of the bandwidth");
  if (!from || !to) return 0.0;
  RF_ASSIGN_OR_RETURN(const auto stream, device.CreateStream());
  double best_seconds = 1e30;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kPasses && (i == 0 || SecondsSince(begin) < kEnoughSeconds); ++i) {
    RF_RETURN_IF_ERROR(stream->Synchronize());
    const auto start = std::chrono::steady_clock::now();
    for (int copy = 0; copy < kCopies; ++copy) {
      RF_RETURN_IF_ERROR(stream->CopyOnDevice((*to)->data(), (*from)->data(), kBufferBytes));
    }
    RF_RETURN_IF_ERROR(stream->Synchronize());
    best_seconds = std::min(best_seconds, SecondsSince(start) / kCopies);
  }
  return 2.0 * static_cast<double>(kBufferBytes) / best_seconds;
}

Result<double> MeasureMatrixPeak(Device& device) {
  RF_ASSIGN_OR_RETURN(const auto stream, device.CreateStream());
  RF_ASSIGN_OR_RETURN(const auto workspace, device.Allocate(sizeof(int32_t), "measurement of the matrix peak"));
  stream->SetWorkspace(workspace.get());
  double peak = 0.0;
  const auto begin = std::chrono::steady_clock::now();
  // More rounds until starting them costs little beside them; then a few passes of as many.
  int32_t n_rounds = 1;
  for (int passes_left = kPasses; passes_left > 0;) {
    const auto start = std::chrono::steady_clock::now();
    const int64_t operations = device.QueueMatrixProducts(*stream, n_rounds);
    if (operations == 0) return 0.0;
    RF_RETURN_IF_ERROR(stream->Synchronize());
    const double seconds = SecondsSince(start);
    peak = std::max(peak, static_cast<double>(operations) / seconds);
    if (SecondsSince(begin) > kEnoughSeconds) break;
    if (seconds < kPeakSeconds && n_rounds < kMaxRounds) {
      n_rounds *= 2;
    } else {
      --passes_left;
    }
  }
  return peak;
}

}  // namespace rf::app
