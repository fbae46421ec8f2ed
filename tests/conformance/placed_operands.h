// HostOperands in guarded memory, ready for a kernel.
#pragma once

#include <memory>
#include <vector>

#include "conformance/guarded_buffer.h"
#include "conformance/host_operands.h"
#include "device/device.h"

namespace rf::conformance {

/// What an op wrote: the outputs' rows without the gaps between them, and the cache.
struct Outputs {
  std::vector<uint32_t> out[Operands::kMaxOutputs];
  std::vector<uint8_t> k;
  std::vector<uint8_t> v;

  bool operator==(const Outputs&) const = default;
};

/// A device with a number of threads of its own; kept for the whole run.
struct Machine {
  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> stream;
};

/// The machine of an instruction set; null where this computer lacks it.
Machine* MachineOf(std::string_view isa, int n_threads);

class PlacedOperands {
 public:
  /// Weights go through device->LoadWeight for the op; null: they stay in the file's layout.
  PlacedOperands(const HostOperands& host, Device* device, OpId op);

  const Operands& operands() const { return operands_; }
  /// Collects what was written, and fails the test should anything else have been.
  Outputs Collect() const;

 private:
  TensorView Place(const HostTensor& tensor);
  void PlaceTensors();
  WeightView PlaceWeight(const HostWeight& weight, Device* device, OpId op);
  void PlaceBatch();
  template <typename T>
  T* PlaceBytes(const std::vector<T>& values);

  const HostOperands& host_;
  std::vector<GuardedBuffer> buffers_;
  std::vector<LoadedWeight> weights_;
  BatchView batch_;
  KvLayerView kv_;
  Operands operands_;
};

/// A stream's workspace of exactly the bytes that a kernel asked for.
class GuardedWorkspace final : public Buffer {
 public:
  explicit GuardedWorkspace(size_t bytes) : memory_(bytes, 64) {}
  void* data() override { return memory_.data(); }
  size_t size() const override { return memory_.size(); }
  bool IsIntact() const { return memory_.IsIntact(); }

 private:
  GuardedBuffer memory_;
};

}  // namespace rf::conformance
