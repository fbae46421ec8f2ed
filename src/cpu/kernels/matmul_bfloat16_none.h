// Instruction sets without a unit for bfloat16. See matmul_bfloat16.h.
#pragma once

namespace rf::cpu {
namespace {

inline constexpr int64_t kBFloat16FromRows = INT64_MAX;

inline void MultiplyBFloat16(const BFloat16Tiles&, int, int) {}
inline void PrepareBFloat16Row(const float*, const PreparedRows&, int64_t, int) {}

}  // namespace
}  // namespace rf::cpu
