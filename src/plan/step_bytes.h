// The memory traffic and the operations that a step cannot do without.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "gguf/reader.h"
#include "quant/format.h"

namespace rf {

struct StepBytes {
  uint64_t weights = 0;  ///< of all products, norms and biases, once; of experts those that one token uses
  /// Of the products of one token of a prompt with all weights before the output, two for each weight.
  int64_t operations = 0;
  /// K and V of one position in one layer.
  struct Layer {
    uint64_t bytes = 0;
    int32_t window = 0;  ///< positions that are looked at; 0: all
  };
  std::vector<Layer> kv_layers;

  /// What one token after n_positions others reads of the KV cache.
  uint64_t KvBytes(int64_t n_positions) const;
};

/// Counted on the model's graph, with the weights in the form that `device` keeps. Embedding rows are left out (one row
/// a token), and so are activations, which stay in the caches. Errors: those of BuildModel.
Result<StepBytes> CountStepBytes(const GgufFile& file, const Device& device, Format kv_format);

}  // namespace rf
