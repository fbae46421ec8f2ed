#include "plan/cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "plan/arena.h"

namespace rf {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// 0 the table, 1 the embedding, then for each layer 2 + 2l (rotated, stored) and 3 + 2l (the layer's result); logits.
Graph ThreeLayers() {
  Graph graph;
  const auto add = [&graph](AnyOp op, int32_t layer, std::vector<ValueId> in, ValueId out) -> Node& {
    Node& node = graph.nodes.emplace_back();
    node.op = op;
    node.layer = layer;
    std::copy(in.begin(), in.end(), node.in.begin());
    node.out[0] = out;
    return node;
  };
  for (int i = 0; i < 9; ++i) graph.AddValue({RowKind::kTokens, 1, 64, Format::kF32});
  add(OpNode<RopeTable>{}, -1, {}, 0);
  add(OpNode<Embed>{}, -1, {}, 1);
  for (int32_t layer = 0; layer < 3; ++layer) {
    const ValueId before = 1 + 2 * layer;
    add(OpNode<Rope>{}, layer, {before, 0}, before + 1);
    add(OpNode<KvStore>{}, layer, {before + 1, before + 1}, -1).kv_layer = layer;
    add(OpNode<Add>{}, layer, {before, before + 1}, before + 2);
    graph.kv_layers.push_back({1, 64, 10 + layer});
  }
  add(OpNode<MatMul>{}, -1, {7}, 8);
  graph.logits = 8;
  return graph;
}

std::vector<OpId> OpsOf(const Graph& graph) {
  std::vector<OpId> ops;
  for (const Node& node : graph.nodes) ops.push_back(IdOf(node.op));
  return ops;
}

TEST(CutGraph, TheHiddenStateAloneCrossesTheBoundary) {
  const Graph graph = ThreeLayers();
  ASSERT_EQ(CountLayers(graph), 3);
  for (int32_t layer = 0; layer < 3; ++layer) {
    const auto [before, after] = CutGraph(graph, layer);
    EXPECT_THAT(before.outputs, ElementsAre(1 + 2 * layer));
    EXPECT_EQ(after.inputs, before.outputs);
    EXPECT_THAT(before.inputs, IsEmpty());
    EXPECT_THAT(after.outputs, IsEmpty());
    EXPECT_EQ(before.logits, -1);
    EXPECT_EQ(after.logits, 8);
  }
}

TEST(CutGraph, EachPartMakesTheTableThatItReads) {
  const auto [before, after] = CutGraph(ThreeLayers(), 2);
  EXPECT_EQ(OpsOf(before).front(), OpId::kRopeTable);
  EXPECT_THAT(OpsOf(after), ElementsAre(OpId::kRopeTable, OpId::kRope, OpId::kKvStore, OpId::kAdd, OpId::kMatMul));
  EXPECT_THAT(OpsOf(CutGraph(ThreeLayers(), 0).first), ElementsAre(OpId::kEmbed));
}

TEST(CutGraph, EachPartHasItsOwnLayersOfTheCache) {
  const auto [before, after] = CutGraph(ThreeLayers(), 1);
  ASSERT_EQ(before.kv_layers.size(), 1u);
  ASSERT_EQ(after.kv_layers.size(), 2u);
  EXPECT_EQ(after.kv_layers[0].window, 11);
  std::vector<int32_t> used;
  for (const Node& node : after.nodes) {
    if (node.kv_layer >= 0) used.push_back(node.kv_layer);
  }
  EXPECT_THAT(used, ElementsAre(0, 1));
  EXPECT_THAT(CutGraph(ThreeLayers(), 0).first.kv_layers, IsEmpty());
}

TEST(CutGraph, OnlyLayersOfTheGraphAreBoundaries) {
  EXPECT_THROW(CutGraph(ThreeLayers(), 3), BugError);
  EXPECT_THROW(CutGraph(ThreeLayers(), -1), BugError);
  Graph shared = ThreeLayers();
  for (Node& node : shared.nodes) node.kv_layer = std::min(node.kv_layer, 0);
  EXPECT_THROW(CutGraph(shared, 1), BugError);  // one layer's cache would be in two places
}

// What comes from outside may not be overwritten before it is read, nor what goes out after.
TEST(CutGraph, InputsLiveFromTheStartAndOutputsToTheEnd) {
  Graph part;
  for (int i = 0; i < 4; ++i) part.AddValue({RowKind::kTokens, 1, 64, Format::kF32});
  part.nodes.resize(3);
  const ValueId in[3][2] = {{-1, -1}, {1, 1}, {2, 0}};
  for (int i = 0; i < 3; ++i) {
    std::copy_n(in[i], 2, part.nodes[static_cast<size_t>(i)].in.begin());
    part.nodes[static_cast<size_t>(i)].out[0] = i + 1;
  }
  part.inputs = {0};
  part.outputs = {1, 3};
  const ArenaLayout layout = LayOutArena(part, {4, 4});
  for (const size_t other : {1, 2, 3}) EXPECT_NE(layout.offset[0], layout.offset[other]);
  EXPECT_NE(layout.offset[1], layout.offset[3]);
}

}  // namespace
}  // namespace rf
