#include "plan/weights.h"

#include <set>

#include <fmt/format.h>

#include "base/check.h"

namespace rf {
namespace {

std::set<std::pair<WeightId, OpId>> CollectUses(const Graph& graph) {
  std::set<std::pair<WeightId, OpId>> uses;
  for (const Node& node : graph.nodes) {
    for (WeightId weight : node.weight) {
      if (weight >= 0) uses.emplace(weight, IdOf(node.op));
    }
  }
  return uses;
}

WeightSource ConstantSource(const Graph& graph, const WeightRef& ref) {
  WeightSource source;
  source.name = "constant";
  source.bytes = std::as_bytes(std::span(graph.constants[ref.constant]));
  return source;
}

Result<WeightSource> TensorSource(const TensorData& tensor, const WeightRef& ref, bool is_mapped) {
  const uint64_t row_bytes = static_cast<uint64_t>(RowBytes(GetFormatInfo(ref.format), ref.n_cols));
  const uint64_t begin = row_bytes * static_cast<uint64_t>(ref.first_row);
  const uint64_t size = FileBytes(ref);
  if (begin > tensor.bytes.size() || size > tensor.bytes.size() - begin) {
    return Error{ErrorCode::kCorruptFile,
                 fmt::format("tensor '{}' has {} bytes, {} are needed", tensor.name, tensor.bytes.size(), begin + size),
                 ""};
  }
  WeightSource source;
  source.name = tensor.name;
  source.bytes = tensor.bytes.subspan(begin, size);
  source.may_reference = is_mapped;
  return source;
}

// A weight for the op that reads it. `tensor` keeps what the source refers to.
Result<WeightSource> ReadSource(const Graph& graph, const TensorReader& reader, const std::pair<WeightId, OpId>& key,
                                TensorData& tensor) {
  const WeightRef& ref = graph.weights[key.first];
  WeightSource source;
  if (ref.tensor >= 0) {
    RF_ASSIGN_OR_RETURN(tensor, reader.read(ref.tensor));
    RF_ASSIGN_OR_RETURN(source, TensorSource(tensor, ref, reader.is_mapped));
  } else {
    source = ConstantSource(graph, ref);
  }
  source.format = ref.format;
  source.n_matrices = ref.n_matrices;
  source.n_rows = ref.n_rows;
  source.n_cols = ref.n_cols;
  source.used_by = key.second;
  return source;
}

// Which tensors of the file are done with.
class TensorUses {
 public:
  TensorUses(const Graph& graph, const std::set<std::pair<WeightId, OpId>>& uses) {
    for (const auto& [weight, op] : uses) ++tensors_[graph.weights[weight].tensor].n_left;
  }
  // Counts one use; true if it was the last one and all were copies.
  bool IsDone(int32_t tensor, bool is_copy) {
    Uses& uses = tensors_[tensor];
    uses.all_copied &= is_copy;
    return --uses.n_left == 0 && uses.all_copied;
  }

 private:
  struct Uses {
    int n_left = 0;
    bool all_copied = true;
  };
  std::map<int32_t, Uses> tensors_;
};

}  // namespace

uint64_t FileBytes(const WeightRef& weight) {
  return static_cast<uint64_t>(weight.n_matrices * weight.n_rows) *
         static_cast<uint64_t>(RowBytes(GetFormatInfo(weight.format), weight.n_cols));
}

uint64_t BytesToLoad(const Graph& graph) {
  uint64_t total = 0;
  for (const auto& [weight, op] : CollectUses(graph)) total += FileBytes(graph.weights[weight]);
  return total;
}

Result<WeightSet> WeightSet::Load(const Graph& graph, const TensorReader& reader, Device& device,
                                  const LoadProgress& progress) {
  const auto uses = CollectUses(graph);
  const uint64_t total = BytesToLoad(graph);

  WeightSet set;
  TensorUses tensor_uses(graph, uses);
  uint64_t done = 0;
  for (const auto& key : uses) {
    const WeightRef& ref = graph.weights[key.first];
    TensorData tensor;
    RF_ASSIGN_OR_RETURN(const WeightSource source, ReadSource(graph, reader, key, tensor));
    RF_ASSIGN_OR_RETURN(LoadedWeight loaded, device.LoadWeight(source));
    set.bytes_owned_ += loaded.bytes_owned;
    const bool is_copy = loaded.storage != nullptr;
    if (!is_copy) set.bytes_mapped_ += source.bytes.size();
    if (tensor_uses.IsDone(ref.tensor, is_copy) && ref.tensor >= 0 && reader.release) reader.release(ref.tensor);
    set.weights_.emplace(key, std::move(loaded));
    done += source.bytes.size();
    if (progress) progress(done, total);
  }
  return set;
}

Status WeightSet::Check(const Graph& graph, const TensorReader& reader, Device& device) const {
  for (const auto& [key, loaded] : weights_) {
    TensorData tensor;
    RF_ASSIGN_OR_RETURN(const WeightSource source, ReadSource(graph, reader, key, tensor));
    RF_ASSIGN_OR_RETURN(const std::optional<uint64_t> damage, device.FindDamage(loaded, source));
    if (!damage) continue;
    return Error{ErrorCode::kDevice,
                 fmt::format("memory does not hold what was loaded: byte {} of {} of the weight '{}' is wrong. Broken "
                             "memory, or a broken driver",
                             *damage, loaded.bytes_owned, source.name),
                 device.properties().Label()};
  }
  return {};
}

const LoadedWeight& WeightSet::Find(WeightId weight, OpId op) const {
  const auto found = weights_.find({weight, op});
  RF_CHECK(found != weights_.end());
  return found->second;
}

}  // namespace rf
