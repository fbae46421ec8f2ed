#include "hip/kernels/register.h"
#include "hip/kernels/views.h"
#include "ops/all_kv_formats.h"  // written by ops/CMakeLists.txt from kv_formats.def

namespace rf::hip {
namespace {

constexpr int kThreads = 128;

// A thread packs a block. A token has the blocks of its K, head by head, and then those of its V.
template <typename Block>
RF_KERNEL StoreBlocks(KvStore::Args args, BatchView batch) {
  AdmitNext();
  AwaitPrevious();
  const int per_head = args.kv.head_dim / Block::kElements;
  const int per_half = args.kv.n_kv_heads * per_head;
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int64_t token = index / (2 * per_half);
  if (token >= args.k.n_rows) return;
  const auto within = static_cast<int>(index % (2 * per_half));
  const bool is_v = within >= per_half;
  const int block = is_v ? within - per_half : within;
  const int position = batch.positions[token];
  const int page = PageOf(batch, args.kv, batch.sequence_of[token], position);
  Block* row =
      CacheRow<Block>(args.kv, is_v ? args.kv.v : args.kv.k, page, block / per_head, position % args.kv.page_tokens);
  Pack(RowOf(is_v ? args.v : args.k, token) + static_cast<int64_t>(block) * Block::kElements, row + block % per_head);
}

template <typename Block>
void LaunchKvStore(void* native, const KvStore::Args& args) {
  const int64_t n_blocks = args.k.n_rows * 2 * args.kv.n_kv_heads * (args.kv.head_dim / Block::kElements);
  LaunchEarly(native, StoreBlocks<Block>, dim3(static_cast<uint32_t>(CeilDivide(n_blocks, kThreads))), kThreads, 0,
              args, *args.batch);
}

}  // namespace

void RegisterKvStore(const GpuTraits& /*traits*/, KernelTable& table) {
#define RF_KV_FORMAT(Name, header) \
  table.kv_store.Set(Format::k##Name, {LaunchKvStore<Block##Name>, nullptr, "hip/kv_store_" #Name});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
}

}  // namespace rf::hip
