#include "plan/step_work.h"

#include <gtest/gtest.h>

namespace rf {
namespace {

// Weights that the device looks at where they lie.
class LookingDevice final : public Device {
 public:
  const DeviceProperties& properties() const override { return properties_; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Buffer>> Allocate(size_t, std::string_view) override {
    return Error{ErrorCode::kOutOfMemory, "none", ""};
  }
  Result<std::unique_ptr<Stream>> CreateStream() override { return Error{ErrorCode::kDevice, "none", ""}; }
  LoadedWeight DescribeWeight(const WeightSource&) const override { return {}; }
  Result<LoadedWeight> LoadWeight(const WeightSource& source) override {
    LoadedWeight loaded;
    loaded.view = {source.bytes.data(), source.format, kFileLayout, source.n_matrices, source.n_rows, source.n_cols};
    return loaded;
  }
  Result<std::optional<uint64_t>> FindDamage(const LoadedWeight&, const WeightSource&) override {
    return std::optional<uint64_t>();
  }

 private:
  DeviceProperties properties_;
  KernelTable kernels_;
};

class StepWorkTest : public testing::Test {
 protected:
  ValueId AddValue(RowKind rows, int64_t n_cols, int32_t rows_per_token = 1) {
    return graph_.AddValue({rows, rows_per_token, n_cols, Format::kF32});
  }
  WeightId AddWeight(Format format, int64_t n_rows, int64_t n_cols, int64_t n_matrices = 1) {
    WeightRef ref;
    ref.tensor = 0;
    ref.format = format;
    ref.n_matrices = n_matrices;
    ref.n_rows = n_rows;
    ref.n_cols = n_cols;
    return graph_.AddWeight(ref);
  }
  StepWork Count(const Node& node) {
    graph_.nodes = {node};
    const std::vector<std::byte> bytes(1 << 20);
    TensorReader reader;
    reader.read = [&](int32_t) -> Result<TensorData> { return TensorData{"any", bytes}; };
    reader.is_mapped = true;
    LookingDevice device;
    const auto weights = WeightSet::Load(graph_, reader, device, nullptr);
    EXPECT_TRUE(weights);
    return CountWork(graph_, node, *weights, Format::kF16, batch_);
  }

  Graph graph_;
  BatchSizes batch_{5, 2, {{4, 4}, {1, 100}}};  // the begin of a prompt, and a token after 99 others
};

TEST_F(StepWorkTest, ProductsOfTokensAndOfOutputs) {
  const WeightId weight = AddWeight(Format::kQ4_0, 64, 32);
  const WeightId bias = AddWeight(Format::kF32, 1, 64);
  for (const auto& [rows, n_rows] : {std::pair{RowKind::kTokens, 5}, std::pair{RowKind::kOutputs, 2}}) {
    Node node;
    node.op = OpNode<MatMul>{};
    node.in[0] = AddValue(rows, 32);
    node.out[0] = AddValue(rows, 64);
    node.weight[0] = weight;
    node.weight[1] = bias;
    const StepWork work = Count(node);
    EXPECT_EQ(work.bytes, 64 * 18 + 64 * 4 + n_rows * (32 + 64) * 4);
    EXPECT_EQ(work.operations, 2.0 * n_rows * 64 * 32);
  }
}

// Ten products with eight experts: all of them; two with eight: two.
TEST_F(StepWorkTest, ExpertsThatTokensCanName) {
  Node node;
  node.op = OpNode<MoeMatMul>{};
  node.in[0] = AddValue(RowKind::kTokens, 32);
  node.in[1] = AddValue(RowKind::kTokens, 2);
  node.out[0] = AddValue(RowKind::kTokens, 16, 2);
  node.weight[0] = AddWeight(Format::kF16, 16, 32, 8);
  EXPECT_EQ(Count(node).bytes, 8 * 16 * 32 * 2 + 5 * (32 + 2) * 4 + 10 * 16 * 4);
  EXPECT_EQ(Count(node).operations, 2.0 * 10 * 16 * 32);
  batch_.n_tokens = 1;
  EXPECT_EQ(Count(node).bytes, 2 * 16 * 32 * 2 + (32 + 2) * 4 + 2 * 16 * 4);
}

TEST_F(StepWorkTest, TheCacheIsReadAsFarAsTokensSee) {
  graph_.kv_layers = {{2, 8, 0}, {2, 8, 3}};
  Node node;
  node.op = OpNode<Attention>{};
  node.in[0] = AddValue(RowKind::kTokens, 4 * 8);
  node.out[0] = AddValue(RowKind::kTokens, 4 * 8);
  const double values = 2 * 5 * 32 * 4;
  const double of_position = 2 * 2 * 8 * 2;
  node.kv_layer = 0;
  EXPECT_EQ(Count(node).bytes, values + (4 + 100) * of_position);
  EXPECT_EQ(Count(node).operations, 4.0 * 32 * (1 + 2 + 3 + 4 + 100));
  node.kv_layer = 1;  // a window of three positions
  EXPECT_EQ(Count(node).bytes, values + (4 + 3) * of_position);
  EXPECT_EQ(Count(node).operations, 4.0 * 32 * (1 + 2 + 3 + 3 + 3));
  node.op = OpNode<KvStore>{};
  node.out[0] = -1;
  EXPECT_EQ(Count(node).bytes, 5 * 32 * 4 + 5 * of_position);
}

TEST_F(StepWorkTest, RowsThatAreLookedUp) {
  Node node;
  node.op = OpNode<Embed>{};
  node.out[0] = AddValue(RowKind::kTokens, 32);
  node.weight[0] = AddWeight(Format::kF16, 1000, 32);
  EXPECT_EQ(Count(node).bytes, 5 * (32 * 2 + 32 * 4));
  Node gather;
  gather.op = OpNode<GatherRows>{};
  gather.in[0] = AddValue(RowKind::kTokens, 32);
  gather.out[0] = AddValue(RowKind::kOutputs, 32);
  EXPECT_EQ(Count(gather).bytes, 2 * 2 * 32 * 4);
}

}  // namespace
}  // namespace rf
