// Brings a graph's weights from the model file to a device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "model/graph.h"

namespace rf {

/// One tensor of the model file.
struct TensorData {
  std::string name;
  std::span<const std::byte> bytes;  ///< the whole tensor in GGUF layout, valid at least until the next one is read
};

/// Gives the tensors of the model file by their numbers in it.
struct TensorReader {
  /// Errors: kIo.
  std::function<Result<TensorData>(int32_t tensor)> read;
  /// Told once of each tensor of which the device made copies only: nothing will look at its bytes again. May be empty.
  std::function<void(int32_t tensor)> release;
  bool is_mapped = false;  ///< what was read stays valid as long as the model file is open
};

/// Told after each weight: bytes of the file's weights brought over so far, and in all.
using LoadProgress = std::function<void(uint64_t done_bytes, uint64_t total_bytes)>;

/// The weights on a device, by (weight, op that reads it): a tensor that two ops read may be packed twice.
class WeightSet {
 public:
  /// Loads each weight that a node of the graph names, once for each op that reads it.
  /// Errors: those of `reader` and of Device::LoadWeight; kCorruptFile if a tensor is shorter than its shape says.
  static Result<WeightSet> Load(const Graph& graph, const TensorReader& reader, Device& device,
                                const LoadProgress& progress);

  /// Reads all of them again and compares them with what the device holds. `graph`, `reader` and `device`: those of
  /// Load. Errors: those of `reader` and of Device::FindDamage; kDevice for a
  /// weight that differs.
  Status Check(const Graph& graph, const TensorReader& reader, Device& device) const;

  /// REQUIRES: the pair was named by a node.
  const WeightView& Get(WeightId weight, OpId op) const { return Find(weight, op).view; }
  /// Bytes that the device holds for one weight; 0: it reads the file's. REQUIRES: as Get().
  uint64_t BytesOwned(WeightId weight, OpId op) const { return Find(weight, op).bytes_owned; }
  /// Bytes that the device holds for the weights, and bytes that it reads straight from the mapped file.
  uint64_t bytes_owned() const { return bytes_owned_; }
  uint64_t bytes_mapped() const { return bytes_mapped_; }

 private:
  using Key = std::pair<WeightId, OpId>;
  const LoadedWeight& Find(WeightId weight, OpId op) const;

  std::map<Key, LoadedWeight> weights_;
  uint64_t bytes_owned_ = 0;
  uint64_t bytes_mapped_ = 0;
};

/// Bytes that WeightSet::Load reads of the file, as its progress counts them.
uint64_t BytesToLoad(const Graph& graph);

/// Bytes of one weight in GGUF layout.
uint64_t FileBytes(const WeightRef& weight);

}  // namespace rf
