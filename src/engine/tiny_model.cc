#include "engine/tiny_model.h"

#include <cmath>
#include <utility>

#include "base/check.h"

namespace rf {
namespace {

constexpr int64_t kModelDim = 256;
constexpr int32_t kHeads = 4;
constexpr int32_t kKvHeads = 2;
constexpr int32_t kHeadDim = 64;
constexpr int64_t kFfDim = 256;
constexpr float kEpsilon = 1e-5f;
constexpr float kRopeBase = 10000.0f;

// The same numbers in [-limit, limit) each time.
std::vector<float> Numbers(int64_t n, float limit, uint32_t seed) {
  std::vector<float> numbers(static_cast<size_t>(n));
  for (float& number : numbers) {
    seed = seed * 1664525u + 1013904223u;
    number = limit * static_cast<float>(static_cast<int32_t>(seed >> 8) - (1 << 23)) / static_cast<float>(1 << 23);
  }
  return numbers;
}

std::vector<float> RopeFrequencies() {
  std::vector<float> frequencies;
  for (int32_t i = 0; i < kHeadDim; i += 2) {
    frequencies.push_back(std::pow(kRopeBase, -static_cast<float>(i) / static_cast<float>(kHeadDim)));
  }
  return frequencies;
}

}  // namespace

TinyModel::TinyModel() {
  const ValueId embedded = AddValue(RowKind::kTokens, kModelDim);
  const WeightId embedding = AddMatrix(Format::kQ8_0, kVocab, kModelDim);
  Node& embed = AddNode(OpNode<Embed>{{16.0f}}, -1);  // a matrix's rows are about 1 / 16 long in each direction
  embed.weight[0] = embedding;
  embed.out[0] = embedded;

  const ValueId attended = AddSum(embedded, AddAttention(AddNorm(embedded, 0)));
  const ValueId fed = AddSum(attended, AddFeedForward(AddNorm(attended, 0)));

  const ValueId wanted = AddValue(RowKind::kOutputs, kModelDim);
  Node& gather = AddNode(OpNode<GatherRows>{}, -1);
  gather.in[0] = fed;
  gather.out[0] = wanted;
  graph_.logits = Multiply(AddNorm(wanted, -1), Format::kF16, {kVocab}, -1)[0];
}

Node& TinyModel::AddNode(const AnyOp& op, int32_t layer) {
  Node& node = graph_.nodes.emplace_back();
  node.op = op;
  node.layer = layer;
  return node;
}

WeightId TinyModel::AddMatrix(Format format, int64_t n_rows, int64_t n_cols) {
  const FormatInfo& info = GetFormatInfo(format);
  const float limit = std::sqrt(3.0f / static_cast<float>(n_cols));  // keeps the variance of what it multiplies
  const auto seed = static_cast<uint32_t>(tensors_.size() + 1);
  const std::vector<float> values = Numbers(n_rows * n_cols, limit, seed);
  RF_CHECK(info.pack != nullptr);
  std::vector<std::byte>& packed = tensors_.emplace_back(static_cast<size_t>(RowBytes(info, n_rows * n_cols)));
  info.pack(values.data(), n_rows * n_cols, packed.data());
  WeightRef ref;
  ref.tensor = static_cast<int32_t>(tensors_.size() - 1);
  ref.format = format;
  ref.n_rows = n_rows;
  ref.n_cols = n_cols;
  return graph_.AddWeight(ref);
}

ValueId TinyModel::AddNorm(ValueId x, int32_t layer) {
  const Value shape = graph_.values[static_cast<size_t>(x)];
  const ValueId y = graph_.AddValue(shape);
  std::vector<float> weight = Numbers(shape.n_cols, 0.5f, 77);
  for (float& factor : weight) factor += 1.0f;
  const WeightId constant = graph_.AddConstant(std::move(weight));
  Node& node = AddNode(OpNode<RmsNorm>{{kEpsilon, 1}}, layer);
  node.in[0] = x;
  node.out[0] = y;
  node.weight[0] = constant;
  return y;
}

std::vector<ValueId> TinyModel::Multiply(ValueId x, Format format, std::vector<int64_t> n_outputs, int32_t layer) {
  const Value shape = graph_.values[static_cast<size_t>(x)];
  Node node;
  node.op = OpNode<MatMul>{{static_cast<int32_t>(n_outputs.size())}};
  node.layer = layer;
  node.in[0] = x;
  std::vector<ValueId> outputs;
  for (size_t part = 0; part < n_outputs.size(); ++part) {
    outputs.push_back(AddValue(shape.rows, n_outputs[part]));
    node.out[part] = outputs.back();
    node.weight[2 * part] = AddMatrix(format, n_outputs[part], shape.n_cols);
  }
  graph_.nodes.push_back(node);
  return outputs;
}

ValueId TinyModel::AddSum(ValueId a, ValueId b) {
  const ValueId y = AddValue(RowKind::kTokens, kModelDim);
  Node& node = AddNode(OpNode<Add>{}, 0);
  node.in[0] = a;
  node.in[1] = b;
  node.out[0] = y;
  return y;
}

ValueId TinyModel::AddAttention(ValueId x) {
  const ValueId table = AddValue(RowKind::kTokens, kHeadDim);
  const WeightId frequencies = graph_.AddConstant(RopeFrequencies());
  Node& make_table = AddNode(OpNode<RopeTable>{{1.0f}}, 0);
  make_table.weight[0] = frequencies;
  make_table.out[0] = table;

  const auto qkv = Multiply(x, Format::kQ4_0, {kHeads * kHeadDim, kKvHeads * kHeadDim, kKvHeads * kHeadDim}, 0);
  Node& rotate = AddNode(OpNode<Rope>{{kHeads, kHeadDim, kHeadDim, RopePairing::kHalves}}, 0);
  rotate.in[0] = table;
  rotate.in[1] = rotate.out[0] = qkv[0];
  rotate.in[2] = rotate.out[1] = qkv[1];

  graph_.kv_layers.push_back({kKvHeads, kHeadDim, 0});
  Node& store = AddNode(OpNode<KvStore>{}, 0);
  store.in[0] = qkv[1];
  store.in[1] = qkv[2];
  store.kv_layer = 0;

  const ValueId y = AddValue(RowKind::kTokens, kHeads * kHeadDim);
  const float scale = 1.0f / std::sqrt(static_cast<float>(kHeadDim));
  Node& attend = AddNode(OpNode<Attention>{{kHeads, scale, 0, 0.0f, 0.0f}}, 0);
  attend.in[0] = qkv[0];
  attend.out[0] = y;
  attend.kv_layer = 0;
  return Multiply(y, Format::kQ4_0, {kModelDim}, 0)[0];
}

ValueId TinyModel::AddFeedForward(ValueId x) {
  const auto gate_up = Multiply(x, Format::kQ4_0, {kFfDim, kFfDim}, 0);
  const ValueId hidden = AddValue(RowKind::kTokens, kFfDim);
  Node& glu = AddNode(OpNode<Glu>{{Activation::kSilu}}, 0);
  glu.in[0] = gate_up[0];
  glu.in[1] = gate_up[1];
  glu.out[0] = hidden;
  return Multiply(hidden, Format::kQ8_0, {kModelDim}, 0)[0];
}

TensorReader TinyModel::Reader() const {
  TensorReader reader;
  reader.read = [this](int32_t tensor) -> Result<TensorData> {
    return TensorData{"the self-test's model", tensors_[static_cast<size_t>(tensor)]};
  };
  reader.is_mapped = true;
  return reader;
}

}  // namespace rf
