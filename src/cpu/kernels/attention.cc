// Attention: cuts a batch into jobs for attention_worker.h.
//
// Prefill: a job is up to kMaxJobTokens tokens of one sequence and one KV head, over all positions. Where that gives
// fewer jobs than threads (decode with few KV heads and a long context), jobs are split by chunks too, and the parts
// are merged in order afterwards: the same merges in the same order as within one job.
#include "cpu/kernels/attention_worker.h"

namespace rf::cpu {
namespace {

constexpr int32_t kMaxSplits = 16;

int32_t ChunksOf(const Attention::Args& args, int32_t token) {
  return args.batch->positions[token] / kChunk + 1;
}

int64_t CountTokenBlocks(const BatchView& batch) {
  int64_t n_blocks = 0;
  for (int32_t s = 0; s < batch.n_sequences; ++s) {
    n_blocks += (batch.first_token[s + 1] - batch.first_token[s] + kMaxJobTokens - 1) / kMaxJobTokens;
  }
  return n_blocks;
}

// The index-th job over all sequences: token blocks outermost, KV heads innermost.
AttentionJob JobAt(const Attention::Args& args, int64_t index) {
  const BatchView& batch = *args.batch;
  const auto kv_head = static_cast<int32_t>(index % args.kv.n_kv_heads);
  auto block = static_cast<int32_t>(index / args.kv.n_kv_heads);
  for (int32_t s = 0; s < batch.n_sequences; ++s) {
    const int32_t n_tokens = batch.first_token[s + 1] - batch.first_token[s];
    const int32_t n_blocks = (n_tokens + kMaxJobTokens - 1) / kMaxJobTokens;
    if (block >= n_blocks) {
      block -= n_blocks;
      continue;
    }
    const int32_t first = batch.first_token[s] + block * kMaxJobTokens;
    const int32_t left = batch.first_token[s + 1] - first;
    const int32_t count = left < kMaxJobTokens ? left : kMaxJobTokens;
    const int32_t first_chunk = FirstVisible(args.attrs, batch.positions[first]) / kChunk;
    return {s, kv_head, first, count, first_chunk, ChunksOf(args, first + count - 1)};
  }
  return {};
}

int64_t QueriesPerJob(const Attention::Args& args) {
  const int64_t tokens = args.q.n_rows < kMaxJobTokens ? args.q.n_rows : kMaxJobTokens;
  return tokens * (args.attrs.n_heads / args.kv.n_kv_heads);
}

void ResetStates(const SoftmaxStates& states, int64_t n_queries) {
  for (int64_t i = 0; i < n_queries; ++i) {
    states.largest[i] = -INFINITY;
    states.sum[i] = 0.0f;
  }
}

template <typename RowType>
struct Memory {
  int64_t n_queries;
  int64_t head_dim;
  int64_t state_floats;
  int64_t thread_floats;

  explicit Memory(const Attention::Args& args)
      : n_queries(QueriesPerJob(args)),
        head_dim(args.kv.head_dim),
        state_floats(SoftmaxStates::Floats(n_queries, head_dim)),
        thread_floats(AttentionWorker<RowType>::ScratchFloats(n_queries, head_dim) + state_floats) {}
};

// One job per task, each over all its positions.
template <typename RowType>
void RunJobs(const CpuContext& context, const Attention::Args& args, int64_t n_jobs) {
  const Memory<RowType> memory(args);
  auto* base = static_cast<float*>(context.workspace);
  ForEachTask(context, n_jobs, [&](int64_t index, int thread) {
    float* scratch = base + thread * memory.thread_floats;
    const SoftmaxStates merged = SoftmaxStates::At(scratch, memory.n_queries, memory.head_dim);
    const AttentionJob job = JobAt(args, index);
    ResetStates(merged, memory.n_queries);
    AttentionWorker<RowType> worker(args, scratch + memory.state_floats, memory.n_queries);
    worker.Run(job, merged);
    worker.Finish(job, merged);
  });
}

// Few jobs with long contexts: every chunk of every job is a task, its state is kept, and the states are merged in
// order.
template <typename RowType>
void RunSplitJob(const CpuContext& context, const Attention::Args& args, const AttentionJob& job) {
  const Memory<RowType> memory(args);
  auto* base = static_cast<float*>(context.workspace);
  float* states = base + context.pool->n_threads() * memory.thread_floats;
  const int64_t n_queries = static_cast<int64_t>(job.n_tokens) * (args.attrs.n_heads / args.kv.n_kv_heads);
  const SoftmaxStates merged = SoftmaxStates::At(base, memory.n_queries, memory.head_dim);
  ResetStates(merged, memory.n_queries);
  for (int32_t begin = job.first_chunk; begin < job.last_chunk; begin += kMaxSplits) {
    const int32_t count = job.last_chunk - begin < kMaxSplits ? job.last_chunk - begin : kMaxSplits;
    ForEachTask(context, count, [&](int64_t i, int thread) {
      AttentionJob part = job;
      part.first_chunk = begin + static_cast<int32_t>(i);
      part.last_chunk = part.first_chunk + 1;
      const SoftmaxStates state =
          SoftmaxStates::At(states + i * memory.state_floats, memory.n_queries, memory.head_dim);
      ResetStates(state, memory.n_queries);
      float* scratch = base + thread * memory.thread_floats + memory.state_floats;
      AttentionWorker<RowType>(args, scratch, memory.n_queries).Run(part, state);
    });
    for (int32_t i = 0; i < count; ++i) {
      const SoftmaxStates state =
          SoftmaxStates::At(states + i * memory.state_floats, memory.n_queries, memory.head_dim);
      for (int64_t q = 0; q < n_queries; ++q) MergeStates(state, q, merged, q, memory.head_dim);
    }
  }
  AttentionWorker<RowType>(args, base + memory.state_floats, memory.n_queries).Finish(job, merged);
}

template <typename RowType>
void Launch(void* context, const Attention::Args& args) {
  const CpuContext& cpu = *static_cast<const CpuContext*>(context);
  const int64_t n_jobs = CountTokenBlocks(*args.batch) * args.kv.n_kv_heads;
  if (n_jobs >= cpu.pool->n_threads() || n_jobs == 0) {
    RunJobs<RowType>(cpu, args, n_jobs);
    return;
  }
  for (int64_t i = 0; i < n_jobs; ++i) RunSplitJob<RowType>(cpu, args, JobAt(args, i));
}

template <typename RowType>
size_t WorkspaceBytes(const Attention::Args& args, int n_threads) {
  const Memory<RowType> memory(args);
  return static_cast<size_t>(n_threads * memory.thread_floats + kMaxSplits * memory.state_floats) * sizeof(float);
}

}  // namespace

void RF_ISA::RegisterAttention(KernelTable& table) {
#define RF_KV_FORMAT(Name, header)                                                                      \
  table.attention.Set(Format::k##Name, {Launch<KvRow<Block##Name>>, WorkspaceBytes<KvRow<Block##Name>>, \
                                        RF_KERNEL_NAME("attention_" #Name)});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
}

}  // namespace rf::cpu
