// Random operands. Everything comes from the case's seed.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string_view>

#include "conformance/host_operands.h"

namespace rf::conformance {

class Random {
 public:
  explicit Random(std::string_view seed);

  uint64_t Bits() { return engine_(); }
  int32_t Below(int32_t limit) { return static_cast<int32_t>(engine_() % static_cast<uint64_t>(limit)); }
  /// Normally distributed; clang and gcc agree on it.
  float Normal(float scale = 1.0f);

  /// Normally distributed values, rows `gap` elements further apart than they are wide.
  HostTensor Tensor(int64_t n_rows, int64_t n_cols, float scale = 1.0f, int64_t gap = 0);
  /// A weight of random valid blocks: packed values where the format has a packer, and random bits that stand for
  /// values of a sensible size.
  HostWeight Weight(Format format, int64_t n_matrices, int64_t n_rows, int64_t n_cols);
  /// F32 [1, n], center + scale * normal.
  HostWeight Vector(int64_t n, float center, float scale);
  /// A cache whose used positions hold random values and whose other bytes are poison. Assigns the batch's pages.
  HostKv Cache(HostBatch& batch, const HostKv& shape);

 private:
  void Blocks(Format format, int64_t n_blocks, uint8_t* out);

  std::mt19937_64 engine_;
};

/// An output: poison until it is written.
HostTensor Output(int64_t n_rows, int64_t n_cols, int64_t gap = 0, Format format = Format::kF32);

/// Tokens of one sequence of a batch: `past` are in the cache already, `fresh` are in the batch.
struct SequenceShape {
  int32_t past;
  int32_t fresh;
};
HostBatch MakeBatch(std::span<const SequenceShape> sequences);
/// One sequence of n_tokens from position 0.
HostBatch MakeBatch(int32_t n_tokens);

}  // namespace rf::conformance
