#include "gguf/test_util/counting_new.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

bool is_counting = false;
int64_t first = -1;
int64_t count = 0;
rf::AllocationCounts counts;

void* Allocate(size_t n) {
  if (is_counting) {
    const int64_t index = counts.n_allocations++;
    if (first >= 0 && index >= first && index - first < count) throw std::bad_alloc();
    ++counts.n_live;
  }
  void* const out = std::malloc(n > 0 ? n : 1);
  if (out == nullptr) throw std::bad_alloc();
  return out;
}

void Free(void* address) {
  if (is_counting && address != nullptr) --counts.n_live;
  std::free(address);
}

}  // namespace

namespace rf {

void StartCounting(int64_t first_failing, int64_t n_failing) {
  first = first_failing;
  count = n_failing;
  counts = {};
  is_counting = true;
}

AllocationCounts StopCounting() {
  is_counting = false;
  return counts;
}

}  // namespace rf

void* operator new(size_t n) {
  return Allocate(n);
}
void* operator new[](size_t n) {
  return Allocate(n);
}
void* operator new(size_t n, const std::nothrow_t&) noexcept {
  try {
    return Allocate(n);
  } catch (const std::bad_alloc&) {
    counts.was_optional = true;
    return nullptr;
  }
}
void operator delete(void* address) noexcept {
  Free(address);
}
void operator delete[](void* address) noexcept {
  Free(address);
}
void operator delete(void* address, size_t) noexcept {
  Free(address);
}
void operator delete[](void* address, size_t) noexcept {
  Free(address);
}
