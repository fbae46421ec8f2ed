// The memory traffic and the operations that one op of a step cannot do without.
#pragma once

#include <cstdint>
#include <vector>

#include "model/graph.h"
#include "plan/weights.h"
#include "quant/format.h"

namespace rf {

/// What comes and goes of each value, weight and cache once, whether a cache of the processor has it or not.
struct StepWork {
  double bytes = 0.0;
  double operations = 0.0;  ///< of products and attention, a multiplication and an addition counting as two

  StepWork& operator+=(const StepWork& other) {
    bytes += other.bytes;
    operations += other.operations;
    return *this;
  }
};

/// How much a batch is.
struct BatchSizes {
  struct Sequence {
    int64_t n_tokens = 0;
    int64_t kv_length = 0;  ///< positions in the cache once the tokens are stored
  };
  int64_t n_tokens = 0;
  int64_t n_outputs = 0;
  std::vector<Sequence> sequences;
};

/// Of one node of the graph; weights as the device stores them. Of experts so many are counted as the tokens can name
/// at most.
StepWork CountWork(const Graph& graph, const Node& node, const WeightSet& weights, Format kv_format,
                   const BatchSizes& batch);

}  // namespace rf
