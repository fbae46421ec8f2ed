// Attention: cuts a batch into jobs for attention_worker.h.
//
// Prefill: a job is up to kMaxJobTokens tokens of one sequence and one KV head, over all positions. Where that gives
// fewer jobs than threads (decode with few KV heads and a long context), jobs are split by chunks too, and the parts
// are merged in order afterwards: the same merges in the same order as within one job.
#include "cpu/kernels/attention_bfloat16.h"

namespace rf::cpu {
namespace {

constexpr int32_t kMaxSplits = 16;

int32_t ChunksOf(const Attention::Args& args, int32_t token) {
  return args.batch->positions[token] / kChunk + 1;
}

/// How a batch is cut: into jobs of up to job_tokens tokens, of the sequences that are computed in bfloat16 or of the
/// others.
struct JobCut {
  const Attention::Args& args;
  bool in_bfloat16 = false;
  int32_t job_tokens = kMaxJobTokens;
  Precision precision = Precision::kExact;

  int32_t BlocksOf(int32_t sequence) const {
    const int32_t n_tokens = args.batch->first_token[sequence + 1] - args.batch->first_token[sequence];
    const bool is_rounded = precision == Precision::kBFloat16 && n_tokens >= kBFloat16FromTokens;
    return is_rounded == in_bfloat16 ? (n_tokens + job_tokens - 1) / job_tokens : 0;
  }
  int64_t CountJobs() const {
    int64_t n_blocks = 0;
    for (int32_t s = 0; s < args.batch->n_sequences; ++s) n_blocks += BlocksOf(s);
    return n_blocks * args.kv.n_kv_heads;
  }
};

// The index-th job over all sequences: token blocks outermost, KV heads innermost.
AttentionJob JobAt(const JobCut& cut, int64_t index) {
  const Attention::Args& args = cut.args;
  const BatchView& batch = *args.batch;
  const auto kv_head = static_cast<int32_t>(index % args.kv.n_kv_heads);
  auto block = static_cast<int32_t>(index / args.kv.n_kv_heads);
  for (int32_t s = 0; s < batch.n_sequences; ++s) {
    const int32_t n_blocks = cut.BlocksOf(s);
    if (block >= n_blocks) {
      block -= n_blocks;
      continue;
    }
    const int32_t first = batch.first_token[s] + block * cut.job_tokens;
    const int32_t left = batch.first_token[s + 1] - first;
    const int32_t count = left < cut.job_tokens ? left : cut.job_tokens;
    const int32_t first_chunk = FirstVisible(args.attrs, batch.positions[first]) / kChunk;
    return {s, kv_head, first, count, first_chunk, ChunksOf(args, first + count - 1)};
  }
  return {};
}

int64_t QueriesPerJob(const Attention::Args& args, int32_t job_tokens) {
  const int64_t tokens = args.q.n_rows < job_tokens ? args.q.n_rows : job_tokens;
  return tokens * (args.attrs.n_heads / args.kv.n_kv_heads);
}

void ResetStates(const SoftmaxStates& states, int64_t n_queries) {
  for (int64_t i = 0; i < n_queries; ++i) {
    states.largest[i] = -INFINITY;
    states.sum[i] = 0.0f;
  }
}

// Of one thread: the job's states, then what Worker needs. Multiples of 64 bytes.
template <typename Worker>
struct Memory {
  int64_t n_queries;
  int64_t head_dim;
  int64_t state_floats;
  int64_t thread_floats;

  Memory(const Attention::Args& args, int32_t job_tokens)
      : n_queries(QueriesPerJob(args, job_tokens)),
        head_dim(args.kv.head_dim),
        state_floats(Aligned(SoftmaxStates::Floats(n_queries, head_dim))),
        thread_floats(Aligned(Worker::ScratchFloats(n_queries, head_dim)) + state_floats) {}

