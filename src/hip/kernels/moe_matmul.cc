// Products with experts. A few rows each meet their expert alone; many are grouped by expert first, so that an expert's
// weights are read once for a tile of rows.
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

constexpr int kThreads = 1024;

// Where the grouped rows lie in the workspace.
struct Groups {
  int32_t n_rows;
  int32_t n_experts;
  int32_t n_tiles;  // at most; those that are not needed are empty
  RowTile* tiles;   // [n_tiles]
  int32_t* counts;  // [n_experts] rows of each expert
  int32_t* order;   // [n_rows] rows, expert by expert
};

size_t BytesOf(const Groups& groups) {
  return sizeof(RowTile) * static_cast<size_t>(groups.n_tiles) +
         sizeof(int32_t) * static_cast<size_t>(groups.n_experts + groups.n_rows);
}

// Their sizes, without memory.
Groups GroupsOf(const MoeMatMul::Args& args) {
  const auto n_rows = static_cast<int32_t>(args.y.n_rows);
  const auto n_experts = static_cast<int32_t>(args.weight.n_matrices);
  const int32_t n_full = n_rows / kExpertTileRows;
  return {n_rows, n_experts, n_full + (n_experts < n_rows ? n_experts : n_rows), nullptr, nullptr, nullptr};
}

Groups PlacedGroups(const MoeMatMul::Args& args, void* workspace) {
  Groups groups = GroupsOf(args);
  groups.tiles = static_cast<RowTile*>(workspace);
  groups.counts = reinterpret_cast<int32_t*>(groups.tiles + groups.n_tiles);
  groups.order = groups.counts + groups.n_experts;
  return groups;
}

RF_DEVICE int ExpertOf(const ProductRows& rows, int row) {
  return rows.ids[row / rows.n_used * rows.ids_stride + row % rows.n_used];
}

// Calls use(first row, bits) for each stretch of a wave's size of y's rows: the bits of those that an expert computes.
// All lanes.
template <typename Use>
RF_DEVICE void ForEachStretch(const ProductRows& rows, int expert, Use use) {
  for (int begin = 0; begin < rows.n_rows; begin += WaveSize()) {
    const int row = begin + Lane();
    use(begin, Ballot(row < rows.n_rows && ExpertOf(rows, row) == expert));
  }
}

RF_DEVICE int TilesFor(int count, int tile_rows) {
  return (count + tile_rows - 1) / tile_rows;
}

// A wave writes an expert's rows, in order, from order[first_row] on.
RF_DEVICE void WriteRows(const ProductRows& rows, int expert, int32_t* order) {
  const uint64_t lanes_before = (uint64_t{1} << Lane()) - 1;
  ForEachStretch(rows, expert, [&](int begin, uint64_t bits) {
    if ((bits >> Lane() & 1) != 0) order[CountBits(bits & lanes_before)] = begin + Lane();
    order += CountBits(bits);
  });
}

// One block; a wave looks after every WavesInBlock()-th expert.
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) GroupRows(ProductRows rows, Groups groups, int tile_rows) {
  for (int expert = WaveIndex(); expert < groups.n_experts; expert += WavesInBlock()) {
    int count = 0;
    ForEachStretch(rows, expert, [&](int, uint64_t bits) { count += CountBits(bits); });
    if (Lane() == 0) groups.counts[expert] = count;
  }
  BlockBarrier();
  int first_row = 0;
  int first_tile = 0;
  for (int expert = 0; expert < groups.n_experts; ++expert) {
    const int count = groups.counts[expert];
    if (expert % WavesInBlock() == WaveIndex()) {
      WriteRows(rows, expert, groups.order + first_row);
      for (int i = Lane(); i < TilesFor(count, tile_rows); i += WaveSize()) {
        const int done = i * tile_rows;
        const int left = count - done;
        groups.tiles[first_tile + i] = {expert, first_row + done, left < tile_rows ? left : tile_rows};
      }
    }
    first_row += count;
    first_tile += TilesFor(count, tile_rows);
  }
  for (int i = first_tile + static_cast<int>(threadIdx.x); i < groups.n_tiles; i += kThreads) {
    groups.tiles[i] = {0, 0, 0};
  }
}

// From one row an expert on average, reading an expert's weights once pays.
bool IsGrouped(const MoeMatMul::Args& args) {
  return args.y.n_rows >= args.weight.n_matrices;
}

// The units of x come first.
size_t UnitBytesOf(const MoeMatMul::Args& args) {
  return MayReadUnits(args.weight.format) ? UnitBytes(args.x) : 0;
}

size_t WorkspaceBytes(const MoeMatMul::Args& args, int /*n_threads*/) {
  return UnitBytesOf(args) + (IsGrouped(args) ? BytesOf(GroupsOf(args)) : 0);
}

Groups GroupsIn(void* native, const MoeMatMul::Args& args) {
  auto* workspace = static_cast<unsigned char*>(static_cast<GpuContext*>(native)->workspace);
  return PlacedGroups(args, workspace + UnitBytesOf(args));
}

// Without the units.
ProductJob JobOf(void* native, const MoeMatMul::Args& args) {
  ProductJob job{};
  job.args = {args.x, {}, {{args.weight, {}, args.y}}, 1};
  job.rows.n_rows = static_cast<int32_t>(args.y.n_rows);
  job.rows.ids = static_cast<const int32_t*>(args.ids.data);
  job.rows.ids_stride = args.ids.row_stride;
  job.rows.n_used = static_cast<int32_t>(args.ids.n_cols);
  job.rows.rows_per_x = args.x.n_rows == args.ids.n_rows ? job.rows.n_used : 1;
  if (!IsGrouped(args)) return job;
  const Groups groups = GroupsIn(native, args);
  job.rows.tiles = groups.tiles;
  job.rows.order = groups.order;
  job.rows.n_tiles = groups.n_tiles;
  job.rows.tile_rows = kExpertTileRows;
  return job;
}

void LaunchMoeMatMul(void* native, const MoeMatMul::Args& args) {
  const ProductKernels& kernels = ProductKernelsOf(args.weight);
  ProductJob job = JobOf(native, args);
  if (kernels.reads_units) SetUnits(job, UnitsOf(native, args.x));
  if (IsGrouped(args)) {
    Launch(native, GroupRows, dim3(1), kThreads, 0, job.rows, GroupsIn(native, args), kExpertTileRows);
  }
  kernels.launch(native, job);
}

void NameVariants(void* native, const MoeMatMul::Args& args, const VariantNames& names) {
  names.add(names.to, ProductKernelsOf(args.weight).variant_of(native, JobOf(native, args)));
}

}  // namespace

void RegisterMoeMatMul(const GpuTraits& traits, KernelTable& table) {
#define RF_FORMAT(Name, ...)                                                                       \
  table.moe_matmul.Set(Format::k##Name, {LaunchMoeMatMul, WorkspaceBytes, "hip/moe_matmul_" #Name, \
                                         WeightLayoutOf(Format::k##Name, traits), NameVariants});
#include "quant/formats.def"
#undef RF_FORMAT
}

}  // namespace rf::hip
