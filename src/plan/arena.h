// Lifetimes of activations: every value of a graph gets a place in one arena, reserved at load, that no step ever
// grows.
#pragma once

#include <cstdint>
#include <vector>

#include "model/graph.h"

namespace rf {

/// Most rows that a step can have.
struct RowLimits {
  int64_t max_tokens = 0;
  int64_t max_outputs = 0;
};

struct ArenaLayout {
  std::vector<uint64_t> offset;  ///< [n_values] byte offset, a multiple of 256; unused values have 0
  uint64_t bytes = 0;            ///< size of the arena
};

/// Most rows of a value under the limits.
int64_t MaxRows(const Value& value, const RowLimits& limits);

/// Bytes of a value at most. REQUIRES: a plain format.
uint64_t MaxBytes(const Value& value, const RowLimits& limits);

/// Places values whose lifetimes (first to last node that names them) overlap in disjoint ranges: largest first, each
/// at the lowest offset that is free during its life. A part's inputs live from its first node; its outputs and the
/// logits outlive the last one.
ArenaLayout LayOutArena(const Graph& graph, const RowLimits& limits);

}  // namespace rf
