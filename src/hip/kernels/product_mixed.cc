// Products with weights of two formats and the same few rows in one launch: V of most files has more bits than Q and K.
// A block has outputs of one part, and does what a block of the slice kernels of that part's format does.
#include "hip/kernels/product_slice_shapes.h"
#include "hip/kernels/product_slice_tile.h"

namespace rf::hip {
namespace {

// One block of either, with the shape of its format.
template <typename FirstFormat, typename SecondFormat, typename FirstShape, typename SecondShape>
struct MixedShape {
  using First = FirstShape;
  using Second = SecondShape;
  using FirstPlanar = FirstFormat;
  using SecondPlanar = SecondFormat;
  static_assert(First::kRows == Second::kRows);
  static constexpr int kBlocksAtOnce =
      First::kBlocksAtOnce < Second::kBlocksAtOnce ? First::kBlocksAtOnce : Second::kBlocksAtOnce;
  union Memory {
    typename First::Memory first;
    typename Second::Memory second;
  };
};

template <typename Shape>
RF_KERNEL RF_BLOCKS_AT_ONCE(kThreads, Shape::kBlocksAtOnce) MultiplyMixedSlices(ProductJob job, int n_first_blocks) {
  if constexpr (kHasMatrixInstructions) {
    AdmitNext();
    auto& shared = Shared<typename Shape::Memory>();
    const auto block = static_cast<int>(blockIdx.x);
    if (block < n_first_blocks) {
      MultiplySliceTile<typename Shape::FirstPlanar, typename Shape::First>(job, block, 1, shared.first);
    } else {
      MultiplySliceTile<typename Shape::SecondPlanar, typename Shape::Second>(job, block, 1, shared.second);
    }
  }
}

// The blocks of n_parts parts from the first-th on; the first of them is the begin-th of all. Sets first_tile.
int CountBlocks(ProductJob& job, int first, int n_parts, int begin, int outputs) {
  int n_blocks = 0;
  for (int p = first; p < first + n_parts; ++p) {
    job.first_tile[p] = begin + n_blocks;
    n_blocks += static_cast<int>(CeilDivide(job.args.parts[p].weight.n_rows, outputs));
  }
  return n_blocks;
}

template <typename Shape>
void LaunchMixedShape(void* native, ProductJob job, int n_first_parts) {
  const int n_first = CountBlocks(job, 0, n_first_parts, 0, Shape::First::kOutputs);
  const int n_second =
      CountBlocks(job, n_first_parts, job.args.n_parts - n_first_parts, n_first, Shape::Second::kOutputs);
  LaunchEarly(native, MultiplyMixedSlices<Shape>, dim3(static_cast<uint32_t>(n_first + n_second)),
              ThreadsOf(*static_cast<GpuContext*>(native)->traits), sizeof(typename Shape::Memory), job, n_first);
}

template <typename First, typename Second>
void LaunchMixed(void* native, const ProductJob& job, int n_first_parts) {
  WithWidth(native, [&]<bool kNarrow>() {
    const auto launch = [&]<typename A, typename B>() {
      LaunchMixedShape<MixedShape<First, Second, A, B>>(native, job, n_first_parts);
    };
    const auto launch_one_row = [&]<int kTiles>() {
      using A = OneRowShape<First, kFewColumns, kNarrow, kTiles>;
      launch.template operator()<A, OneRowShape<Second, kFewColumns, kNarrow, kTiles>>();
    };
    const int n_rows = job.rows.n_rows;
    if constexpr (kNarrow) {
      const bool are_many = n_rows == 1 && TilesOfBlock(*static_cast<GpuContext*>(native)->traits, job) > 1;
      if (are_many) return launch_one_row.template operator()<2>();
    }
    if (n_rows == 1) return launch_one_row.template operator()<1>();
    if constexpr (kNarrow) {
      using Eight = RowsShape<First, true, true>;
      if (n_rows <= Eight::kRows) return launch.template operator()<Eight, RowsShape<Second, true, true>>();
    }
    launch.template operator()<RowsShape<First, false, kNarrow>, RowsShape<Second, false, kNarrow>>();
  });
}

// Whether all parts are of these two formats, and there are parts of both.
bool AreOf(const MatMul::Args& args, Format first, Format second) {
  int n_first = 0;
  for (int p = 0; p < args.n_parts; ++p) {
    const Format format = args.parts[p].weight.format;
    if (format != first && format != second) return false;
    n_first += format == first ? 1 : 0;
  }
  return n_first > 0 && n_first < args.n_parts;
}

// Parts of `first` before the others, which keep their order; returns how many there are.
int PutFirst(MatMul::Args& args, Format first) {
  const MatMul::Args in_order = args;
  int n_first = 0;
  for (int p = 0; p < args.n_parts; ++p) n_first += in_order.parts[p].weight.format == first ? 1 : 0;
  int next[2] = {0, n_first};
  for (int p = 0; p < args.n_parts; ++p) {
    const bool is_first = in_order.parts[p].weight.format == first;
    args.parts[next[is_first ? 0 : 1]++] = in_order.parts[p];
  }
  return n_first;
}

bool AreFewRows(const MatMul::Args& args) {
  return args.x.n_rows <= kMatrixSide && (args.x.n_rows > 1 || args.x.n_cols <= kFewColumns);
}

}  // namespace

bool IsForMixedSlices(const MatMul::Args& args) {
  for (int p = 0; p < args.n_parts; ++p) {
    if (args.parts[p].weight.layout != kPlanarLayout) return false;
  }
#define RF_MIXED_FORMATS(First, Second) \
  if (AreOf(args, Format::k##First, Format::k##Second)) return AreFewRows(args);
#include "hip/kernels/mixed_formats.def"
#undef RF_MIXED_FORMATS
  return false;
}

void LaunchMixedSlices(void* native, ProductJob job) {
#define RF_MIXED_FORMATS(First, Second)                                                 \
  if (AreOf(job.args, Format::k##First, Format::k##Second)) {                           \
    const int n_first = PutFirst(job.args, Format::k##First);                           \
    LaunchMixed<PlanarOf<Block##First>, PlanarOf<Block##Second>>(native, job, n_first); \
    return;                                                                             \
  }
#include "hip/kernels/mixed_formats.def"
#undef RF_MIXED_FORMATS
}

}  // namespace rf::hip
