// Attention of prompts in bfloat16, where the instruction set has a unit for it and the device was asked for it
// (Precision::kBFloat16): for sequences with at least kBFloat16FromTokens tokens in the step.
//   BFloat16Attention<RowType>: runs jobs as AttentionWorker does, of up to kBFloat16JobTokens tokens.
// Queries and keys are sums of two bfloat16 numbers each (16 significant bits), of whose products the least is left
// out; weights and values are rounded to one. Chunks and their merging are those of AttentionWorker, so that a query's
// roundings depend on its own position only here as well.
#pragma once

#include "cpu/kernels/amx.h"
#include "cpu/kernels/attention_worker.h"

#if RF_HAS_AMX
#include "cpu/kernels/attention_bfloat16_amx.h"
#else
namespace rf::cpu {
namespace {

inline constexpr bool kHasBFloat16Attention = false;

template <typename RowType>
using BFloat16Attention = AttentionWorker<RowType>;

}  // namespace
}  // namespace rf::cpu
#endif

namespace rf::cpu {
namespace {

inline constexpr int32_t kBFloat16FromTokens = 32;
inline constexpr int32_t kBFloat16JobTokens = 64;

}  // namespace
}  // namespace rf::cpu
