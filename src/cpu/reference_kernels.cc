#include "cpu/reference_kernels.h"

#include <algorithm>

#include "cpu/cpu_context.h"
#include "ops/kv_formats.h"

namespace rf::cpu {
namespace {

constexpr int64_t kRowsPerTask = 32;

template <typename Op>
void RunReference(void*, const typename Op::Args& args) {
  Op::Reference(args);
}

// The product takes nearly all the time, so its outputs are shared out to the pool. Each is computed as the reference
// does.
void RunMatMul(void* context, const MatMul::Args& args) {
  for (int p = 0; p < args.n_parts; ++p) {
    const MatMul::Part& whole = args.parts[p];
    const int64_t row_bytes = RowBytes(GetFormatInfo(whole.weight.format), whole.weight.n_cols);
    ForEachTask(*static_cast<CpuContext*>(context), (whole.weight.n_rows + kRowsPerTask - 1) / kRowsPerTask,
                [&](int64_t task, int) {
                  const int64_t first = task * kRowsPerTask;
                  MatMul::Args slice{args.x, args.residual, {whole}, 1};
                  MatMul::Part& part = slice.parts[0];
                  part.weight.data = static_cast<const char*>(whole.weight.data) + first * row_bytes;
                  part.weight.n_rows = std::min(kRowsPerTask, whole.weight.n_rows - first);
                  part.y.data = static_cast<float*>(whole.y.data) + first;
                  part.y.n_cols = part.weight.n_rows;
                  if (part.bias.data != nullptr) part.bias.data = static_cast<const float*>(whole.bias.data) + first;
                  if (slice.residual.data != nullptr)
                    slice.residual.data = static_cast<float*>(args.residual.data) + first;
                  MatMul::Reference(slice);
                });
  }
}

// Whether an op can be asked for with a key of this format at all.
bool IsKey(KeyKind kind, Format format) {
  switch (kind) {
    case KeyKind::kWeight: return true;
    case KeyKind::kCache: return IsKvFormat(format);
    case KeyKind::kActivation: break;
  }
  return format == Format::kF32;
}

// The kernel that runs the reference, unless there is a faster way to the same bits.
template <typename Op>
constexpr auto kLaunch = RunReference<Op>;
template <>
constexpr auto kLaunch<MatMul> = RunMatMul;

template <typename Op>
void FillOp(KernelSlot<Op>& slot, const char* name) {
  for (int f = 0; f < kNumFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (IsKey(Op::kKeyKind, format)) slot.Set(format, {kLaunch<Op>, nullptr, name});
  }
}

}  // namespace

void FillReferenceKernels(KernelTable& table) {
#define RF_OP(Name, file) FillOp<Name>(table.file, "reference/" #file);
#include "ops/ops.def"
#undef RF_OP
}

}  // namespace rf::cpu
