// Products with F32, F16 and BF16 weights, in F32: lane l of a group has columns 8 l .. 8 l + 7 of each 256.
#include "hip/kernels/product_plain.h"

#include "hip/kernels/plain_elements.h"
#include "hip/kernels/product_shape.h"

namespace rf::hip {
namespace {

constexpr int kPiece = 8;
constexpr int kColumns = kPiece * kProductLanes;

// Eight columns of a row. Rows of which the length is no multiple of eight, or that lie anywhere, are read element by
// element.
template <bool kIsAligned, typename Block>
RF_DEVICE EightFloats LoadPiece(const Block* row, int column, int n_cols) {
  if constexpr (kIsAligned) {
    return LoadEight(row + column);
  } else {
    return LoadUpToEight(row + column, n_cols - column);
  }
}

RF_DEVICE float AddPiece(const EightFloats& w, const EightFloats& x, float sum) {
  RF_UNROLL
  for (int i = 0; i < kPiece; ++i) sum = fmaf(w.values[i], x.values[i], sum);
  return sum;
}

template <typename Block, bool kIsAligned, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(Shape::kThreads) MultiplyPlain(ProductJob job, int n_row_tiles) {
  const auto place = ProductPlace<Shape>::OfThread(job, n_row_tiles);
  if (place.rows.count == 0) return;
  const auto n_cols = static_cast<int>(job.args.x.n_cols);
  const Block* weights[Shape::kOutputs];
  RF_UNROLL
  for (int c = 0; c < Shape::kOutputs; ++c) weights[c] = place.template WeightsOf<Block>(c);
  const BlockF32* x[Shape::kRows];
  RF_UNROLL
  for (int r = 0; r < Shape::kRows; ++r) {
    x[r] = reinterpret_cast<const BlockF32*>(RowOf(job.args.x, place.InputRow(job, r)));
  }

  float sums[Shape::kRows][Shape::kOutputs] = {};
  [[maybe_unused]] constexpr int kUnrolled = Shape::kAhead;
  RF_UNROLL_LOADS
  for (int column = place.lane * kPiece; column < n_cols; column += kColumns) {
    EightFloats w[Shape::kOutputs];
    RF_UNROLL
    for (int c = 0; c < Shape::kOutputs; ++c) w[c] = LoadPiece<kIsAligned>(weights[c], column, n_cols);
    RF_UNROLL
    for (int r = 0; r < Shape::kRows; ++r) {
      if (Shape::kRows > 1 && r % 2 == 0) KeepOrder();
      const EightFloats piece = LoadPiece<kIsAligned>(x[r], column, n_cols);
      RF_UNROLL
      for (int c = 0; c < Shape::kOutputs; ++c) sums[r][c] = AddPiece(w[c], piece, sums[r][c]);
    }
  }
  FinishProduct<Shape>(job, place, sums);
}

bool IsAligned(const void* address, int64_t stride_bytes) {
  return reinterpret_cast<uintptr_t>(address) % 16 == 0 && stride_bytes % 16 == 0;
}

bool CanLoadEight(const MatMul::Args& args) {
  bool can = args.x.n_cols % kPiece == 0 && IsAligned(args.x.data, args.x.row_stride * 4);
  for (int p = 0; p < args.n_parts; ++p) can = can && IsAligned(args.parts[p].weight.data, 0);
  return can;
}

template <typename Block>
void LaunchProduct(void* native, ProductJob job) {
  const bool is_aligned = CanLoadEight(job.args);
  WithProductShape(native, job, [&]<typename Shape>() {
    LaunchProductTiles<Shape>(native,
                              is_aligned ? MultiplyPlain<Block, true, Shape> : MultiplyPlain<Block, false, Shape>, job);
  });
}

const char* VariantOf(const void* /*native*/, const ProductJob& /*job*/) {
  return "floats";
}

template <typename Block>
constexpr ProductKernels kKernels = {false, LaunchProduct<Block>, nullptr, 0, VariantOf};

}  // namespace

const ProductKernels* PlainProductKernels(Format format) {
  switch (format) {
    case Format::kF32: return &kKernels<BlockF32>;
    case Format::kF16: return &kKernels<BlockF16>;
    case Format::kBF16: return &kKernels<BlockBF16>;
    default: return nullptr;
  }
}

}  // namespace rf::hip
