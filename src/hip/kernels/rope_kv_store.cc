// Rotation and KV store of a step in one launch: a block takes a head of a token, and what it rotated lies in shared
// memory until it is packed.
#include "hip/kernels/register.h"
#include "hip/kernels/rotation.h"
#include "hip/kernels/views.h"
#include "ops/all_kv_formats.h"  // written by ops/CMakeLists.txt from kv_formats.def

namespace rf::hip {
namespace {

constexpr int kThreads = 64;
constexpr int kMaxHeadDim = 512;

struct HeadMemory {
  float head[kMaxHeadDim];
};

// Where a token's head of K or V lies in the cache.
template <typename Block>
RF_DEVICE Block* CacheRowOf(const KvStore::Args& args, const BatchView& batch, void* half, int token, int head) {
  const int position = batch.positions[token];
  const int page = PageOf(batch, args.kv, batch.sequence_of[token], position);
  return CacheRow<Block>(args.kv, half, page, head, position % args.kv.page_tokens);
}

template <typename Block>
RF_DEVICE void PackHead(const float* from, Block* to, int head_dim) {
  for (int i = static_cast<int>(threadIdx.x); i < head_dim / Block::kElements; i += kThreads) {
    Pack(from + i * Block::kElements, to + i);
  }
}

// In place.
RF_DEVICE void RotateHead(const Rope::Attrs& attrs, const float* table, float* head) {
  for (int j = static_cast<int>(threadIdx.x); j < attrs.rope_dim / 2; j += kThreads) {
    RotatePair(attrs, table, head, j);
  }
}

// A token's heads: those of Q, which are rotated, of K, which are rotated and packed, and of V, which are packed.
template <typename Block>
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) RotateAndStore(Rope::Args rope, KvStore::Args store, BatchView batch) {
  AdmitNext();
  AwaitPrevious();
  auto& shared = Shared<HeadMemory>();
  const int head_dim = store.kv.head_dim;
  const int n_kv_heads = store.kv.n_kv_heads;
  const int n_heads = rope.attrs.n_heads + 2 * n_kv_heads;
  const auto block = static_cast<int>(blockIdx.x);
  const int token = block / n_heads;
  const int index = block % n_heads - rope.attrs.n_heads;
  const float* table = RowOf(rope.table, token);
  if (index < 0) {
    RotateHead(rope.attrs, table, RowOf(rope.x, token) + static_cast<int64_t>(block % n_heads) * head_dim);
    return;
  }
  if (index >= n_kv_heads) {
    const int head = index - n_kv_heads;
    PackHead(RowOf(store.v, token) + static_cast<int64_t>(head) * head_dim,
             CacheRowOf<Block>(store, batch, store.kv.v, token, head), head_dim);
    return;
  }
  float* k = RowOf(store.k, token) + static_cast<int64_t>(index) * head_dim;
  for (int i = static_cast<int>(threadIdx.x); i < head_dim; i += kThreads) shared.head[i] = k[i];
  BlockBarrier();
  RotateHead(rope.attrs, table, shared.head);
  BlockBarrier();
  for (int i = static_cast<int>(threadIdx.x); i < rope.attrs.rope_dim; i += kThreads) k[i] = shared.head[i];
  PackHead(shared.head, CacheRowOf<Block>(store, batch, store.kv.k, token, index), head_dim);
}

bool AreOneStep(void* /*native*/, const Rope::Args& rope, const KvStore::Args& store) {
  return rope.second.data == store.k.data && rope.attrs.head_dim == store.kv.head_dim &&
         rope.second.n_cols == store.k.n_cols && store.kv.head_dim <= kMaxHeadDim;
}

bool LaunchRopeKvStore(void* native, const Rope::Args& rope, const KvStore::Args& store) {
  if (!AreOneStep(native, rope, store)) return false;
  const int64_t n_blocks = store.k.n_rows * (rope.attrs.n_heads + 2 * store.kv.n_kv_heads);
  const auto launch = [&](auto kernel) {
    LaunchEarly(native, kernel, dim3(static_cast<uint32_t>(n_blocks)), kThreads, sizeof(HeadMemory), rope, store,
                *store.batch);
    return true;
  };
  switch (store.kv.format) {
#define RF_KV_FORMAT(Name, header) \
  case Format::k##Name:            \
    return launch(RotateAndStore<Block##Name>);
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
    default: return false;
  }
}

}  // namespace

void RegisterRopeKvStore(const GpuTraits& /*traits*/, KernelTable& table) {
  table.rope_kv_store = {LaunchRopeKvStore, nullptr, "hip/rope_kv_store", AreOneStep};
}

}  // namespace rf::hip
