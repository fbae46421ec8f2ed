#include "server/supervisor/board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace rf::server {
namespace {

Error BoardError(const char* call) {
  return {ErrorCode::kIo, fmt::format("cannot share memory with a worker process: {}: {}", call, strerror(errno)), ""};
}

Result<Board*> MapBoard(int descriptor) {
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return BoardError("mmap");
  return static_cast<Board*>(memory);  // all zeros are a board: of lock-free atomics, which have no other state
}

}  // namespace

Result<SharedBoard> SharedBoard::Create() {
  const int descriptor = memfd_create("rocmforge-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return BoardError("memfd_create");
  // Sealed, since a worker that cut it short would take its supervisor with it.
  constexpr int kSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  Result<Board*> board = BoardError("fcntl");
  if (ftruncate(descriptor, sizeof(Board)) == 0 && fcntl(descriptor, F_ADD_SEALS, kSeals) == 0) {
    board = MapBoard(descriptor);
  }
  if (board) return SharedBoard(descriptor, *board);
  close(descriptor);
  return std::move(board).error();
}

Result<SharedBoard> SharedBoard::Adopt(int descriptor) {
  const bool has_size = lseek(descriptor, 0, SEEK_END) == static_cast<off_t>(sizeof(Board));
  Result<Board*> board = has_size ? MapBoard(descriptor) : BoardError("lseek");
  close(descriptor);
  if (!board) return std::move(board).error();
  return SharedBoard(-1, *board);
}

SharedBoard::SharedBoard(SharedBoard&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), board_(std::exchange(other.board_, nullptr)) {}

SharedBoard::~SharedBoard() {
  if (board_ != nullptr) munmap(board_, sizeof(Board));
  if (descriptor_ >= 0) close(descriptor_);
}

void SharedBoard::BeginStep(size_t n_tokens, std::span<const uint64_t> tags, uint64_t allowed_ms) {
  const size_t n_tags = std::min(tags.size(), Board::kMaxTags);
  for (size_t i = 0; i < n_tags; ++i) board_->tags[i].store(tags[i], std::memory_order_relaxed);
  board_->n_tokens.store(static_cast<uint32_t>(n_tokens), std::memory_order_relaxed);
  board_->n_sequences.store(static_cast<uint32_t>(tags.size()), std::memory_order_relaxed);
  board_->allowed_ms.store(allowed_ms, std::memory_order_relaxed);
  board_->step.fetch_add(1, std::memory_order_release);
}

StepView SharedBoard::Read() const {
  StepView view;
  const uint64_t step = board_->step.load(std::memory_order_acquire);
  view.number = step / 2 + step % 2;
  view.is_running = step % 2 == 1;
  view.allowed_ms = board_->allowed_ms.load(std::memory_order_relaxed);
  view.n_tokens = board_->n_tokens.load(std::memory_order_relaxed);
  view.n_sequences = board_->n_sequences.load(std::memory_order_relaxed);
  const size_t n_tags = std::min<size_t>(view.n_sequences, Board::kMaxTags);
  for (size_t i = 0; i < n_tags; ++i) view.tags.push_back(board_->tags[i].load(std::memory_order_relaxed));
  return view;
}

}  // namespace rf::server
