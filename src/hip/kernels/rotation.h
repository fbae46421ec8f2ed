// The rotation of a pair, which two kernels share bit by bit.
#pragma once

#include "hip/kernels/gpu.h"
#include "ops/rope.h"

namespace rf::hip {
namespace {

/// Rotates the j-th pair of a head in place. table: cos and sin of each pair, [rope_dim].
RF_DEVICE void RotatePair(const Rope::Attrs& attrs, const float* table, float* head, int j) {
  const bool is_adjacent = attrs.pairing == RopePairing::kAdjacent;
  float* first = head + (is_adjacent ? 2 * j : j);
  float* second = first + (is_adjacent ? 1 : attrs.rope_dim / 2);
  const float cosine = table[2 * j];
  const float sine = table[2 * j + 1];
  const float a = *first;
  const float b = *second;
  *first = a * cosine - b * sine;
  *second = a * sine + b * cosine;
}

}  // namespace
}  // namespace rf::hip
