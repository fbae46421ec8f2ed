#include "base/sigbus_guard.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <utility>

namespace rf {
namespace {

constexpr uint64_t kNotDamaged = UINT64_MAX;

// A watched range. `sequence` is odd while the range changes; the handler skips a slot that changes under it. Only
// lock-free atomics: a signal handler reads them.
struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<uint32_t> sequence{0};
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<uint64_t> damaged{kNotDamaged};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free);

std::array<Slot, SigbusGuard::kMaxGuards> slots;
std::atomic<int> slots_used{0};  // slots at and above this index were never taken
struct sigaction previous_action;
uintptr_t page_bytes = 4096;

Slot* FindSlot(uintptr_t address) {
  const int n = slots_used.load(std::memory_order_acquire);
  for (int i = 0; i < n; ++i) {
    Slot& slot = slots[i];
    const uint32_t before = slot.sequence.load(std::memory_order_acquire);
    const uintptr_t begin = slot.begin.load(std::memory_order_relaxed);
    const uintptr_t end = slot.end.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    const bool stable = before % 2 == 0 && slot.sequence.load(std::memory_order_relaxed) == before;
    if (stable && begin <= address && address < end) return &slot;
  }
  return nullptr;
}

// Replaces the rest of the mapping, not only the page: a file that lost its tail would fault once for each page.
bool Repair(uintptr_t address) {
  Slot* slot = FindSlot(address);
  if (!slot) return false;
  const uintptr_t page = address & ~(page_bytes - 1);
  const uintptr_t begin = slot->begin.load(std::memory_order_relaxed);
  const uintptr_t end = slot->end.load(std::memory_order_relaxed);
  void* const wanted = reinterpret_cast<void*>(page);
  if (mmap(wanted, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != wanted)
    return false;
  const uint64_t offset = page < begin ? 0 : page - begin;
  uint64_t first = slot->damaged.load(std::memory_order_relaxed);
  while (offset < first && !slot->damaged.compare_exchange_weak(first, offset)) {
  }
  return true;
}

void PassOn(int signal_number, siginfo_t* info, void* context) {
  if (previous_action.sa_flags & SA_SIGINFO) {
    previous_action.sa_sigaction(signal_number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal_number);
  } else {
    // Back to the default action, which ends the process: at once for a signal that somebody sent, or when the faulting
    // instruction runs again.
    signal(SIGBUS, SIG_DFL);
    if (info->si_code <= 0) raise(SIGBUS);
  }
}

void OnSigbus(int signal_number, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool is_fault = info->si_code > 0;  // otherwise sent by kill() and the like: no address
  if (!is_fault || !Repair(reinterpret_cast<uintptr_t>(info->si_addr))) PassOn(signal_number, info, context);
  errno = saved_errno;
}

bool InstallHandler() {
  page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  if (sigaction(SIGBUS, nullptr, &previous_action) != 0) return false;
  struct sigaction action = {};
  action.sa_sigaction = OnSigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGBUS, &action, nullptr) == 0;
}

void SetRange(Slot& slot, uintptr_t begin, uintptr_t end) {
  slot.sequence.fetch_add(1, std::memory_order_acq_rel);
  slot.begin.store(begin, std::memory_order_release);
  slot.end.store(end, std::memory_order_release);
  slot.sequence.fetch_add(1, std::memory_order_acq_rel);
}

int TakeSlot() {
  for (int i = 0; i < SigbusGuard::kMaxGuards; ++i) {
    bool expected = false;
    if (!slots[i].taken.compare_exchange_strong(expected, true)) continue;
    int used = slots_used.load();
    while (used <= i && !slots_used.compare_exchange_weak(used, i + 1)) {
    }
    return i;
  }
  return -1;
}

}  // namespace

Result<SigbusGuard> SigbusGuard::Watch(const void* address, size_t n) {
  static const bool installed = InstallHandler();
  if (!installed) return Error{ErrorCode::kUnsupported, "cannot install a handler for SIGBUS", {}};
  const int slot = TakeSlot();
  if (slot < 0) return Error{ErrorCode::kUnsupported, fmt::format("more than {} mapped files at once", kMaxGuards), {}};
  const uintptr_t begin = reinterpret_cast<uintptr_t>(address);
  slots[slot].damaged.store(kNotDamaged);
  SetRange(slots[slot], begin, (begin + n + page_bytes - 1) & ~(page_bytes - 1));
  return SigbusGuard(slot);
}

SigbusGuard::SigbusGuard(SigbusGuard&& other) noexcept : slot_(std::exchange(other.slot_, -1)) {}

SigbusGuard& SigbusGuard::operator=(SigbusGuard&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

SigbusGuard::~SigbusGuard() {
  if (slot_ < 0) return;
  SetRange(slots[slot_], 0, 0);
  slots[slot_].taken.store(false);
}

std::optional<uint64_t> SigbusGuard::damaged_offset() const {
  if (slot_ < 0) return std::nullopt;
  const uint64_t offset = slots[slot_].damaged.load(std::memory_order_relaxed);
  return offset == kNotDamaged ? std::nullopt : std::optional(offset);
}

}  // namespace rf
