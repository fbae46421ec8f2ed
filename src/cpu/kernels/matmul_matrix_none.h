// Instruction sets without a matrix unit. See matmul_matrix.h.
#pragma once

namespace rf::cpu {
namespace {

inline constexpr int64_t kMatrixFromRows = INT64_MAX;
inline constexpr int64_t kMatrixPanels = 1;

class MatrixUnit {
 public:
  MatrixUnit() {}
};

inline void PrepareMatrixBlock(const int32_t (&)[kBlock], const BlockScales&, MatrixForm, int, MatrixBlock&) {}

}  // namespace
}  // namespace rf::cpu
