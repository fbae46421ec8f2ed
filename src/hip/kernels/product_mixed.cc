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

// A job for each format, so that nothing of the other's is kept in registers.
template <typename Shape>
RF_KERNEL RF_BLOCKS_AT_ONCE(kThreads, Shape::kBlocksAtOnce)
    MultiplyMixedSlices(ProductJob first, ProductJob second, int n_first_blocks) {
  if constexpr (kHasMatrixInstructions) {
    AdmitNext();
    auto& shared = Shared<typename Shape::Memory>();
    const auto block = static_cast<int>(blockIdx.x);
    if (block < n_first_blocks) {
      MultiplySliceTile<typename Shape::FirstPlanar, typename Shape::First>(first, block, 1, shared.first);
    } else {
      const int of_second = block - n_first_blocks;
      MultiplySliceTile<typename Shape::SecondPlanar, typename Shape::Second>(second, of_second, 1, shared.second);
    }
  }
}

template <typename Shape>
void LaunchMixedShape(void* native, ProductJob first, ProductJob second) {
  const uint32_t n_first = PlanTiles(first, Shape::First::kOutputs, Shape::First::kRows).x;
  const uint32_t n_second = PlanTiles(second, Shape::Second::kOutputs, Shape::Second::kRows).x;
  LaunchEarly(native, MultiplyMixedSlices<Shape>, dim3(n_first + n_second),
              ThreadsOf(*static_cast<GpuContext*>(native)->traits), sizeof(typename Shape::Memory), first, second,
              static_cast<int>(n_first));
}

template <typename First, typename Second>
void LaunchMixed(void* native, const ProductJob& first, const ProductJob& second) {
  WithWidth(native, [&]<bool kNarrow>() {
    const auto launch = [&]<typename A, typename B>() {
      LaunchMixedShape<MixedShape<First, Second, A, B>>(native, first, second);
    };
    const auto launch_one_row = [&]<int kTiles>() {
      using A = OneRowShape<First, kFewColumns, kNarrow, kTiles>;
      launch.template operator()<A, OneRowShape<Second, kFewColumns, kNarrow, kTiles>>();
    };
    const int n_rows = first.rows.n_rows;
    if constexpr (kNarrow) {
      const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
      const bool are_many = TilesOfBlock(traits, CountTiles(first) + CountTiles(second)) > 1;
      if (n_rows == 1 && are_many) return launch_one_row.template operator()<2>();
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

void LaunchMixedSlices(void* native, const ProductJob& job) {
#define RF_MIXED_FORMATS(First, Second)                                                                         \
  if (AreOf(job.args, Format::k##First, Format::k##Second)) {                                                   \
    return LaunchMixed<PlanarOf<Block##First>, PlanarOf<Block##Second>>(native, PartsOf(job, Format::k##First), \
                                                                        PartsOf(job, Format::k##Second));       \
  }
#include "hip/kernels/mixed_formats.def"
#undef RF_MIXED_FORMATS
}

}  // namespace rf::hip
