// An op's operands as plain host data, from which each device gets its own copy.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ops/operands.h"

namespace rf::conformance {

/// What a tensor's rows belong to: cutting a batch by tokens needs to know.
enum class RowsOf { kTokens, kOutputs };

/// An activation of F32 or I32, 4 bytes each. Elements between n_cols and row_stride belong to nobody: they stay
/// poison.
struct HostTensor {
  Format format = Format::kF32;
  int64_t n_rows = 0;
  int64_t n_cols = 0;
  int64_t row_stride = 0;
  std::vector<uint32_t> words;  ///< n_rows * row_stride
  RowsOf rows_of = RowsOf::kTokens;
  int64_t rows_per_token = 1;

  float At(int64_t row, int64_t col) const;
  void Set(int64_t row, int64_t col, float value);
  void SetInt(int64_t row, int64_t col, int32_t value);
};

struct HostWeight {
  Format format = Format::kF32;
  int64_t n_matrices = 1;
  int64_t n_rows = 0;
  int64_t n_cols = 0;
  std::vector<uint8_t> bytes;
};

struct HostBatch {
  std::vector<int32_t> token_ids;
  std::vector<int32_t> positions;
  std::vector<int32_t> sequence_of;
  std::vector<int32_t> first_token;
  std::vector<int32_t> kv_length;
  std::vector<int32_t> page_table;
  int32_t page_table_stride = 0;
  std::vector<int32_t> output_rows;
  std::vector<float> best_factors;    ///< [n_outputs], for BestLogits
  std::vector<int32_t> first_change;  ///< [n_outputs + 1], for it too
  std::vector<LogitChange> changes;

  int32_t n_tokens() const { return static_cast<int32_t>(positions.size()); }
  int32_t n_sequences() const { return static_cast<int32_t>(kv_length.size()); }
};

struct HostKv {
  Format format = Format::kF16;
  int32_t n_pages = 0;
  int32_t n_kv_heads = 0;
  int32_t page_tokens = 0;
  int32_t head_dim = 0;
  std::vector<uint8_t> k;
  std::vector<uint8_t> v;

  int64_t RowBytes() const;
  /// Offset of one head's row at one position of a page, in k or v.
  int64_t RowAt(int32_t page, int32_t head, int32_t slot) const;
};

struct HostOperands {
  std::optional<HostTensor> in[Operands::kMaxInputs];
  std::optional<HostTensor> out[Operands::kMaxOutputs];
  int out_is_in[Operands::kMaxOutputs] = {-1, -1, -1, -1};  ///< out[i] is the memory of in[out_is_in[i]]
  std::optional<HostWeight> weight[Operands::kMaxWeights];
  HostBatch batch;
  std::optional<HostKv> kv;
};

/// The operands of tokens first .. first + count - 1 only.
HostOperands TakeTokens(const HostOperands& all, int32_t first, int32_t count);

/// The same cache content with other page sizes and page numbers, drawn from `seed`.
HostOperands RelayPages(const HostOperands& all, int32_t page_tokens, uint64_t seed);

/// Gives each sequence of the batch pages of its own for kv_length positions, numbered in random order; returns how
/// many pages there are.
int32_t AssignPages(HostBatch& batch, int32_t page_tokens, uint64_t seed);

}  // namespace rf::conformance
