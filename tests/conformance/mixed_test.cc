// Products with weights of two formats, for which a device may have one kernel: near the reference, and with the bits
// that each part has alone.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/case.h"
#include "conformance/cases/weight_shapes.h"
#include "conformance/random.h"
#include "conformance/run.h"

namespace rf::conformance {
namespace {

// A format for each part.
using Formats = std::vector<Format>;

// The pairs of hip/kernels/mixed_formats.def, and parts of the second format before and between those of the first.
const std::vector<Formats> kMixes = {
    {Format::kQ4_K, Format::kQ4_K, Format::kQ6_K}, {Format::kQ4_K, Format::kQ5_K, Format::kQ4_K},
    {Format::kQ6_K, Format::kQ5_K, Format::kQ5_K}, {Format::kQ3_K, Format::kQ4_K},
    {Format::kQ3_K, Format::kQ3_K, Format::kQ5_K}, {Format::kQ2_K, Format::kQ2_K, Format::kQ3_K},
    {Format::kQ4_K, Format::kQ2_K, Format::kQ4_K}, {Format::kIQ4_XS, Format::kIQ4_XS, Format::kQ5_K},
    {Format::kQ5_0, Format::kQ5_0, Format::kQ8_0}, {Format::kQ4_K, Format::kQ8_0, Format::kQ8_0}};

// Outputs that end in the midst of a tile, or of the tiles that a block takes; and so few that a block takes one.
using MixSizes = std::array<int64_t, 3>;
constexpr MixSizes kMixOutputs = {75, 33, 48};
constexpr MixSizes kFewMixOutputs = {9, 16, 1};

Case<MatMul> MixOf(const Formats& formats, int32_t n_rows, int64_t d_in, const MixSizes& outputs = kMixOutputs) {
  Case<MatMul> c{fmt::format("mix of {} rows, {} columns:", n_rows, d_in), {static_cast<int32_t>(formats.size())}, {}};
  c.name += fmt::format(" {} outputs of", outputs[0]);
  for (const Format format : formats) c.name += fmt::format(" {}", GetFormatInfo(format).name);
  Random random(c.name);
  c.operands.in[0] = random.Tensor(n_rows, d_in, 1.0f, 4);
  for (size_t p = 0; p < formats.size(); ++p) {
    c.bounds[p] = ProductBound(formats[p]);
    c.operands.weight[2 * p] = random.Weight(formats[p], 1, outputs[p], d_in);
    if (p == 1) c.operands.weight[2 * p + 1] = random.Vector(outputs[p], 0.0f, 1.0f);
    c.operands.out[p] = Output(n_rows, outputs[p], static_cast<int64_t>(p));
  }
  c.operands.batch = MakeBatch(n_rows);
  return c;
}

// The part as an op of its own.
Case<MatMul> PartOfMix(const Case<MatMul>& mix, size_t p) {
  Case<MatMul> c{fmt::format("part {} of {}", p, mix.name), {1}, {}};
  c.operands.in[0] = mix.operands.in[0];
  c.operands.weight[0] = mix.operands.weight[2 * p];
  c.operands.weight[1] = mix.operands.weight[2 * p + 1];
  c.operands.out[0] = mix.operands.out[p];
  c.operands.batch = mix.operands.batch;
  return c;
}

std::vector<Case<MatMul>> AllMixes() {
  std::vector<Case<MatMul>> cases;
  for (const Formats& formats : kMixes) {
    const int64_t block = std::max(GetFormatInfo(formats[0]).block_elements, GetFormatInfo(formats[1]).block_elements);
    for (const int32_t n_rows : {1, 2, 8, 9, 16, 17}) cases.push_back(MixOf(formats, n_rows, 5 * block));
    cases.push_back(MixOf(formats, 1, 2304));
    cases.push_back(MixOf(formats, 1, 2304, kFewMixOutputs));
  }
  return cases;
}

// What a launch of the mix would start.
std::string MixVariant(Machine& machine, const Case<MatMul>& c) {
  PlacedOperands placed(c.operands, &machine, IdOfOp<MatMul>());
  const MatMul::Args args = MatMul::Bind(c.attrs, placed.operands());
  const KernelEntry<MatMul>& entry = machine.device->kernels().matmul.Get(MatMul::Key(args));
  std::string all;
  const auto add = [](void* to, const char* name) { *static_cast<std::string*>(to) += fmt::format("{};", name); };
  if (entry.name_variants != nullptr) entry.name_variants(machine.stream->native(), args, {&all, add});
  return all;
}

class Mixed : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    machine_ = MachineOf(GetParam(), 2);
    if (machine_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
  }
  Machine* machine_ = nullptr;
};

TEST_P(Mixed, PartsHaveTheBitsThatTheyHaveAlone) {
  for (const Case<MatMul>& mix : AllMixes()) {
    const Outputs together = RunOn(*machine_, mix);
    const int64_t n_rows = mix.operands.in[0]->n_rows;
    ExpectNear(mix.operands, ToleranceOn(*machine_, mix.bounds, n_rows), together, RunReference(mix));
    for (size_t p = 0; p < static_cast<size_t>(mix.attrs.n_parts); ++p) {
      EXPECT_EQ(RunOn(*machine_, PartOfMix(mix, p)).out[0], together.out[p]) << "part " << p << " of " << mix.name;
    }
  }
}

// Whether it has the kernels at all: where weights are repacked as halves.
bool HasMixedKernels(const std::string& name) {
  return IsGpuMachine(name) &&
         MachineOf(name, 2)->device->kernels().matmul.Get(Format::kQ4_K).weight_layout != kFileLayout;
}

TEST(MixedLaunches, OneTakesUpToSixteenRows) {
  std::vector<std::string> names = AllMachines().names;
  std::erase_if(names, [](const std::string& name) { return !HasMixedKernels(name); });
  if (names.empty()) GTEST_SKIP() << "there is no GPU, and no emulator";
  for (const std::string& name : names) {
    Machine& machine = *MachineOf(name, 2);
    for (const Case<MatMul>& mix : AllMixes()) {
      const bool is_one = mix.operands.in[0]->n_rows <= 16;
      EXPECT_EQ(MixVariant(machine, mix) == "slices of two formats;", is_one) << name << ": " << mix.name;
    }
    const Formats three = {Format::kQ4_K, Format::kQ5_K, Format::kQ6_K};
    EXPECT_EQ(MixVariant(machine, MixOf(three, 1, 256)), "slices;slices;slices;") << name;
  }
}

std::string MixTestName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ':' || c == '-'; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Machines, Mixed, testing::ValuesIn(AllMachines().names), MixTestName);

}  // namespace
}  // namespace rf::conformance
