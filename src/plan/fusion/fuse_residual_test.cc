#include <gtest/gtest.h>

#include "plan/fusion/passes.h"

namespace rf {
namespace {

Node MakeMatMul(ValueId x, ValueId y, int n_parts = 1) {
  Node node;
  node.op = OpNode<MatMul>{{n_parts}};
  node.in[0] = x;
  node.out[0] = y;
  return node;
}

Node AddNode(ValueId a, ValueId b, ValueId y) {
  Node node;
  node.op = OpNode<Add>{};
  node.in[0] = a;
  node.in[1] = b;
  node.out[0] = y;
  return node;
}

Graph WithValues(int n) {
  Graph graph;
  for (int i = 0; i < n; ++i) graph.AddValue({RowKind::kTokens, 1, 8, Format::kF32});
  return graph;
}

TEST(FuseResidualTest, AddBecomesTheMatMulsResidual) {
  for (bool product_first : {false, true}) {
    Graph graph = WithValues(4);  // 0 residual, 1 x, 2 product, 3 sum
    graph.nodes = {MakeMatMul(1, 2), product_first ? AddNode(2, 0, 3) : AddNode(0, 2, 3)};
    graph.logits = 3;
    FuseResidual(graph);
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(IdOf(graph.nodes[0].op), OpId::kMatMul);
    EXPECT_EQ(graph.nodes[0].in[1], 0);
    EXPECT_EQ(graph.nodes[0].out[0], 3);
  }
}

TEST(FuseResidualTest, KeepsAProductThatIsReadTwice) {
  Graph graph = WithValues(5);
  graph.nodes = {MakeMatMul(1, 2), AddNode(0, 2, 3), AddNode(3, 2, 4)};
  graph.logits = 4;
  FuseResidual(graph);
  EXPECT_EQ(graph.nodes.size(), 3u);
}

TEST(FuseResidualTest, KeepsALogitsProduct) {
  Graph graph = WithValues(4);
  graph.nodes = {MakeMatMul(1, 2), AddNode(0, 2, 3)};
  graph.logits = 2;
  FuseResidual(graph);
  EXPECT_EQ(graph.nodes.size(), 2u);
}

TEST(FuseResidualTest, KeepsMatMulsWithSeveralParts) {
  Graph graph = WithValues(4);
  graph.nodes = {MakeMatMul(1, 2, 2), AddNode(0, 2, 3)};
  graph.logits = 3;
  FuseResidual(graph);
  EXPECT_EQ(graph.nodes.size(), 2u);
}

TEST(FuseResidualTest, ResidualMadeAfterTheProductIsNotRead) {
  Graph graph = WithValues(5);  // the residual 0 is written between product and sum
  graph.nodes = {MakeMatMul(1, 2), AddNode(1, 4, 0), AddNode(0, 2, 3)};
  graph.logits = 3;
  FuseResidual(graph);
  EXPECT_EQ(graph.nodes.size(), 3u);
}

}  // namespace
}  // namespace rf
