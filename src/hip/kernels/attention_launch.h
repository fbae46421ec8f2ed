// Starting the kernels of attention.
#pragma once

#include "hip/kernels/attention_place.h"

namespace rf::hip {

/// A kernel whose blocks take a tile of queries each.
struct AttentionKernel {
  void (*run)(Attention::Args, BatchView, TilePlan);
  int n_threads;
  size_t shared_bytes;
  int n_queries;        ///< of a tile
  int64_t busy_blocks;  ///< for each processor; where there are fewer, blocks take single chunks
  float weight_unit;    ///< TilePlan::weight_unit
};

void LaunchAttentionTiles(void* native, const Attention::Args& args, const AttentionKernel& kernel);

/// Attention by matrix instructions; false if it is not for these: another format, larger heads, or a GPU without.
bool LaunchMatrixAttention(void* native, const Attention::Args& args);
/// Which of its kernels that takes: of few queries or of many, for people; null where it takes none.
const char* MatrixAttentionVariant(const void* native, const Attention::Args& args);

}  // namespace rf::hip