  static int64_t Aligned(int64_t n_floats) { return (n_floats + 15) / 16 * 16; }
};

// One job per task, each over all its positions.
template <typename Worker>
void RunJobs(const CpuContext& context, const JobCut& cut, int64_t n_jobs) {
  const Memory<Worker> memory(cut.args, cut.job_tokens);
  auto* base = static_cast<float*>(context.workspace);
  ForEachTask(context, n_jobs, [&](int64_t index, int thread) {
    float* scratch = base + thread * memory.thread_floats;
    const SoftmaxStates merged = SoftmaxStates::At(scratch, memory.n_queries, memory.head_dim);
    const AttentionJob job = JobAt(cut, index);
    ResetStates(merged, memory.n_queries);
    Worker worker(cut.args, scratch + memory.state_floats, memory.n_queries);
    worker.Run(job, merged);
    FinishJob(cut.args, job, merged);
  });
}

// Few jobs with long contexts: every chunk of every job is a task, its state is kept, and the states are merged in
// order.
template <typename RowType>
void RunSplitJob(const CpuContext& context, const Attention::Args& args, const AttentionJob& job) {
  const Memory<AttentionWorker<RowType>> memory(args, kMaxJobTokens);
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
  FinishJob(args, job, merged);
}

template <typename RowType>
void RunExactly(const CpuContext& cpu, const JobCut& cut) {
  const int64_t n_jobs = cut.CountJobs();
  if (n_jobs >= cpu.pool->n_threads() || n_jobs == 0) {
    RunJobs<AttentionWorker<RowType>>(cpu, cut, n_jobs);
    return;
  }
  for (int64_t i = 0; i < n_jobs; ++i) RunSplitJob<RowType>(cpu, cut.args, JobAt(cut, i));
}

template <typename RowType>
void Launch(void* context, const Attention::Args& args) {
  RunExactly<RowType>(*static_cast<const CpuContext*>(context), {args});
}

// Prompts in bfloat16, in jobs small enough that all threads have some; the rest exactly.
template <typename RowType>
void LaunchBFloat16(void* context, const Attention::Args& args) {
  const CpuContext& cpu = *static_cast<const CpuContext*>(context);
  JobCut cut{args, true, kBFloat16JobTokens, Precision::kBFloat16};
  while (cut.CountJobs() < 2 * cpu.pool->n_threads() && cut.job_tokens > kMaxJobTokens) cut.job_tokens /= 2;
  RunJobs<BFloat16Attention<RowType>>(cpu, cut, cut.CountJobs());
  RunExactly<RowType>(cpu, {args, false, kMaxJobTokens, Precision::kBFloat16});
}

template <typename RowType>
size_t WorkspaceBytes(const Attention::Args& args, int n_threads) {
  const Memory<AttentionWorker<RowType>> memory(args, kMaxJobTokens);
  return static_cast<size_t>(n_threads * memory.thread_floats + kMaxSplits * memory.state_floats) * sizeof(float);
}

template <typename RowType>
size_t BFloat16WorkspaceBytes(const Attention::Args& args, int n_threads) {
  const Memory<BFloat16Attention<RowType>> memory(args, kBFloat16JobTokens);
  const size_t exact = WorkspaceBytes<RowType>(args, n_threads);
  const size_t rounded = static_cast<size_t>(n_threads * memory.thread_floats) * sizeof(float);
  return rounded > exact ? rounded : exact;
}

}  // namespace

void RF_ISA::RegisterAttention(KernelTable& table) {
#define RF_KV_FORMAT(Name, header)                                                                      \
  table.attention.Set(Format::k##Name, {Launch<KvRow<Block##Name>>, WorkspaceBytes<KvRow<Block##Name>>, \
                                        RF_KERNEL_NAME("attention_" #Name)});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
}

bool RF_ISA::RegisterAttentionBFloat16(KernelTable& table) {
  if constexpr (kHasBFloat16Attention) {
#define RF_KV_FORMAT(Name, header)                                                                     \
  table.attention.Set(Format::k##Name,                                                                 \
                      {LaunchBFloat16<KvRow<Block##Name>>, BFloat16WorkspaceBytes<KvRow<Block##Name>>, \
                       RF_KERNEL_NAME("attention_" #Name "_bf16")});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
  }
  return kHasBFloat16Attention;
}

}  // namespace rf::cpu
