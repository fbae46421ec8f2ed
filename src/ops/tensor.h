// Plain views of tensors, weights, the batch and the KV cache, as kernels see them. No ownership, no templates: this
// header is shared by the host, the per-ISA CPU kernels and the GPU kernels.
#pragma once

#include <cstdint>

#include "ops/logit_change.h"
#include "quant/format.h"

namespace rf {

/// A row-major activation [n_rows, n_cols] on one device; rows may be further apart than n_cols.
struct TensorView {
  void* data = nullptr;
  Format format = Format::kF32;  ///< a plain format: F32, F16, BF16 or I32
  int64_t n_rows = 0;
  int64_t n_cols = 0;
  int64_t row_stride = 0;  ///< elements from one row to the next, >= n_cols
};

/// How a device stores a weight. 0 is the file's own layout; other values belong to the device that packed the weight.
using WeightLayout = uint16_t;
inline constexpr WeightLayout kFileLayout = 0;

/// A weight [n_matrices, n_rows, n_cols] on one device: n_rows outputs, n_cols inputs; n_matrices > 1 only for experts.
struct WeightView {
  const void* data = nullptr;
  Format format = Format::kF32;
  WeightLayout layout = kFileLayout;
  int64_t n_matrices = 1;
  int64_t n_rows = 0;
  int64_t n_cols = 0;
};

/// One step's ragged batch: the tokens of several sequences, one sequence after another, with what kernels need to find
/// positions and KV pages. All arrays lie in the memory of the device that runs the kernel.
struct BatchView {
  int32_t n_tokens = 0;
  int32_t n_sequences = 0;
  int32_t n_outputs = 0;                 ///< rows whose logits are wanted
  const int32_t* token_ids = nullptr;    ///< [n_tokens]
  const int32_t* positions = nullptr;    ///< [n_tokens] position in the token's sequence, from 0
  const int32_t* sequence_of = nullptr;  ///< [n_tokens] index into the batch's sequences
  const int32_t* first_token =
      nullptr;  ///< [n_sequences + 1] tokens of sequence s are first_token[s] .. first_token[s+1]
  const int32_t* kv_length = nullptr;  ///< [n_sequences] positions in the cache once this step's tokens are stored
  const int32_t* page_table =
      nullptr;  ///< [n_sequences, page_table_stride] page ids; position p lies on entry p / page_tokens
  int32_t page_table_stride = 0;
  const int32_t* output_rows = nullptr;  ///< [n_outputs] token indices, ascending
  // What BestLogits (ops/best_logits.h) does with each output's logits:
  const float* best_factors = nullptr;    ///< [n_outputs] negative: nothing; 0: no sums
  const int32_t* first_change = nullptr;  ///< [n_outputs + 1] changes of output i are first_change[i] ..
                                          ///< first_change[i+1]
  const LogitChange* changes = nullptr;   ///< of each output by token, those of one token in the order to be made
};

/// The K and V pages of one layer, each [n_pages, n_kv_heads, page_tokens, head_dim].
struct KvLayerView {
  void* k = nullptr;
  void* v = nullptr;
  Format format = Format::kF16;  ///< one of ops/kv_formats.def (blocks along head_dim)
  int32_t n_pages = 0;
  int32_t n_kv_heads = 0;
  int32_t page_tokens = 0;
  int32_t head_dim = 0;
};

}  // namespace rf
