// What a worker process shows of itself in memory that it shares with its supervisor. It can be read however the worker
// ended, also when it was killed in the middle of a step.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"

namespace rf::server {

/// What is shared. Written by the worker; to the supervisor every value is a mere number, since a faulty worker may
/// have written anything.
struct Board {
  static constexpr size_t kMaxTags = 1024;
  std::atomic<uint64_t> beats;       ///< grows while the worker's event loop runs
  std::atomic<uint64_t> step;        ///< grows at the begin and at the end of each step: odd while one runs
  std::atomic<uint64_t> allowed_ms;  ///< how long the running step may take
  std::atomic<uint32_t> n_tokens;    ///< rows of the last step begun
  std::atomic<uint32_t> n_sequences;
  std::array<std::atomic<uint64_t>, kMaxTags> tags;  ///< Request::tag of the first n_sequences
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

/// A step as a board has it.
struct StepView {
  uint64_t number = 0;  ///< of the last step begun, from 1; 0: none
  bool is_running = false;
  uint64_t allowed_ms = 0;
  uint32_t n_tokens = 0;
  uint32_t n_sequences = 0;
  std::vector<uint64_t> tags;
};

/// A mapping of a Board.
class SharedBoard {
 public:
  /// New zeroed memory, which can neither grow nor shrink. Errors: kOutOfMemory, kIo.
  static Result<SharedBoard> Create();
  /// That of a descriptor made by another process's Create(); closes the descriptor. Errors: kIo.
  static Result<SharedBoard> Adopt(int descriptor);

  SharedBoard(SharedBoard&& other) noexcept;
  SharedBoard& operator=(SharedBoard&&) = delete;
  ~SharedBoard();

  /// Of Create(): to be inherited. -1 after Adopt().
  int descriptor() const { return descriptor_; }

  void Beat() { board_->beats.fetch_add(1, std::memory_order_relaxed); }
  uint64_t beats() const { return board_->beats.load(std::memory_order_relaxed); }

  void BeginStep(size_t n_tokens, std::span<const uint64_t> tags, uint64_t allowed_ms);
  void EndStep() { board_->step.fetch_add(1, std::memory_order_release); }
  StepView Read() const;

 private:
  SharedBoard(int descriptor, Board* board) : descriptor_(descriptor), board_(board) {}

  int descriptor_;
  Board* board_;
};

}  // namespace rf::server
