#include "conformance/guarded_buffer.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/check.h"
#include "base/sanitizers.h"

namespace rf::conformance {
namespace {

constexpr uint8_t kPoison = 0xff;

size_t PageSize() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Mappings to be used again, by size: making one costs more than most kernels here. Freed by the process's end.
std::multimap<size_t, uint8_t*>& FreeMappings() {
  static auto* const mappings = new std::multimap<size_t, uint8_t*>;
  return *mappings;
}

uint8_t* NewMapping(size_t size) {
  const size_t page = PageSize();
  void* mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RF_CHECK(mapping != MAP_FAILED);
  auto* bytes = static_cast<uint8_t*>(mapping);
  RF_CHECK(mprotect(bytes, page, PROT_NONE) == 0 && mprotect(bytes + size - page, page, PROT_NONE) == 0);
  return bytes;
}

uint8_t* TakeMapping(size_t size) {
  const auto found = FreeMappings().find(size);
  if (found == FreeMappings().end()) return NewMapping(size);
  uint8_t* mapping = found->second;
  FreeMappings().erase(found);
  return mapping;
}

char running[256] = "nothing";

// Async-signal-safe: write and the default action only.
[[maybe_unused]] void ReportFault(int number) {
  constexpr char kText[] = "\nmemory fault outside a buffer while running ";
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, kText, sizeof(kText) - 1);
  written = write(STDERR_FILENO, running, strnlen(running, sizeof(running)));
  written = write(STDERR_FILENO, "\n", 1);
  signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

GuardedBuffer::GuardedBuffer(size_t size, size_t alignment) : size_(size) {
  const size_t page = PageSize();
  const size_t used = (std::max<size_t>(size, 1) + page - 1) / page * page;
  mapping_size_ = used + 2 * page;
  mapping_ = TakeMapping(mapping_size_);
  data_ = mapping_ + page + (used - size) / alignment * alignment;
  memset(mapping_ + page, kPoison, used);
}

GuardedBuffer::~GuardedBuffer() {
  if (mapping_ != nullptr) FreeMappings().emplace(mapping_size_, mapping_);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : mapping_(other.mapping_), mapping_size_(other.mapping_size_), data_(other.data_), size_(other.size_) {
  other.mapping_ = nullptr;
}

bool GuardedBuffer::IsIntact() const {
  const size_t page = PageSize();
  const auto is_poison = [](uint8_t byte) { return byte == kPoison; };
  return std::all_of(mapping_ + page, data_, is_poison) &&
         std::all_of(data_ + size_, mapping_ + mapping_size_ - page, is_poison);
}

void SetRunning(const char* name) {
  strncpy(running, name, sizeof(running) - 1);
#if !RF_ASAN  // which reports faults itself
  static const bool is_installed = signal(SIGSEGV, ReportFault) != SIG_ERR;
  RF_CHECK(is_installed);
#endif
}

}  // namespace rf::conformance
