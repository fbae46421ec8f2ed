#include "plan/weights.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rf {
namespace {

class HeapBuffer final : public Buffer {
 public:
  explicit HeapBuffer(size_t size) : bytes_(size) {}
  void* data() override { return bytes_.data(); }
  size_t size() const override { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

// Copies the weights of products and looks at others where they lie.
class CopyingDevice final : public Device {
 public:
  const DeviceProperties& properties() const override { return properties_; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes, std::string_view) override {
    return std::unique_ptr<Buffer>(new HeapBuffer(bytes));
  }
  Result<std::unique_ptr<Stream>> CreateStream() override { return Error{ErrorCode::kDevice, "none", ""}; }
  LoadedWeight DescribeWeight(const WeightSource&) const override { return {}; }
  Result<LoadedWeight> LoadWeight(const WeightSource& source) override {
    LoadedWeight loaded;
    loaded.view.data = source.bytes.data();
    if (source.used_by != OpId::kMatMul) return loaded;
    RF_ASSIGN_OR_RETURN(loaded.storage, Allocate(source.bytes.size(), source.name));
    loaded.bytes_owned = source.bytes.size();
    return loaded;
  }
  Result<std::optional<uint64_t>> FindDamage(const LoadedWeight&, const WeightSource&) override {
    return Error{ErrorCode::kDevice, "its copies are not made", ""};
  }

 private:
  DeviceProperties properties_;
  KernelTable kernels_;
};

WeightRef RowsOf(int32_t tensor, int64_t first_row, int64_t n_rows) {
  WeightRef ref;
  ref.tensor = tensor;
  ref.first_row = first_row;
  ref.n_rows = n_rows;
  ref.n_cols = 4;
  return ref;
}

void Use(Graph& graph, AnyOp op, WeightId weight) {
  Node& node = graph.nodes.emplace_back();
  node.op = op;
  node.weight[0] = weight;
}

// A tensor is given back once, when all of its parts were copied, and never while the device looks at it.
TEST(WeightSetTest, GivesBackTensorsOfWhichOnlyCopiesAreUsed) {
  Graph graph;
  const WeightId tied = graph.AddWeight(RowsOf(0, 0, 8));
  const WeightId upper = graph.AddWeight(RowsOf(1, 0, 4));
  const WeightId lower = graph.AddWeight(RowsOf(1, 4, 4));
  const WeightId norm = graph.AddWeight(RowsOf(2, 0, 1));
  const WeightId constant = graph.AddConstant({1, 2, 3, 4});
  Use(graph, OpNode<Embed>{}, tied);
  for (const WeightId weight : {tied, upper, lower, constant}) Use(graph, OpNode<MatMul>{}, weight);
  Use(graph, OpNode<RmsNorm>{}, norm);

  const std::vector<std::byte> bytes(8 * 4 * sizeof(float));
  std::map<int32_t, int> n_read;
  std::vector<std::pair<int32_t, int>> released;  // and after how many reads
  TensorReader reader;
  reader.read = [&](int32_t tensor) -> Result<TensorData> {
    ++n_read[tensor];
    return TensorData{"t", bytes};
  };
  reader.release = [&](int32_t tensor) { released.emplace_back(tensor, n_read[tensor]); };
  reader.is_mapped = true;
  CopyingDevice device;
  ASSERT_TRUE(WeightSet::Load(graph, reader, device, nullptr));
  EXPECT_THAT(released, testing::ElementsAre(std::pair(1, 2)));
}

}  // namespace
}  // namespace rf
