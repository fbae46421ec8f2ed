// CPU kernels by themselves, by Google Benchmark: matrix products by format, instruction set and rows, attention,
// norms.
//   rf_kernel_bench --benchmark_filter='matmul/Q4_K/amx/'
// One thread, or $ROCMFORGE_BENCH_THREADS. Operands are those of the conformance tests: random, in guarded memory.
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/machine.h"
#include "conformance/placed_operands.h"
#include "conformance/random.h"
#include "conformance/run.h"

namespace rf::conformance {
namespace {

// A weight of 4 M numbers stays in the last cache in most formats: what is measured is the kernel, not the memory.
constexpr int64_t kModelColumns = 2048;
constexpr int32_t kProductRows[] = {1, 8, 512};
constexpr int32_t kPageTokens = 32;

int ThreadsWanted() {
  const char* wanted = std::getenv("ROCMFORGE_BENCH_THREADS");
  const int n_threads = wanted == nullptr ? 1 : std::atoi(wanted);
  return n_threads < 1 ? 1 : n_threads;
}

// A case whose operands lie ready on a machine.
template <typename Op>
class Prepared {
 public:
  Prepared(Machine& machine, Case<Op> c)
      : machine_(machine),
        case_(std::move(c)),
        placed_(case_.operands, &machine, IdOfOp<Op>()),
        args_(Op::Bind(case_.attrs, placed_.operands())),
        entry_(machine.device->kernels().template SlotOf<Op>().Get(Op::Key(args_))),
        workspace_(machine, WorkspaceBytes()) {
    machine.stream->SetWorkspace(&workspace_);
  }
  bool IsPossible() const { return entry_.launch != nullptr && Op::Check(args_).has_value(); }
  void Launch() { entry_.launch(machine_.stream->native(), args_); }

 private:
  size_t WorkspaceBytes() const {
    if (entry_.workspace_bytes == nullptr) return 0;
    return entry_.workspace_bytes(args_, machine_.device->properties().n_threads);
  }

