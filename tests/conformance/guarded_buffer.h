// Memory that notices what a kernel does outside it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rf::conformance {

/// `size` bytes that end at an inaccessible page (but for less than `alignment` bytes), with an inaccessible page
/// before them too. What lies between and the contents start as 0xff: NaN in every floating-point format.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(size_t size, size_t alignment = 4);
  ~GuardedBuffer();
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(GuardedBuffer&&) = delete;

  void* data() const { return data_; }
  size_t size() const { return size_; }
  /// Whether the bytes around the contents, up to the guard pages, are as they were.
  bool IsIntact() const;

 private:
  uint8_t* mapping_;
  size_t mapping_size_;
  uint8_t* data_;
  size_t size_;
};

/// Names what runs now: printed should a guard page be touched.
void SetRunning(const char* name);

}  // namespace rf::conformance
