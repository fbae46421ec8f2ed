// Gate and up with their gated unit in one launch, for one row: the units for the product with `down` are made where
// the last sums are.
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

bool AreOneStep(const MatMul::Args& product, const Glu::Args& glu) {
  return product.n_parts == 2 && product.residual.data == nullptr && glu.gate.data == product.parts[0].y.data &&
         glu.up.data == product.parts[1].y.data && glu.y.n_cols == product.parts[0].y.n_cols &&
         glu.y.n_cols == product.parts[1].y.n_cols;
}

// The units of y follow those of x, which the product still reads while others are written.
size_t WorkspaceBytes(const MatMul::Args& product, const Glu::Args& glu) {
  TensorView x = product.x;
  TensorView y = glu.y;
  x.n_rows = y.n_rows = 1;
  return UnitBytes(x) + UnitBytes(y);
}

// But for where the units of x lie.
bool MayBeOne(void* native, const MatMul::Args& product, const Glu::Args& glu) {
  const WeightView& gate = product.parts[0].weight;
  if (product.x.n_rows != 1 || glu.y.n_cols % kUnit != 0 || product.parts[1].weight.format != gate.format) return false;
  if (!AreOneStep(product, glu) || product.x.n_cols > ProductKernelsOf(gate).gated_columns) return false;
  return WorkspaceBytes(product, glu) <= static_cast<GpuContext*>(native)->workspace_bytes;
}

bool LaunchMatMulGlu(void* native, const MatMul::Args& product, const Glu::Args& glu) {
  if (!MayBeOne(native, product, glu)) return false;
  const auto& context = *static_cast<GpuContext*>(native);
  const ProductKernels& kernels = ProductKernelsOf(product.parts[0].weight);
  ProductJob job{};
  job.args = product;
  job.rows.n_rows = 1;
  const UnitsPlace of_x = UnitsOf(native, product.x);
  if (of_x.at != context.workspace) return false;
  SetUnits(job, of_x);
  const UnitsPlace units{static_cast<unsigned char*>(of_x.at) + UnitBytes(product.x), 1, glu.y.n_cols};
  if (!kernels.launch_gated(native, job, glu, units)) return false;
  NoteUnits(native, glu.y, units);
  return true;
}

}  // namespace

void RegisterMatMulGlu(const GpuTraits& /*traits*/, KernelTable& table) {
  table.matmul_glu = {LaunchMatMulGlu, WorkspaceBytes, "hip/matmul_glu", MayBeOne};
}

}  // namespace rf::hip