  Machine& machine_;
  Case<Op> case_;
  PlacedOperands placed_;
  typename Op::Args args_;
  const KernelEntry<Op>& entry_;
  GuardedWorkspace workspace_;
};

// The library calls a benchmark several times to find how often it must run: the operands of the last one are kept.
template <typename Op>
Prepared<Op>& Hold(const std::string& name, const std::function<std::unique_ptr<Prepared<Op>>()>& make) {
  static std::string held_name;
  static std::unique_ptr<Prepared<Op>> held;
  if (held_name != name) {
    held.reset();  // first: there may be no memory for two
    held = make();
    held_name = name;
  }
  return *held;
}

template <typename Op>
void Register(const std::string& name, const std::string& machine_name, double operations,
              const std::function<Case<Op>()>& make_case) {
  const auto run = [=](benchmark::State& state) {
    Machine& machine = *MachineOf(machine_name, ThreadsWanted());
    Prepared<Op>& prepared = Hold<Op>(name, [&] { return std::make_unique<Prepared<Op>>(machine, make_case()); });
    if (!prepared.IsPossible()) return state.SkipWithError("no kernel for it");
    for (auto _ : state) prepared.Launch();
    using benchmark::Counter;
    state.counters["op/s"] = Counter(operations, Counter::kIsIterationInvariantRate);
  };
  auto* registered = benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
  if (ThreadsWanted() > 1) registered->UseRealTime();  // the library knows the time of its own thread only
}

Case<MatMul> ProductCase(const std::string& name, Format format, int32_t n_rows) {
  Case<MatMul> c{name, {1}, {}};
  Random random(name);
  c.operands.in[0] = random.Tensor(n_rows, kModelColumns);
  c.operands.weight[0] = random.Weight(format, 1, kModelColumns, kModelColumns);
  c.operands.out[0] = Output(n_rows, kModelColumns);
  c.operands.batch = MakeBatch(n_rows);
  return c;
}

void RegisterProducts(const std::string& machine) {
#define RF_FORMAT(Name, ...)                                                                 \
  for (const int32_t n_rows : kProductRows) {                                                \
    const std::string name = fmt::format("matmul/{}/{}/{}", #Name, machine, n_rows);         \
    Register<MatMul>(name, machine, 2.0 * n_rows * kModelColumns * kModelColumns,            \
                     [name, n_rows] { return ProductCase(name, Format::k##Name, n_rows); }); \
  }
#include "quant/formats.def"
#undef RF_FORMAT
}

struct AttentionShape {
  SequenceShape tokens;
  int32_t n_heads;
  int32_t n_kv_heads;
  int32_t head_dim;
  Format format;
};

Case<Attention> AttentionCase(const std::string& name, const AttentionShape& shape) {
  Case<Attention> c{name, {.n_heads = shape.n_heads, .scale = 0.125f}, {}};
  Random random(name);
  c.operands.batch = MakeBatch(std::span(&shape.tokens, 1));
  c.operands.kv =
      random.Cache(c.operands.batch, {shape.format, 0, shape.n_kv_heads, kPageTokens, shape.head_dim, {}, {}});
  const int64_t n_cols = int64_t{shape.n_heads} * shape.head_dim;
  c.operands.in[0] = random.Tensor(shape.tokens.fresh, n_cols);
  c.operands.out[0] = Output(shape.tokens.fresh, n_cols);
  return c;
}

// Two products for each visible position and number of a head.
void RegisterAttention(const std::string& name, const std::string& machine, const AttentionShape& shape) {
  const double fresh = shape.tokens.fresh;
  const double visible = fresh * shape.tokens.past + fresh * (fresh + 1) / 2;
  Register<Attention>(fmt::format("attention/{}/{}", name, machine), machine,
                      4.0 * visible * shape.n_heads * shape.head_dim,
                      [name, shape] { return AttentionCase(name, shape); });
}

void RegisterAttentions(const std::string& machine) {
  RegisterAttention("prompt/512", machine, {{0, 512}, 32, 8, 128, Format::kF16});
  for (const int32_t depth : {512, 4096, 16384}) {
    RegisterAttention(fmt::format("decode/{}", depth), machine, {{depth, 1}, 32, 8, 128, Format::kF16});
  }
  // One head, as many positions as it has numbers, in F32; causal as all of ours.
  for (const int32_t n : {32, 64, 128, 256, 512}) {
    RegisterAttention(fmt::format("single/{}", n), machine, {{0, n}, 1, 1, n, Format::kF32});
  }
}

Case<RmsNorm> NormCase(const std::string& name, int32_t n_rows) {
  Case<RmsNorm> c{name, {1e-5f, 1}, {}};
  Random random(name);
  c.operands.in[0] = random.Tensor(n_rows, kModelColumns);
  c.operands.out[0] = Output(n_rows, kModelColumns);
  c.operands.weight[0] = random.Vector(kModelColumns, 1.0f, 0.2f);
  c.operands.batch = MakeBatch(n_rows);
  return c;
}

void RegisterNorms(const std::string& machine) {
  for (const int32_t n_rows : kProductRows) {
    const std::string name = fmt::format("rms_norm/{}/{}", machine, n_rows);
    Register<RmsNorm>(name, machine, 4.0 * n_rows * kModelColumns, [name, n_rows] { return NormCase(name, n_rows); });
  }
}

void RegisterAll() {
  for (const std::string& machine : AllMachines().names) {
    if (IsGpuMachine(machine) || machine == "reference" || MachineOf(machine, ThreadsWanted()) == nullptr) continue;
    RegisterProducts(machine);
    RegisterAttentions(machine);
    RegisterNorms(machine);
  }
}

}  // namespace
}  // namespace rf::conformance

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  rf::conformance::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
