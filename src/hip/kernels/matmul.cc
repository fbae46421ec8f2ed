// Up to three products with one x: parts of the same format in one launch, of some pairs of formats too.
#include "hip/kernels/planar.h"
#include "hip/kernels/product_integer.h"
#include "hip/kernels/product_plain.h"
#include "hip/kernels/product_planar.h"
#include "hip/kernels/product_unpacked.h"
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

ProductJob JobOf(const MatMul::Args& args) {
  ProductJob job{};
  job.args = args;
  job.rows.n_rows = static_cast<int32_t>(args.x.n_rows);
  return job;
}

bool IsFirstOfFormat(const MatMul::Args& args, int p) {
  for (int before = 0; before < p; ++before) {
    if (args.parts[before].weight.format == args.parts[p].weight.format) return false;
  }
  return true;
}

bool ReadsUnits(const MatMul::Args& args) {
  for (int p = 0; p < args.n_parts; ++p) {
    if (ProductKernelsOf(args.parts[p].weight).reads_units) return true;
  }
  return false;
}

size_t WorkspaceBytes(const MatMul::Args& args, int /*n_threads*/) {
  for (int p = 0; p < args.n_parts; ++p) {
    if (MayReadUnits(args.parts[p].weight.format)) return UnitBytes(args.x);
  }
  return 0;
}

void LaunchMatMul(void* native, const MatMul::Args& args) {
  const UnitsPlace units = ReadsUnits(args) ? UnitsOf(native, args.x) : UnitsPlace{};
  ProductJob job = JobOf(args);
  SetUnits(job, units);
  if (IsForMixedSlices(args)) return LaunchMixedSlices(native, job);
  for (int p = 0; p < args.n_parts; ++p) {
    if (!IsFirstOfFormat(args, p)) continue;
    const WeightView& weight = args.parts[p].weight;
    ProductKernelsOf(weight).launch(native, PartsOf(job, weight.format));
  }
}

void NameVariants(void* native, const MatMul::Args& args, const VariantNames& names) {
  if (IsForMixedSlices(args)) return names.add(names.to, "slices of two formats");
  const ProductJob job = JobOf(args);
  for (int p = 0; p < args.n_parts; ++p) {
    if (!IsFirstOfFormat(args, p)) continue;
    const WeightView& weight = args.parts[p].weight;
    names.add(names.to, ProductKernelsOf(weight).variant_of(native, PartsOf(job, weight.format)));
  }
}

}  // namespace

WeightLayout WeightLayoutOf(Format format, const GpuTraits& traits) {
  return HasMatrixInstructions(traits) && MayReadUnits(format) ? kPlanarLayout : kFileLayout;
}

bool MayReadUnits(Format format) {
  switch (format) {
#define RF_PLANAR_FORMAT(Name) case Format::k##Name:
#include "hip/kernels/planar_formats.def"
#undef RF_PLANAR_FORMAT
    return true;
    default: return false;
  }
}

const ProductKernels& ProductKernelsOf(const WeightView& weight) {
  if (weight.layout == kPlanarLayout) return PlanarProductKernels();
  const Format format = weight.format;
  if (const ProductKernels* kernels = IntegerProductKernels(format)) return *kernels;
  if (const ProductKernels* kernels = PlainProductKernels(format)) return *kernels;
  return UnpackedProductKernels(format);
}

void RegisterMatMul(const GpuTraits& traits, KernelTable& table) {
#define RF_FORMAT(Name, ...)                                                            \
  table.matmul.Set(Format::k##Name, {LaunchMatMul, WorkspaceBytes, "hip/matmul_" #Name, \
                                     WeightLayoutOf(Format::k##Name, traits), NameVariants});
#include "quant/formats.def"
#undef RF_FORMAT
}

}  // namespace rf::hip
