#include "hip/emulation/block_runner.h"

#include <algorithm>
#include <boost/context/fixedsize_stack.hpp>
#include <cstring>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "hip/emulation/fiber_switch.h"

namespace rf::hip::emulation {

Dim3 thread_index;
Dim3 block_index;
Dim3 block_size;
Dim3 grid_size;

namespace {

// Kernels have small frames, but AddressSanitizer makes them several times larger.
constexpr size_t kStackBytes = size_t{256} << 10;
constexpr int kPoison = 0xff;

}  // namespace

BlockRunner& BlockRunner::Get() {
  static BlockRunner* const runner = new BlockRunner;  // never destroyed: its fibers would have to be unwound
  return *runner;
}

void BlockRunner::SetOrder(Order order, uint64_t seed) {
  order_ = order;
  random_.seed(seed);
}

MatrixLayout BlockRunner::layout() const {
  const bool has_64_lanes = layout_ == MatrixLayout::kGfx90a || layout_ == MatrixLayout::kGfx942;
  if (has_64_lanes == (wave_size_ == 64)) return layout_;
  return has_64_lanes ? MatrixLayout::kMmaSync : MatrixLayout::kGfx942;
}

void BlockRunner::MakeThreads(int n_threads) {
  while (static_cast<int>(threads_.size()) < n_threads) {
    auto thread = std::make_unique<Thread>();
    boost::context::fixedsize_stack allocator(kStackBytes);
    const boost::context::stack_context stack = allocator.allocate();
    thread->stack_bottom = static_cast<char*>(stack.sp) - stack.size;
    thread->stack_bytes = stack.size;
    thread->fiber =
        boost::context::fiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack), allocator,
                              [this](boost::context::fiber&& scheduler) { return ThreadMain(std::move(scheduler)); });
    threads_.push_back(std::move(thread));
  }
}

boost::context::fiber BlockRunner::ThreadMain(boost::context::fiber&& scheduler) {
  FinishSwitchToFiber();
  scheduler_ = std::move(scheduler);
  for (;;) {
    job_->kernel();
    Wait(State::kDone);
  }
}

void BlockRunner::Resume(int index) {
  Thread& thread = *threads_[index];
  current_ = index;
  thread_index.x = static_cast<uint32_t>(index);
  StartSwitchToFiber(thread.stack_bottom, thread.stack_bytes);
  thread.fiber = std::move(thread.fiber).resume();
  FinishSwitchToScheduler();
}

void BlockRunner::Wait(State state) {
  threads_[current_]->state = state;
  StartSwitchToScheduler();
  scheduler_ = std::move(scheduler_).resume();
  FinishSwitchToFiber();
}

void* BlockRunner::SharedMemory(size_t bytes) {
  RF_CHECK(bytes <= shared_bytes_);
  return shared_.get();
}

void BlockRunner::BlockBarrier() {
  Wait(State::kAtBarrier);
}

const uint64_t* BlockRunner::Exchange(uint64_t value) {
  Thread& thread = *threads_[current_];
  std::vector<uint64_t>& shown = waves_[current_ / wave_size_].shown[thread.n_exchanges++ % 2];
  shown[current_ % wave_size_] = value;
  Wait(State::kAtExchange);
  return shown.data();
}

std::vector<int> BlockRunner::TurnsOf(int first, int count) {
  std::vector<int> turns(count);
  for (int i = 0; i < count; ++i) turns[i] = first + i;
  if (order_ == Order::kReverse) std::reverse(turns.begin(), turns.end());
  if (order_ == Order::kRandom) std::shuffle(turns.begin(), turns.end(), random_);
  return turns;
}

void BlockRunner::RunLanes(int first, int count) {
  for (const int lane : TurnsOf(first, count)) {
    if (threads_[lane]->state == State::kReady) Resume(lane);
  }
}

// All lanes of a wave must be at the same exchange, or none.
std::string BlockRunner::FinishExchange(int first, int count) {
  const auto waits = [&](int lane) { return threads_[lane]->state == State::kAtExchange; };
  int n_waiting = 0;
  for (int lane = first; lane < first + count; ++lane) n_waiting += waits(lane) ? 1 : 0;
  if (n_waiting == 0) return "";
  if (n_waiting < count) {
    return fmt::format("{} of the {} lanes of wave {} wait at a wave function that the others do not reach", n_waiting,
                       count, first / wave_size_);
  }
  for (int lane = first; lane < first + count; ++lane) {
    if (threads_[lane]->n_exchanges != threads_[first]->n_exchanges) {
      return fmt::format("the lanes of wave {} wait at different wave functions", first / wave_size_);
    }
    threads_[lane]->state = State::kReady;
  }
  return "";
}

std::string BlockRunner::FinishBarrier(int n_threads) {
  int n_waiting = 0;
  for (int i = 0; i < n_threads; ++i) n_waiting += threads_[i]->state == State::kAtBarrier ? 1 : 0;
  if (n_waiting > 0 && n_waiting < n_threads) {
    return fmt::format("{} of {} threads wait at a barrier that the others do not reach", n_waiting, n_threads);
  }
  for (int i = 0; i < n_threads && n_waiting > 0; ++i) threads_[i]->state = State::kReady;
  return "";
}

std::string BlockRunner::RunBlock(const Job& job) {
  shared_.reset(new unsigned char[std::max<size_t>(job.shared_bytes, 1)]);
  shared_bytes_ = job.shared_bytes;
  std::memset(shared_.get(), kPoison, shared_bytes_);
  for (int i = 0; i < job.n_threads; ++i) {
    threads_[i]->state = State::kReady;
    threads_[i]->n_exchanges = 0;
  }
  const int n_waves = job.n_threads / wave_size_;
  const auto is_ready = [](const auto& thread) { return thread->state == State::kReady; };
  const auto end = threads_.begin() + job.n_threads;
  while (std::any_of(threads_.begin(), end, is_ready)) {
    for (const int wave : TurnsOf(0, n_waves)) {
      const int first = wave * wave_size_;
      while (std::any_of(threads_.begin() + first, threads_.begin() + first + wave_size_, is_ready)) {
        RunLanes(first, wave_size_);
        if (std::string wrong = FinishExchange(first, wave_size_); !wrong.empty()) return wrong;
      }
    }
    if (std::string wrong = FinishBarrier(job.n_threads); !wrong.empty()) return wrong;
  }
  return "";
}

std::string BlockRunner::Run(const Job& job, int wave_size) {
  wave_size_ = wave_size;
  job_ = &job;
  MakeThreads(job.n_threads);
  waves_.resize(job.n_threads / wave_size);
  for (Wave& wave : waves_) {
    for (auto& shown : wave.shown) shown.assign(wave_size, 0);
  }
  block_size = Dim3(job.n_threads);
  grid_size = job.grid;
  const auto n_blocks = static_cast<int>(job.grid.x * job.grid.y * job.grid.z);
  for (const int block : TurnsOf(0, n_blocks)) {
    const auto at = static_cast<uint32_t>(block);
    block_index = Dim3(at % job.grid.x, at / job.grid.x % job.grid.y, at / job.grid.x / job.grid.y);
    const std::string wrong = RunBlock(job);
    if (wrong.empty()) continue;
    // They stand in the middle of a kernel and will never go on.
    std::move(threads_.begin(), threads_.end(), std::back_inserter(abandoned_));
    threads_.clear();
    return fmt::format("block {}, {}, {}: {}", block_index.x, block_index.y, block_index.z, wrong);
  }
  return "";
}

}  // namespace rf::hip::emulation
