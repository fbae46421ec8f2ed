#include "hip/kernels/register.h"
#include "hip/kernels/unpack.h"
#include "hip/kernels/views.h"
#include "ops/all_weight_formats.h"  // written by ops/CMakeLists.txt from formats.def

namespace rf::hip {
namespace {

constexpr int kThreads = 64;
// Blocks of a row that a block of threads unpacks: up to one a thread, as far as they fit into shared memory.
template <typename Block>
constexpr int kBlocks = Block::kElements <= 128 ? kThreads : 8192 / Block::kElements;

template <typename Block>
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) EmbedTokens(Embed::Args args, BatchView batch) {
  AdmitNext();
  auto& shared = Shared<UnpackedBlocks<Block, kBlocks<Block>>>();
  const auto per_row = static_cast<int>(args.weight.n_cols / Block::kElements);
  const int stretches = (per_row + kBlocks<Block> - 1) / kBlocks<Block>;
  const int64_t token = blockIdx.x / stretches;
  const int first = static_cast<int>(blockIdx.x) % stretches * kBlocks<Block>;
  const int count = per_row - first < kBlocks<Block> ? per_row - first : kBlocks<Block>;
  const auto thread = static_cast<int>(threadIdx.x);

  const Block* blocks = BlocksOf<Block>(args.weight, batch.token_ids[token]) + first;
  if (thread < count) shared.Load(thread, blocks[thread]);
  AwaitPrevious();
  BlockBarrier();
  float* y = RowOf(args.y, token) + static_cast<int64_t>(first) * Block::kElements;
  for (int i = thread; i < count * Block::kElements; i += kThreads) y[i] = shared.At(i) * args.attrs.scale;
}

template <typename Block>
void LaunchEmbed(void* native, const Embed::Args& args) {
  const int64_t stretches = CeilDivide(args.weight.n_cols / Block::kElements, kBlocks<Block>);
  LaunchEarly(native, EmbedTokens<Block>, dim3(static_cast<uint32_t>(args.y.n_rows * stretches)), kThreads,
              sizeof(UnpackedBlocks<Block, kBlocks<Block>>), args, *args.batch);
}

}  // namespace

void RegisterEmbed(const GpuTraits& /*traits*/, KernelTable& table) {
#define RF_FORMAT(Name, ...) table.embed.Set(Format::k##Name, {LaunchEmbed<Block##Name>, nullptr, "hip/embed_" #Name});
#include "quant/formats.def"
#undef RF_FORMAT
}

}  // namespace rf::hip
