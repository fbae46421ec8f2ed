// Which layers go to a GPU that cannot hold all of a model.
#include "plan/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/cut.h"
#include "plan/estimate.h"
#include "plan/placement.h"
#include "plan/test_util/packing_device.h"

namespace rf {
namespace {

using test::kMiB;
using test::PackingDevice;
using testing::HasSubstr;

constexpr int32_t kLayers = 8;
constexpr int64_t kWidth = 512;  // a layer's weight is 1 MiB in F32

// An embedding of 4 MiB; layers of one product; an output of 4 MiB.
Graph LayeredModel() {
  Graph graph;
  int32_t n_tensors = 0;
  ValueId x = -1;
  const auto add = [&](AnyOp op, int32_t layer, int64_t n_rows, int64_t n_cols) {
    WeightRef weight;
    weight.tensor = n_tensors++;
    weight.n_rows = n_rows;
    weight.n_cols = n_cols;
    Node& node = graph.nodes.emplace_back();
    node.op = op;
    node.layer = layer;
    node.in[0] = x;
    node.weight[0] = graph.AddWeight(weight);
    const int64_t width = std::holds_alternative<OpNode<Embed>>(op) ? n_cols : n_rows;
    x = node.out[0] = graph.AddValue({RowKind::kTokens, 1, width, Format::kF32});
  };
  add(OpNode<Embed>{}, -1, 2048, kWidth);
  for (int32_t layer = 0; layer < kLayers; ++layer) add(OpNode<MatMul>{}, layer, kWidth, kWidth);
  add(OpNode<MatMul>{}, -1, 2048, kWidth);
  graph.logits = x;
  return graph;
}

PlanOptions Rows() {
  PlanOptions options;
  options.rows = {16, 16};
  return options;
}

struct Machine {
  PackingDevice gpu{"hip", 100 * kMiB};
  PackingDevice cpu{"cpu", 100 * kMiB};
  PlanOptions options = Rows();

