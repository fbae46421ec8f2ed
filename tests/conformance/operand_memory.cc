#include "conformance/operand_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"

namespace rf::conformance {
namespace {

constexpr uint8_t kPoison = 0xff;

void Require(const Status& status) {
  RF_CHECK(status.has_value(), status.error().ToString());
}

bool IsPoison(std::vector<uint8_t>::const_iterator begin, size_t n) {
  return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(n), [](uint8_t byte) { return byte == kPoison; });
}

}  // namespace

OperandMemory::OperandMemory(Machine* machine, size_t size, size_t alignment)
    : image_(size, alignment), machine_(machine), address_(image_.data()) {
  if (machine == nullptr || machine->device->properties().is_host_memory) return;
  auto buffer = machine->device->Allocate(size + 2 * kMargin, "an operand");
  RF_CHECK(buffer.has_value());
  on_device_ = std::move(*buffer);
  address_ = static_cast<std::byte*>(on_device_->data()) + kMargin;
}

void OperandMemory::Send() {
  if (on_device_ == nullptr) return;
  std::vector<uint8_t> bytes(on_device_->size(), kPoison);
  if (size() > 0) std::memcpy(bytes.data() + kMargin, host(), size());
  Require(machine_->stream->CopyToDevice(on_device_->data(), bytes.data(), bytes.size()));
  Require(machine_->stream->Synchronize());
}

void OperandMemory::Fetch() {
  if (on_device_ == nullptr) return;
  std::vector<uint8_t> bytes(on_device_->size());
  Require(machine_->stream->CopyToHost(bytes.data(), on_device_->data(), bytes.size()));
  Require(machine_->stream->Synchronize());
  margins_are_intact_ = IsPoison(bytes.begin(), kMargin) && IsPoison(bytes.end() - kMargin, kMargin);
  if (size() > 0) std::memcpy(host(), bytes.data() + kMargin, size());
}

}  // namespace rf::conformance
