#include "plan/arena.h"

#include <random>

#include <gtest/gtest.h>

namespace rf {
namespace {

Node MakeAdd(ValueId a, ValueId b, ValueId y) {
  Node node;
  node.op = OpNode<Add>{};
  node.in[0] = a;
  node.in[1] = b;
  node.out[0] = y;
  return node;
}

// First and last node that names a value, recomputed here the slow way.
std::pair<int, int> LifeOf(const Graph& graph, ValueId value) {
  int first = -1;
  int last = -1;
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    for (ValueId v : {graph.nodes[i].in[0], graph.nodes[i].in[1], graph.nodes[i].out[0]}) {
      if (v != value) continue;
      if (first < 0) first = i;
      last = i;
    }
  }
  if (value == graph.logits) last = static_cast<int>(graph.nodes.size());
  return {first, last};
}

TEST(ArenaTest, ValuesOfAChainShareTwoPlaces) {
  Graph graph;
  for (int i = 0; i < 6; ++i) graph.AddValue({RowKind::kTokens, 1, 64, Format::kF32});
  for (int i = 0; i + 1 < 6; ++i) graph.nodes.push_back(MakeAdd(i, i, i + 1));
  graph.logits = 5;
  const ArenaLayout layout = LayOutArena(graph, {4, 1});
  EXPECT_EQ(layout.bytes, 2u * 4 * 64 * sizeof(float));  // one is read while the other is written
}

TEST(ArenaTest, OutputsCountTheirOwnRows) {
  EXPECT_EQ(MaxBytes({RowKind::kOutputs, 1, 64, Format::kF32}, {100, 3}), 3u * 64 * 4);
  EXPECT_EQ(MaxBytes({RowKind::kTokens, 2, 64, Format::kF32}, {100, 3}), 200u * 64 * 4);
}

// Random graphs: no two values that live at the same time may share a byte.
TEST(ArenaTest, LivingValuesNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Graph graph;
    const int n_values = 30;
    for (int i = 0; i < n_values; ++i) {
      graph.AddValue({RowKind::kTokens, 1, static_cast<int64_t>(1 + random() % 500), Format::kF32});
    }
    for (int i = 0; i < 40; ++i) {
      graph.nodes.push_back(MakeAdd(static_cast<ValueId>(random() % n_values),
                                    static_cast<ValueId>(random() % n_values),
                                    static_cast<ValueId>(random() % n_values)));
    }
    graph.logits = static_cast<ValueId>(random() % n_values);
    const RowLimits limits{static_cast<int64_t>(1 + random() % 8), 1};
    const ArenaLayout layout = LayOutArena(graph, limits);
    for (ValueId a = 0; a < n_values; ++a) {
      const auto [first_a, last_a] = LifeOf(graph, a);
      if (first_a < 0) continue;
      EXPECT_LE(layout.offset[a] + MaxBytes(graph.values[a], limits), layout.bytes);
      for (ValueId b = a + 1; b < n_values; ++b) {
        const auto [first_b, last_b] = LifeOf(graph, b);
        if (first_b < 0 || first_a > last_b || first_b > last_a) continue;
        EXPECT_TRUE(layout.offset[a] + MaxBytes(graph.values[a], limits) <= layout.offset[b] ||
                    layout.offset[b] + MaxBytes(graph.values[b], limits) <= layout.offset[a])
            << "values " << a << " and " << b << " in round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace rf
