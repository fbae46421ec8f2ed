// Up to three products with one x: parts of the same format in one launch.
#include "hip/kernels/product_unpacked.h"
#include "hip/kernels/register.h"

namespace rf::hip {
namespace {

// The parts of `format`, as one job.
ProductJob JobOf(const MatMul::Args& args, Format format) {
  ProductJob job{args, {}, {}};
  job.args.n_parts = 0;
  for (int p = 0; p < args.n_parts; ++p) {
    if (args.parts[p].weight.format == format) job.args.parts[job.args.n_parts++] = args.parts[p];
  }
  job.rows.n_rows = static_cast<int32_t>(args.x.n_rows);
  return job;
}

bool IsFirstOfFormat(const MatMul::Args& args, int p) {
  for (int before = 0; before < p; ++before) {
    if (args.parts[before].weight.format == args.parts[p].weight.format) return false;
  }
  return true;
}

void LaunchMatMul(void* native, const MatMul::Args& args) {
  for (int p = 0; p < args.n_parts; ++p) {
    if (!IsFirstOfFormat(args, p)) continue;
    const Format format = args.parts[p].weight.format;
    ProductKernelsOf(format).launch(native, JobOf(args, format));
  }
}

}  // namespace

const ProductKernels& ProductKernelsOf(Format format) {
  return UnpackedProductKernels(format);
}

void RegisterMatMul(const GpuTraits& /*traits*/, KernelTable& table) {
#define RF_FORMAT(Name, ...) table.matmul.Set(Format::k##Name, {LaunchMatMul, nullptr, "hip/matmul_" #Name});
#include "quant/formats.def"
#undef RF_FORMAT
}

}  // namespace rf::hip
