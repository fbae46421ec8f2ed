#include "hip/kernels/activation.h"
#include "hip/kernels/fours.h"
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

// A thread takes four columns.
template <bool kIsAligned>
RF_KERNEL GluRows(Glu::Args args, UnitsPlace units) {
  AdmitNext();
  AwaitPrevious();
  static_assert(kStretchElements == 4 * kStretchThreads);
  const Stretch stretch = StretchOfBlock(args.y.n_cols);
  const int at = stretch.begin + 4 * static_cast<int>(threadIdx.x);
  const auto gate = LoadFour<kIsAligned>(RowOf(args.gate, stretch.row), at, stretch.end);
  const auto up = LoadFour<kIsAligned>(RowOf(args.up, stretch.row), at, stretch.end);
  const Float4 y = GluOf(args.attrs.activation, gate, up);
  StoreFour<kIsAligned>(y, RowOf(args.y, stretch.row), at, stretch.end);
  if (units.at != nullptr) MakeUnit(y, units, stretch.row, at, at < stretch.end);
}

void LaunchGlu(void* native, const Glu::Args& args) {
  const bool is_aligned = HoldsFours(args.gate) && HoldsFours(args.up) && HoldsFours(args.y);
  const UnitsPlace units = PlaceForUnits(native, args.y);
  LaunchEarly(native, is_aligned ? GluRows<true> : GluRows<false>, StretchesOf(args.y.n_rows, args.y.n_cols),
              kStretchThreads, 0, args, units);
  NoteUnits(native, args.y, units);
}

size_t WorkspaceBytes(const Glu::Args& args, int /*n_threads*/) {
  return UnitBytes(args.y);
}

}  // namespace

void RegisterGlu(const GpuTraits& /*traits*/, KernelTable& table) {
  table.glu.Set(Format::kF32, {LaunchGlu, WorkspaceBytes, "hip/glu"});
}

}  // namespace rf::hip