  Result<Placement> Place() {
    Device* const devices[] = {&gpu, &cpu};
    return PlaceGraph(LayeredModel(), devices, options, true);
  }
};

// Layers on the GPU; -1: placement fails.
int32_t LayersOnGpu(const Result<Placement>& placed) {
  if (!placed) return -1;
  int32_t n = 0;
  for (const PartPlacement& part : *placed) {
    for (const Node& node : part.graph.nodes) n += part.device->properties().kind == "hip" && node.layer >= 0 ? 1 : 0;
  }
  return n;
}

uint64_t NeededFor(int32_t n_layers, PackingDevice& gpu) {
  const Graph graph = LayeredModel();
  return EstimateMemory(CutGraph(graph, kLayers - n_layers).second, gpu, Rows(), true)->Total();
}

// For every size of a GPU: what is placed fits beside the margin, and one layer more would not.
TEST(SplitTest, AsManyLayersAsFitGoToTheGpu) {
  int32_t previous = -1;
  for (uint64_t free = kMiB; free <= 30 * kMiB; free += kMiB / 2) {
    Machine machine;
    machine.gpu.properties().free_bytes = free;
    const auto placed = machine.Place();
    ASSERT_TRUE(placed) << placed.error().message;
    const int32_t n = LayersOnGpu(placed);
    EXPECT_GE(n, previous);
    previous = n;
    if (placed->size() == 1) {
      EXPECT_TRUE(n == 0 || n == kLayers);
    } else {
      EXPECT_LE(NeededFor(n, machine.gpu), free - free / 16) << free;
      EXPECT_EQ((*placed)[0].device, &machine.cpu);
      EXPECT_EQ((*placed)[1].graph.logits, LayeredModel().logits);
    }
    if (n < kLayers) {
      EXPECT_GT(NeededFor(n + 1, machine.gpu), free - free / 16) << free;
    }
  }
  EXPECT_EQ(previous, kLayers);
}

TEST(SplitTest, NoneFittingIsTheCpuAndSaidAsBefore) {
  Machine machine;
  machine.gpu.properties().free_bytes = 2 * kMiB;
  const auto placed = machine.Place();
  ASSERT_TRUE(placed);
  ASSERT_EQ(placed->size(), 1u);
  EXPECT_EQ(placed->front().device, &machine.cpu);
  EXPECT_THAT(placed->front().reason, HasSubstr("hip has 2 MiB free"));
}

TEST(SplitTest, ANumberOfLayersIsTaken) {
  for (const int32_t n : {0, 1, kLayers / 2, kLayers - 1, kLayers, kLayers + 1, 99}) {
    Machine machine;
    machine.options.gpu_layers = n;
    const auto placed = machine.Place();
    ASSERT_TRUE(placed) << n;
    EXPECT_EQ(LayersOnGpu(placed), std::min(n, kLayers));
    EXPECT_EQ(placed->size(), n == 0 || n >= kLayers ? 1u : 2u) << n;
    EXPECT_THAT(placed->back().reason, HasSubstr("--gpu-layers"));
  }
}

TEST(SplitTest, TooManyLayersAreRefusedAndTheAdviceIsTheMost) {
  for (const int32_t asked : {6, kLayers}) {
    Machine machine;
    machine.gpu.properties().free_bytes = 15 * kMiB;
    machine.options.gpu_layers = asked;
    const auto placed = machine.Place();
    ASSERT_FALSE(placed);
    EXPECT_EQ(placed.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(placed.error().message, HasSubstr("hip has 15 MiB free"));
    const size_t at = placed.error().message.find("; --gpu-layers ");
    ASSERT_NE(at, std::string::npos) << placed.error().message;
    const int32_t advised = std::stoi(placed.error().message.substr(at + 15));
    EXPECT_GT(advised, 0);
    machine.options.gpu_layers = advised;
    EXPECT_EQ(LayersOnGpu(machine.Place()), advised);
    machine.options.gpu_layers = advised + 1;
    EXPECT_EQ(LayersOnGpu(machine.Place()), -1);
  }
}

// 12 MiB of layers and 6 of the output are somewhere in the same 16 MiB.
TEST(SplitTest, UnifiedMemoryIsCountedOnce) {
  for (const bool is_shared : {false, true}) {
    Machine machine;
    machine.gpu.properties().free_bytes = 16 * kMiB;
    machine.cpu.properties().free_bytes = 16 * kMiB;
    machine.gpu.properties().shares_host_memory = is_shared;
    EXPECT_EQ(LayersOnGpu(machine.Place()) > 0, !is_shared);
    machine.options.gpu_layers = 4;
    const auto placed = machine.Place();
    EXPECT_EQ(placed.has_value(), !is_shared);
    if (placed) continue;
    EXPECT_THAT(placed.error().message, HasSubstr("cpu has 16 MiB free ("));
  }
}

// All of the model on one GPU: what is not planned needs its 16th there too.
TEST(SplitTest, ASixteenthIsKeptBackOfAWholeModelToo) {
  Machine machine;
  Device* const alone[] = {&machine.gpu};
  const uint64_t needed = EstimateMemory(LayeredModel(), machine.gpu, Rows(), true)->Total();
  uint64_t free = needed;
  while (free - free / 16 < needed) ++free;
  machine.gpu.properties().free_bytes = free;
  EXPECT_TRUE(PlaceGraph(LayeredModel(), alone, Rows(), true));
  machine.gpu.properties().free_bytes = free - 1;
  const auto placed = PlaceGraph(LayeredModel(), alone, Rows(), true);
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(placed.error().message, HasSubstr(" set aside)"));
}

// An integrated GPU says that it may use more than the host has left.
TEST(SplitTest, AWholeModelOnAnIntegratedGpuNeedsTheHostsMemory) {
  for (const bool is_shared : {false, true}) {
    Machine machine;
    machine.gpu.properties().free_bytes = 100 * kMiB;
    machine.cpu.properties().free_bytes = 16 * kMiB;
    machine.gpu.properties().shares_host_memory = is_shared;
    machine.options.gpu_layers = kLayers;
    const auto placed = machine.Place();
    EXPECT_EQ(placed.has_value(), !is_shared);
    if (placed) continue;
    EXPECT_EQ(placed.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(placed.error().message, HasSubstr("cpu has 16 MiB free"));
    EXPECT_THAT(placed.error().message, HasSubstr("whose memory hip uses too"));
  }
}

TEST(SplitTest, ABudgetCountsInsteadOfWhatIsSaid) {
  Machine machine;
  machine.options.budgets[&machine.gpu] = 12 * kMiB;
  const int32_t n = LayersOnGpu(machine.Place());
  EXPECT_GT(n, 0);
  EXPECT_LT(n, kLayers);
  machine.options.budgets[&machine.gpu] = 0;
  EXPECT_EQ(LayersOnGpu(machine.Place()), 0);
}

TEST(SplitTest, TheCpuMustHaveRoomForTheRest) {
  Machine machine;
  machine.gpu.properties().free_bytes = 12 * kMiB;
  machine.cpu.properties().free_bytes = 2 * kMiB;
  const auto placed = machine.Place();
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error().message, HasSubstr("hip has 12 MiB free"));
  EXPECT_THAT(placed.error().message, HasSubstr("cpu has 2 MiB free"));
}

TEST(SplitTest, WithoutTheCpuNothingIsDivided) {
  PackingDevice gpu("hip", 12 * kMiB);
  Device* const devices[] = {&gpu};
  const auto placed = PlaceGraph(LayeredModel(), devices, Rows(), true);
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().code, ErrorCode::kOutOfMemory);
}

TEST(SplitTest, OfTwoGpusTheOneWithMoreRoomGetsTheLayers) {
  PackingDevice small("hip", 10 * kMiB);
  PackingDevice large("hip", 14 * kMiB);
  PackingDevice cpu("cpu", 100 * kMiB);
  Device* const devices[] = {&small, &large, &cpu};
  const auto placed = PlaceGraph(LayeredModel(), devices, Rows(), true);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->back().device, &large);
}

// What the GPU cannot do before the layers, the CPU does; what it cannot do in them keeps it from all.
TEST(SplitTest, MissingKernelsDivideToo) {
  Machine machine;
  machine.gpu.kernels().embed = {};
  auto placed = machine.Place();
  ASSERT_TRUE(placed);
  EXPECT_EQ(LayersOnGpu(placed), kLayers);
  EXPECT_EQ(placed->size(), 2u);
  machine.gpu.kernels().matmul = {};
  placed = machine.Place();
  ASSERT_TRUE(placed);
  EXPECT_EQ(LayersOnGpu(placed), 0);
}

TEST(SplitTest, WithoutAGpuTheNumberHasNoEffect) {
  PackingDevice cpu("cpu", 100 * kMiB);
  Device* const devices[] = {&cpu};
  PlanOptions options = Rows();
  options.gpu_layers = 4;
  const auto placed = PlaceGraph(LayeredModel(), devices, options, true);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->size(), 1u);
}

}  // namespace
}  // namespace rf
