// Where an operand lies while a kernel runs: in guarded host memory, or on a device with its image on the host.
#pragma once

#include <cstddef>
#include <memory>

#include "conformance/guarded_buffer.h"
#include "conformance/machine.h"

namespace rf::conformance {

class OperandMemory {
 public:
  /// `size` bytes for a kernel of the machine (null: of the host). `alignment` is that of the address on the host; a
  /// device gives its own.
  OperandMemory(Machine* machine, size_t size, size_t alignment);

  /// What the kernel gets.
  void* address() const { return address_; }
  /// The contents on the host: all 0xff at first, to be written before Send() and read after Fetch().
  void* host() const { return image_.data(); }
  size_t size() const { return image_.size(); }

  void Send();
  void Fetch();
  /// Whether nothing around the contents was written. After Fetch().
  bool IsIntact() const { return image_.IsIntact() && margins_are_intact_; }

 private:
  // A sanitizer sees accesses beyond a device's exact allocation, if its memory is the host's. Otherwise what lies
  // around it is looked at.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr size_t kMargin = 0;
#else
  static constexpr size_t kMargin = 256;
#endif

  GuardedBuffer image_;
  Machine* machine_;
  std::unique_ptr<Buffer> on_device_;  // null: the image is what the kernel gets
  void* address_;
  bool margins_are_intact_ = true;
};

}  // namespace rf::conformance
