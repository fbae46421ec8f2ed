// Runs the blocks of one launch, every thread a fiber.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hip/emulation/emulator.h"
#include "hip/emulation/matrix_layout.h"

namespace rf::hip::emulation {

/// One for the whole process, as it sets the language's global variables. Not thread-safe.
class BlockRunner {
 public:
  static BlockRunner& Get();

  void SetOrder(Order order, uint64_t seed);
  void SetLayout(MatrixLayout layout) { layout_ = layout; }
  /// Of the device whose blocks run next.
  void SetMatrices(bool has_matrices) { has_matrices_ = has_matrices; }

  /// Runs all blocks. Returns what was wrong, or "".
  std::string Run(const Job& job, int wave_size);

  // From within a kernel.
  int wave_size() const { return wave_size_; }
  MatrixLayout layout() const;
  bool has_matrices() const { return has_matrices_; }
  void* SharedMemory(size_t bytes);
  void BlockBarrier();
  const uint64_t* Exchange(uint64_t value);

 private:
  enum class State { kReady, kAtExchange, kAtBarrier, kDone };

  struct Wave {
    std::vector<uint64_t> shown[2];  // by the parity of the exchange, as a lane may be one ahead of the others
  };

  // One thread of the block. It goes from block to block, so that stacks are made once.
  struct Thread {
    boost::context::fiber fiber;
    State state = State::kDone;
    uint64_t n_exchanges = 0;
    void* stack_bottom = nullptr;
    size_t stack_bytes = 0;
  };

  void MakeThreads(int n_threads);
  boost::context::fiber ThreadMain(boost::context::fiber&& scheduler);
  void Resume(int index);
  void Wait(State state);
  std::string RunBlock(const Job& job);
  /// Runs every ready lane until it waits or ends.
  void RunLanes(int first, int count);
  std::string FinishExchange(int first, int count);
  std::string FinishBarrier(int n_threads);
  std::vector<int> TurnsOf(int first, int count);

  Order order_ = Order::kForward;
  std::mt19937_64 random_;
  int wave_size_ = 32;
  MatrixLayout layout_ = MatrixLayout::kMmaSync;
  bool has_matrices_ = true;
  const Job* job_ = nullptr;
  std::unique_ptr<unsigned char[]> shared_;
  size_t shared_bytes_ = 0;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::unique_ptr<Thread>> abandoned_;  // after an error; destroying them would unwind their kernels
  std::vector<Wave> waves_;
  boost::context::fiber scheduler_;
  int current_ = 0;
};

}  // namespace rf::hip::emulation
