// Which device gets the plan: what counts is the memory that would really be reserved on it.
#include "plan/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/estimate.h"
#include "plan/test_util/packing_device.h"

namespace rf {
namespace {

using test::kMiB;
using test::PackingDevice;
using testing::HasSubstr;

constexpr int64_t kModel = 256;
constexpr int64_t kVocab = 8192;  // the embedding is 8 MiB in F32

// logits = E * E[token], with one tensor for both, and a cache of 1 KiB for each position.
Graph TiedModel() {
  Graph graph;
  const ValueId x = graph.AddValue({RowKind::kTokens, 1, kModel, Format::kF32});
  graph.logits = graph.AddValue({RowKind::kTokens, 1, kVocab, Format::kF32});
  WeightRef embedding;
  embedding.tensor = 0;
  embedding.n_rows = kVocab;
  embedding.n_cols = kModel;
  const WeightId e = graph.AddWeight(embedding);
  graph.nodes.resize(2);
  graph.nodes[0].op = OpNode<Embed>{};
  graph.nodes[0].weight[0] = e;
  graph.nodes[0].out[0] = x;
  graph.nodes[1].op = OpNode<MatMul>{};
  graph.nodes[1].in[0] = x;
  graph.nodes[1].weight[0] = e;
  graph.nodes[1].out[0] = graph.logits;
  graph.kv_layers.push_back({4, 64, 0});
  return graph;
}

PlanOptions OptionsFor(int32_t context, int32_t n_contexts) {
  PlanOptions options;
  options.rows = {16, 1};
  options.page_tokens = 32;
  options.n_contexts = n_contexts;
  options.n_pages = (context * n_contexts + 31) / 32;
  return options;
}

uint64_t NeededBy(const PlanOptions& options, bool is_mapped) {
  PackingDevice device("cpu", 0);
  return EstimateMemory(TiedModel(), device, options, is_mapped)->Total();
}

TEST(PlacementTest, CountsTheWeightsThatAreReservedAndNoOthers) {
  const PlanOptions options = OptionsFor(1024, 1);
  // Packed 12 MiB; the embedding's own 8 MiB only where they cannot stay in the file.
  EXPECT_NEAR(static_cast<double>(NeededBy(options, true)), 12.0 * kMiB + 1.0 * kMiB + 1.0 * kMiB, 0.6 * kMiB);
  EXPECT_EQ(NeededBy(options, false) - NeededBy(options, true), 8 * kMiB);
  for (const bool is_mapped : {true, false}) {
    const uint64_t needed = NeededBy(options, is_mapped);
    PackingDevice enough("cpu", needed);
    Device* one[] = {&enough};
    EXPECT_TRUE(PlaceGraph(TiedModel(), one, options, is_mapped)) << is_mapped;
    PackingDevice too_small("cpu", needed - 1);
    one[0] = &too_small;
    const auto placed = PlaceGraph(TiedModel(), one, options, is_mapped);
    ASSERT_FALSE(placed) << is_mapped;
    EXPECT_EQ(placed.error().code, ErrorCode::kOutOfMemory);
    EXPECT_THAT(placed.error().message, HasSubstr(is_mapped ? "weights 12 + " : "weights 20 + "));
  }
}

TEST(PlacementTest, NothingIsRefusedWhereTheMemoryIsNotKnown) {
  PackingDevice device("cpu", 0);
  Device* const devices[] = {&device};
  EXPECT_TRUE(PlaceGraph(TiedModel(), devices, OptionsFor(1 << 30, 1), true));
}

// The number after `flag` in "...; --ctx 4096 would fit".
int32_t Advised(const std::string& message, const std::string& flag) {
  const size_t at = message.find("; " + flag + " ");
  EXPECT_NE(at, std::string::npos) << message;
  return at == std::string::npos ? 0 : std::stoi(message.substr(at + flag.size() + 3));
}

TEST(PlacementTest, TheAdvisedContextFitsAndIsTheLargest) {
  for (const int32_t n_contexts : {1, 2}) {
    PackingDevice device("cpu", 20 * kMiB);
    Device* const devices[] = {&device};
    const auto placed = PlaceGraph(TiedModel(), devices, OptionsFor(100000, n_contexts), true);
    ASSERT_FALSE(placed);
    const int32_t context = Advised(placed.error().message, "--ctx");
    EXPECT_TRUE(PlaceGraph(TiedModel(), devices, OptionsFor(context, n_contexts), true)) << context;
    EXPECT_FALSE(PlaceGraph(TiedModel(), devices, OptionsFor(context + 64, n_contexts), true)) << context;
  }
}

TEST(PlacementTest, WhoAskedForPositionsIsAdvisedPositions) {
  PackingDevice device("cpu", 20 * kMiB);
  Device* const devices[] = {&device};
  PlanOptions options = OptionsFor(100000, 1);
  options.n_contexts = 0;
  const auto placed = PlaceGraph(TiedModel(), devices, options, true);
  ASSERT_FALSE(placed);
  options.n_pages = Advised(placed.error().message, "--kv-tokens") / options.page_tokens;
  EXPECT_TRUE(PlaceGraph(TiedModel(), devices, options, true)) << options.n_pages;
}

TEST(PlacementTest, SeveralDevicesGiveTheirReasonsAndOneAdvice) {
  PackingDevice small("hip", 2 * kMiB);
  PackingDevice large("cpu", 20 * kMiB);
  Device* const devices[] = {&small, &large};
  const auto placed = PlaceGraph(TiedModel(), devices, OptionsFor(100000, 1), true);
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error().message, HasSubstr("hip has 2 MiB free"));
  EXPECT_THAT(placed.error().message, HasSubstr("cpu has 20 MiB free"));
  Device* const alone[] = {&large};
  EXPECT_EQ(Advised(placed.error().message, "--ctx"),
            Advised(PlaceGraph(TiedModel(), alone, OptionsFor(100000, 1), true).error().message, "--ctx"));
  const auto second = PlaceGraph(TiedModel(), devices, OptionsFor(512, 1), true);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->front().device, &large);
  EXPECT_THAT(second->front().reason, HasSubstr("hip has 2 MiB free"));
}

TEST(PlacementTest, NoAdviceWhereNotEvenAPageFits) {
  PackingDevice device("cpu", 2 * kMiB);
  Device* const devices[] = {&device};
  const auto placed = PlaceGraph(TiedModel(), devices, OptionsFor(1024, 1), true);
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error().message, Not(HasSubstr("would fit")));
}

}  // namespace
}  // namespace rf
