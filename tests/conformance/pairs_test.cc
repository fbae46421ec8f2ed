// Pairs of ops that a device computes by one kernel: all their outputs have the bits that the two ops give one after
// the other, and so has what is computed from them next.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/case.h"
#include "conformance/random.h"
#include "conformance/run.h"
#include "ops/kv_formats.h"

namespace rf::conformance {
namespace {

// Two ops over the same placed operands. When they have run, `then` may launch what reads their results.
template <typename First, typename Second>
struct Pair {
  std::string name;
  HostOperands operands;
  typename First::Args (*first)(const Operands& operands);
  typename Second::Args (*second)(const Operands& operands);
  void (*then)(Machine& machine, const Operands& operands) = nullptr;
  size_t then_bytes = 0;
};

template <typename Op>
void LaunchOp(Machine& machine, const typename Op::Args& args) {
  machine.device->kernels().template SlotOf<Op>().Get(Op::Key(args)).launch(machine.stream->native(), args);
}

template <typename Op>
size_t BytesFor(Machine& machine, const typename Op::Args& args) {
  const KernelEntry<Op>& entry = machine.device->kernels().template SlotOf<Op>().Get(Op::Key(args));
  return entry.workspace_bytes == nullptr ? 0 : entry.workspace_bytes(args, 1);
}

// By one kernel or one after the other; `fused` tells whether the one took them.
template <typename First, typename Second>
Outputs RunPair(Machine& machine, const Pair<First, Second>& pair, bool together, bool& fused) {
  PlacedOperands placed(pair.operands, &machine, IdOfOp<First>());
  const typename First::Args first = pair.first(placed.operands());
  const typename Second::Args second = pair.second(placed.operands());
  const PairEntry<First, Second>& entry = machine.device->kernels().template PairOf<First, Second>();
  size_t bytes = std::max({BytesFor<First>(machine, first), BytesFor<Second>(machine, second), pair.then_bytes});
  if (entry.workspace_bytes != nullptr) bytes = std::max(bytes, entry.workspace_bytes(first, second));
  GuardedWorkspace workspace(machine, bytes);
  machine.stream->SetWorkspace(&workspace);
  fused = together && entry.launch(machine.stream->native(), first, second);
  if (!fused) {
    LaunchOp<First>(machine, first);
    LaunchOp<Second>(machine, second);
  }
  if (pair.then != nullptr) pair.then(machine, placed.operands());
  EXPECT_TRUE(machine.stream->Synchronize());
  EXPECT_TRUE(workspace.IsIntact()) << pair.name;
  return placed.Collect();
}

std::vector<std::string> Gpus() {
  std::vector<std::string> names = AllMachines().names;
  std::erase_if(names, [](const std::string& name) { return !IsGpuMachine(name); });
  return names;
}

bool IsAlwaysFused(const Machine& /*machine*/) {
  return true;
}
bool IsNeverFused(const Machine& /*machine*/) {
  return false;
}
// Where weights are repacked as halves.
bool HasMatrixKernels(const Machine& machine) {
  return machine.device->kernels().matmul.Get(Format::kF16).weight_layout != kFileLayout;
}

template <typename First, typename Second>
void ExpectSame(const std::vector<Pair<First, Second>>& pairs, bool (*is_fused)(const Machine& machine)) {
  const std::vector<std::string> gpus = Gpus();
  if (gpus.empty()) GTEST_SKIP() << "there is no GPU, and no emulator";
  for (const std::string& name : gpus) {
    Machine& machine = *MachineOf(name, 1);
    for (const Pair<First, Second>& pair : pairs) {
      bool fused = false;
      const Outputs alone = RunPair(machine, pair, false, fused);
      const Outputs together = RunPair(machine, pair, true, fused);
      EXPECT_EQ(fused, is_fused(machine)) << name << ": " << pair.name;
      EXPECT_TRUE(together == alone) << name << ": " << pair.name;
    }
  }
}

constexpr int32_t kHeads = 6;
constexpr int32_t kKvHeads = 2;

template <RopePairing kPairing, int32_t kHeadDim, int32_t kRopeDim>
Pair<Rope, KvStore> Rotation(Format format, std::vector<SequenceShape> sequences) {
  Pair<Rope, KvStore> pair{
      fmt::format("heads of {}, {} rotated, {}", kHeadDim, kRopeDim, GetFormatInfo(format).name), {}, nullptr, nullptr};
  Random random(pair.name);
  HostOperands& o = pair.operands;
  o.batch = MakeBatch(sequences);
  o.kv = random.Cache(o.batch, {format, 0, kKvHeads, 5, kHeadDim, {}, {}});
  const int32_t n = o.batch.n_tokens();
  o.in[0] = random.Tensor(n, kRopeDim, 0.7f, 1);
  o.in[1] = random.Tensor(n, kHeads * kHeadDim, 1.0f, 3);
  o.in[2] = random.Tensor(n, kKvHeads * kHeadDim, 1.0f, 2);
  o.in[3] = random.Tensor(n, kKvHeads * kHeadDim, 1.0f, 0);
  o.out_is_in[0] = 1;
  o.out_is_in[1] = 2;
  pair.first = [](const Operands& p) { return Rope::Bind({kHeads, kHeadDim, kRopeDim, kPairing}, p); };
  pair.second = [](const Operands& p) { return KvStore::Args{p.out[1], p.in[3], *p.kv, p.batch}; };
  return pair;
}

TEST(Pairs, RotationAndKvStore) {
  std::vector<Pair<Rope, KvStore>> pairs;
  for (int f = 0; f < kNumFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!IsKvFormat(format)) continue;
    pairs.push_back(Rotation<RopePairing::kHalves, 128, 128>(format, {{13, 1}}));
    pairs.push_back(Rotation<RopePairing::kAdjacent, 64, 64>(format, {{0, 3}, {31, 1}, {6, 9}}));
    pairs.push_back(Rotation<RopePairing::kHalves, 256, 64>(format, {{4, 2}, {9, 1}}));
    pairs.push_back(Rotation<RopePairing::kAdjacent, 96, 22>(format, {{4, 5}}));
  }
  ExpectSame(pairs, IsAlwaysFused);
}

// Gate, up and their gated unit; then the product with `down`, which meets the units that they left, into gate's
// memory.
Pair<MatMul, Glu> Gated(Format format, int32_t n_rows, int64_t d_in, bool with_bias, Activation activation) {
  const int64_t d_ff = 256;
  Pair<MatMul, Glu> pair{
      fmt::format("gated {} [{}, {}]{}", GetFormatInfo(format).name, n_rows, d_in, with_bias ? ", bias" : ""),
      {},
      nullptr,
      nullptr};
  Random random(pair.name);
  HostOperands& o = pair.operands;
  o.batch = MakeBatch(n_rows);
  o.in[0] = random.Tensor(n_rows, d_in, 1.0f, 4);
  for (int p = 0; p < 2; ++p) {
    o.weight[2 * p] = random.Weight(format, 1, d_ff, d_in);
    if (with_bias) o.weight[2 * p + 1] = random.Vector(d_ff, 0.0f, 1.0f);
  }
  o.weight[4] = random.Weight(format, 1, d_ff, d_ff);
  for (int i = 0; i < 3; ++i) o.out[i] = Output(n_rows, d_ff, i);
  pair.first = [](const Operands& p) {
    Operands two = p;
    two.out[2] = {};
    return MatMul::Bind({2}, two);
  };
  pair.second = activation == Activation::kSilu
                    ? [](const Operands& p) { return Glu::Args{p.out[0], p.out[1], p.out[2], {Activation::kSilu}}; }
                    : [](const Operands& p) {
                        return Glu::Args{p.out[0], p.out[1], p.out[2], {Activation::kGeluTanh}};
                      };
  pair.then = [](Machine& machine, const Operands& p) {
    LaunchOp<MatMul>(machine, MatMul::Args{p.out[2], {}, {{p.weight[4], {}, p.out[0]}}, 1});
  };
  pair.then_bytes = static_cast<size_t>(n_rows * d_ff) * 4;  // more than its units take
  return pair;
}

// The formats of integer_formats.def.
constexpr Format kGatedFormats[] = {Format::kQ8_0,   Format::kQ4_0,   Format::kQ4_1,  Format::kQ5_0, Format::kQ5_1,
                                    Format::kQ2_K,   Format::kQ3_K,   Format::kQ4_K,  Format::kQ5_K, Format::kQ6_K,
                                    Format::kIQ4_NL, Format::kIQ4_XS, Format::kMXFP4, Format::kNVFP4};

TEST(Pairs, OneRowOfGateAndUp) {
  std::vector<Pair<MatMul, Glu>> pairs;
  for (const Format format : kGatedFormats) {
    pairs.push_back(Gated(format, 1, 1280, false, Activation::kSilu));
    pairs.push_back(Gated(format, 1, 256, true, Activation::kGeluTanh));
  }
  ExpectSame(pairs, IsAlwaysFused);
}

TEST(Pairs, OneRowOfShortFloats) {
  ExpectSame<MatMul, Glu>({Gated(Format::kF16, 1, 1280, false, Activation::kSilu),
                           Gated(Format::kBF16, 1, 256, true, Activation::kGeluTanh)},
                          HasMatrixKernels);
}

TEST(Pairs, OtherGatesAreComputedOneByOne) {
  ExpectSame<MatMul, Glu>(
      {Gated(Format::kQ4_K, 2, 512, false, Activation::kSilu), Gated(Format::kF32, 1, 512, false, Activation::kSilu)},
      IsNeverFused);
}

}  // namespace
}  // namespace rf::conformance
