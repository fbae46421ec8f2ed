#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

constexpr int kUnitThreads = 256;

// Eight lanes make a unit.
RF_KERNEL MakeUnits(TensorView x, UnitsPlace units, int64_t n_units) {
  AdmitNext();
  AwaitPrevious();
  constexpr int64_t kPerBlock = kUnitThreads / kLanesOfUnit;
  const int64_t index = blockIdx.x * kPerBlock + static_cast<int>(threadIdx.x) / kLanesOfUnit;
  const int64_t at = index < n_units ? index : n_units - 1;  // lanes beyond the last unit must go along
  const int64_t per_row = (x.n_cols + kUnit - 1) / kUnit;
  const int64_t row = at / per_row;
  const int column = static_cast<int>(at % per_row) * kUnit + static_cast<int>(threadIdx.x) % kLanesOfUnit * 4;
  const float* from = RowOf(x, row) + column;
  const auto at_column = [&](int i) { return column + i < x.n_cols ? from[i] : 0.0f; };
  MakeUnit({at_column(0), at_column(1), at_column(2), at_column(3)}, units, row, column, index < n_units);
}

GpuContext& ContextOf(void* native) {
  return *static_cast<GpuContext*>(native);
}

}  // namespace

size_t UnitBytes(const TensorView& x) {
  const int64_t integers = x.n_rows * CeilDivide(x.n_cols, kRound) * static_cast<int64_t>(sizeof(ActivationRound));
  const int64_t halves = HalfRowsBytes(x.n_rows, x.n_cols);
  constexpr int64_t kAlignment = 16;
  return static_cast<size_t>(CeilDivide(integers > halves ? integers : halves, kAlignment) * kAlignment);
}

UnitsPlace UnitsOf(void* native, const TensorView& x) {
  GpuContext& context = ContextOf(native);
  UnitsPlace units{context.workspace, x.n_rows, x.n_cols};
  const UnitsNote& note = context.units;
  if (note.of == x.data && note.n_rows == x.n_rows && note.n_cols == x.n_cols) {
    units.at = const_cast<void*>(note.units);
    return units;
  }
  const int64_t n_units = x.n_rows * CeilDivide(x.n_cols, kUnit);
  const int64_t n_blocks = CeilDivide(n_units * kLanesOfUnit, kUnitThreads);
  LaunchEarly(native, MakeUnits, dim3(static_cast<uint32_t>(n_blocks)), kUnitThreads, 0, x, units, n_units);
  return units;
}

UnitsPlace PlaceForUnits(void* native, const TensorView& y) {
  const GpuContext& context = ContextOf(native);
  const bool has_room = y.n_cols % kUnit == 0 && UnitBytes(y) <= context.workspace_bytes;
  return {has_room ? context.workspace : nullptr, y.n_rows, y.n_cols};
}

void NoteUnits(void* native, const TensorView& y, const UnitsPlace& units) {
  if (units.at != nullptr) ContextOf(native).units = {y.data, units.at, y.n_rows, y.n_cols};
}

}  // namespace rf::hip
