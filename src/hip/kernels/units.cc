#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

constexpr int kUnitThreads = 256;

// Eight lanes make a unit.
RF_KERNEL MakeUnits(TensorView x, ActivationRound* rounds, int64_t n_units) {
  constexpr int64_t kPerBlock = kUnitThreads / kLanesOfUnit;
  const int64_t index = blockIdx.x * kPerBlock + static_cast<int>(threadIdx.x) / kLanesOfUnit;
  const int64_t at = index < n_units ? index : n_units - 1;  // lanes beyond the last unit must go along
  const int64_t per_row = x.n_cols / kUnit;
  const int64_t row = at / per_row;
  const int column = static_cast<int>(at % per_row) * kUnit + static_cast<int>(threadIdx.x) % kLanesOfUnit * 4;
  const float* from = RowOf(x, row) + column;
  MakeUnit({from[0], from[1], from[2], from[3]}, rounds + row * RoundsOf(x.n_cols), column, index < n_units);
}

GpuContext& ContextOf(void* native) {
  return *static_cast<GpuContext*>(native);
}

}  // namespace

size_t UnitBytes(const TensorView& x) {
  return static_cast<size_t>(x.n_rows * CeilDivide(x.n_cols, kRound)) * sizeof(ActivationRound);
}

const ActivationRound* UnitsOf(void* native, const TensorView& x) {
  GpuContext& context = ContextOf(native);
  auto* units = static_cast<ActivationRound*>(context.workspace);
  const UnitsNote& note = context.units;
  if (note.of == x.data && note.n_rows == x.n_rows && note.n_cols == x.n_cols) {
    return static_cast<const ActivationRound*>(note.units);
  }
  const int64_t n_units = x.n_rows * (x.n_cols / kUnit);
  const int64_t n_blocks = CeilDivide(n_units * kLanesOfUnit, kUnitThreads);
  Launch(native, MakeUnits, dim3(static_cast<uint32_t>(n_blocks)), kUnitThreads, 0, x, units, n_units);
  return units;
}

ActivationRound* PlaceForUnits(void* native, const TensorView& y) {
  const GpuContext& context = ContextOf(native);
  if (y.n_cols % kUnit != 0 || UnitBytes(y) > context.workspace_bytes) return nullptr;
  return static_cast<ActivationRound*>(context.workspace);
}

void NoteUnits(void* native, const TensorView& y, const ActivationRound* units) {
  if (units != nullptr) ContextOf(native).units = {y.data, units, y.n_rows, y.n_cols};
}

}  // namespace rf::hip
