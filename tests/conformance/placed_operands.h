// HostOperands in guarded memory or on a device, ready for a kernel.
#pragma once

#include <deque>
#include <vector>

#include "conformance/host_operands.h"
#include "conformance/machine.h"
#include "conformance/operand_memory.h"
#include "device/device.h"

namespace rf::conformance {

/// What an op wrote: the outputs' rows without the gaps between them, and the cache.
struct Outputs {
  std::vector<uint32_t> out[Operands::kMaxOutputs];
  std::vector<uint8_t> k;
  std::vector<uint8_t> v;

  bool operator==(const Outputs&) const = default;
};

class PlacedOperands {
 public:
  /// For a kernel of the machine; weights go through its device's LoadWeight for the op. Null: for the reference, with
  /// weights in the file's layout.
  PlacedOperands(const HostOperands& host, Machine* machine, OpId op);

  const Operands& operands() const { return operands_; }
  /// Collects what was written, and fails the test should anything else have been. The kernel must be done.
  Outputs Collect();

 private:
  TensorView Place(const HostTensor& tensor);
  void PlaceTensors();
  WeightView PlaceWeight(const HostWeight& weight, OpId op);
  void PlaceBatch();
  template <typename T>
  T* PlaceBytes(const std::vector<T>& values);
  // The host's image of what lies at a kernel's address.
  const void* OnHost(const void* address) const;
  TensorView OnHost(TensorView view) const;

  const HostOperands& host_;
  Machine* machine_;
  std::deque<OperandMemory> memory_;
  std::vector<LoadedWeight> weights_;
  BatchView batch_;
  KvLayerView kv_;
  Operands operands_;
};

/// A stream's workspace of exactly the bytes that a kernel asked for.
class GuardedWorkspace final : public Buffer {
 public:
  GuardedWorkspace(Machine& machine, size_t bytes) : memory_(&machine, bytes, 64) { memory_.Send(); }
  void* data() override { return memory_.address(); }
  size_t size() const override { return memory_.size(); }
  bool IsIntact() {
    memory_.Fetch();
    return memory_.IsIntact();
  }

 private:
  OperandMemory memory_;
};

}  // namespace rf::conformance
