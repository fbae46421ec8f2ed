// What BuildModel makes of a sound file, where the numbers do not show it (tests/arch compares those).
#include "model/model.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "gguf/test_util/temp_folder.h"
#include "model/test_util/tiny_model.h"

namespace rf {
namespace {

Model Build(const BaseModel& source, const ModelOptions& options) {
  const TempFolder folder;
  const auto bytes = SerializeGguf(source.contents);
  RF_CHECK(bytes.has_value());
  const std::string path =
      folder.Put("m.gguf", std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  const auto file = GgufFile::Open(path);
  RF_CHECK(file.has_value(), file.error().ToString());
  auto model = BuildModel(*file, options);
  RF_CHECK(model.has_value(), model.error().ToString());
  return std::move(*model);
}

// A phi3 model stretched from 32 to 128 positions: the long table halves every frequency, the short one leaves it.
Model BuildLongRope(const ModelOptions& options) {
  BaseModel source = MakeTinyModel({"phi3", 0, kLongRopeFactors});
  source.contents.metadata.Set("phi3.rope.scaling.original_context_length", GgufValue::Scalar<uint32_t>(32));
  auto* factors = reinterpret_cast<float*>(source.data[source.Find("rope_factors_long.weight")].data());
  for (int i = 0; i < kTinyHeadDim / 2; ++i) factors[i] = 2.0f;
  return Build(source, options);
}

TEST(BuildModel, ContextInUseChoosesLongRopeTable) {
  const auto first_frequency = [](const ModelOptions& options) { return BuildLongRope(options).graph.constants[0][0]; };
  EXPECT_EQ(first_frequency({}), 0.5f);
  EXPECT_EQ(first_frequency({.context_length = 33}), 0.5f);
  EXPECT_EQ(first_frequency({.context_length = 32}), 1.0f);
  EXPECT_EQ(first_frequency({.default_context = 32}), 1.0f);
  EXPECT_EQ(first_frequency({.default_context = 4096}), 0.5f);
  EXPECT_EQ(first_frequency({.context_length = 64, .default_context = 32}), 0.5f);
}

// Both tables carry one magnitude, which follows from the contexts where the file does not give it.
TEST(BuildModel, LongRopeMagnitude) {
  const Model model = BuildLongRope({.context_length = 32});
  const auto* table = std::get_if<OpNode<RopeTable>>(&model.graph.nodes[0].op);
  ASSERT_NE(table, nullptr);
  EXPECT_NEAR(table->attrs.magnitude, 1.18321596, 1e-6);  // sqrt(1 + ln 4 / ln 32) = sqrt(1.4)
}

TEST(BuildModel, WindowsOfGemma3) {
  BaseModel source = MakeTinyModel({"gemma3"});
  source.contents.metadata.Set("gemma3.attention.sliding_window_pattern", GgufValue::Scalar<uint32_t>(2));
  const Model model = Build(source, {});
  ASSERT_EQ(model.graph.kv_layers.size(), 2U);
  EXPECT_EQ(model.graph.kv_layers[0].window, 32);
  EXPECT_EQ(model.graph.kv_layers[1].window, 0);
  EXPECT_EQ(model.hparams.has_window, (std::vector<bool>{true, false}));
}

}  // namespace
}  // namespace rf
