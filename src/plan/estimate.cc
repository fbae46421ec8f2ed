#include "plan/estimate.h"

#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "plan/fusion/passes.h"
#include "plan/plan_part.h"

namespace rf {
namespace {

// Addresses without memory behind them: reading or writing them ends the process, so nothing does.
class Reservation final : public Buffer {
 public:
  static Result<std::unique_ptr<Buffer>> Make(size_t bytes, std::string_view purpose) {
    void* data =
        mmap(nullptr, std::max<size_t>(bytes, 1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) {
      return Error{ErrorCode::kOutOfMemory, fmt::format("cannot reserve {} bytes of addresses for {}", bytes, purpose),
                   ""};
    }
    return std::unique_ptr<Buffer>(new Reservation(data, bytes));
  }
  ~Reservation() override { munmap(data_, std::max<size_t>(size_, 1)); }
  void* data() override { return data_; }
  size_t size() const override { return size_; }

 private:
  Reservation(void* data, size_t size) : data_(data), size_(size) {}
  void* data_;
  size_t size_;
};

// The kernels and layouts of another device, and none of its memory.
class PretendDevice final : public Device {
 public:
  explicit PretendDevice(Device& real) : real_(real), properties_(real.properties()) {
    properties_.free_bytes = 0;  // not known: nothing is refused for its size
  }
  const DeviceProperties& properties() const override { return properties_; }
  const KernelTable& kernels() const override { return real_.kernels(); }
  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes, std::string_view purpose) override {
    return Reservation::Make(bytes, purpose);
  }
  Result<std::unique_ptr<Stream>> CreateStream() override { return real_.CreateStream(); }
  LoadedWeight DescribeWeight(const WeightSource& source) const override { return real_.DescribeWeight(source); }
  Result<std::optional<uint64_t>> FindDamage(const LoadedWeight&, const WeightSource&) override { return std::nullopt; }
  Result<LoadedWeight> LoadWeight(const WeightSource& source) override {
    LoadedWeight loaded = real_.DescribeWeight(source);
    loaded.view.data = source.bytes.data();
    if (loaded.bytes_owned == 0) return loaded;
    RF_ASSIGN_OR_RETURN(loaded.storage, Allocate(loaded.bytes_owned, source.name));
    loaded.view.data = loaded.storage->data();
    return loaded;
  }

 private:
  Device& real_;
  DeviceProperties properties_;
};

// The most bytes that a reader could be asked for: enough for the end of every weight's rows.
uint64_t LargestTensor(const Graph& graph) {
  uint64_t largest = 0;
  for (const WeightRef& weight : graph.weights) {
    const auto row = static_cast<uint64_t>(RowBytes(GetFormatInfo(weight.format), weight.n_cols));
    largest = std::max(largest, row * static_cast<uint64_t>(weight.first_row) + FileBytes(weight));
  }
  return largest;
}

}  // namespace

Result<MemoryPlan> EstimateMemory(const Graph& graph, Device& device, const PlanOptions& options, bool is_mapped) {
  PretendDevice pretend(device);
  RF_ASSIGN_OR_RETURN(const auto tensor, Reservation::Make(LargestTensor(graph), "weights"));
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(tensor->data()), tensor->size());
  const auto read = [&](int32_t) -> Result<TensorData> { return TensorData{"weight", bytes}; };
  const TensorReader reader{read, nullptr, is_mapped};
  PartPlacement placement{&pretend, graph, ""};
  RunFusionPasses(placement.graph);
  RF_ASSIGN_OR_RETURN(const auto part, PlanPart::Make(std::move(placement), reader, options, nullptr));
  return part->memory();
}

}  // namespace rf
