#include "plan/arena.h"

#include <algorithm>
#include <numeric>

#include "plan/alignment.h"

namespace rf {
namespace {

struct Lifetime {
  int first = -1;  // node indices, inclusive
  int last = -1;
};

void Touch(std::vector<Lifetime>& lives, ValueId value, int node) {
  if (value < 0) return;
  Lifetime& life = lives[value];
  if (life.first < 0) life.first = node;
  life.last = node;
}

std::vector<Lifetime> FindLifetimes(const Graph& graph) {
  std::vector<Lifetime> lives(graph.values.size());
  for (ValueId value : graph.inputs) Touch(lives, value, 0);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    for (ValueId value : graph.nodes[i].in) Touch(lives, value, i);
    for (ValueId value : graph.nodes[i].out) Touch(lives, value, i);
  }
  const int end = static_cast<int>(graph.nodes.size());
  for (ValueId value : graph.outputs) Touch(lives, value, end);
  Touch(lives, graph.logits, end);
  return lives;
}

bool Overlap(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

struct Placed {
  Lifetime life;
  uint64_t begin;
  uint64_t end;
};

// Lowest aligned offset at which `size` bytes are free of every placed range that lives at the same time.
// REQUIRES: `placed` is sorted by begin.
uint64_t LowestFree(const std::vector<Placed>& placed, const Lifetime& life, uint64_t size) {
  uint64_t offset = 0;
  for (const Placed& other : placed) {
    if (!Overlap(other.life, life)) continue;
    if (other.begin >= offset + size) break;
    offset = std::max(offset, other.end);
  }
  return offset;
}

}  // namespace

int64_t MaxRows(const Value& value, const RowLimits& limits) {
  return value.rows == RowKind::kTokens ? limits.max_tokens * value.rows_per_token : limits.max_outputs;
}

uint64_t MaxBytes(const Value& value, const RowLimits& limits) {
  const uint64_t bytes = static_cast<uint64_t>(MaxRows(value, limits)) *
                         static_cast<uint64_t>(RowBytes(GetFormatInfo(value.format), value.n_cols));
  return AlignUp(bytes);
}

ArenaLayout LayOutArena(const Graph& graph, const RowLimits& limits) {
  const std::vector<Lifetime> lives = FindLifetimes(graph);
  std::vector<ValueId> order(graph.values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](ValueId a, ValueId b) {
    return MaxBytes(graph.values[a], limits) > MaxBytes(graph.values[b], limits);
  });

  ArenaLayout layout;
  layout.offset.assign(graph.values.size(), 0);
  std::vector<Placed> placed;
  for (ValueId value : order) {
    if (lives[value].first < 0) continue;
    const uint64_t size = MaxBytes(graph.values[value], limits);
    const uint64_t begin = LowestFree(placed, lives[value], size);
    layout.offset[value] = begin;
    layout.bytes = std::max(layout.bytes, begin + size);
    const Placed entry{lives[value], begin, begin + size};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), entry,
                                   [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                  entry);
  }
  return layout;
}

}  // namespace rf
