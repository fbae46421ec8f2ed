// Rotary frequencies against numbers that tests/data/rope/make_frequencies.py computed in another language.
#include "model/rope_frequencies.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rf {
namespace {

using Json = nlohmann::json;

constexpr double kRelative = 2e-7;  // one rounding to F32, and F32 factors

RopeParameters FromJson(const Json& json) {
  const std::map<std::string, RopeScaling> scalings = {{"none", RopeScaling::kNone},
                                                       {"linear", RopeScaling::kLinear},
                                                       {"yarn", RopeScaling::kYarn},
                                                       {"longrope", RopeScaling::kLongRope}};
  RopeParameters rope;
  rope.dim = json.at("dim");
  rope.base = json.at("base");
  rope.scaling = scalings.at(json.at("scaling"));
  rope.factor = json.value("factor", rope.factor);
  rope.original_context = json.value("original_context", 0);
  rope.stretched_context = json.value("stretched_context", 0);
  rope.yarn_beta_fast = json.value("yarn_beta_fast", rope.yarn_beta_fast);
  rope.yarn_beta_slow = json.value("yarn_beta_slow", rope.yarn_beta_slow);
  rope.yarn_attention_factor = json.value("yarn_attention_factor", 0.0f);
  rope.yarn_log_multiplier = json.value("yarn_log_multiplier", 0.0f);
  return rope;
}

std::vector<Json> ReadCases() {
  std::ifstream file(RF_SOURCE_DIR "/tests/data/rope/frequencies.jsonl");
  std::vector<Json> cases;
  for (std::string line; std::getline(file, line);) cases.push_back(Json::parse(line));
  return cases;
}

void ExpectNear(double actual, double expected, const std::string& what) {
  EXPECT_LE(std::abs(actual - expected), kRelative * std::abs(expected)) << what << ": " << actual << ", " << expected;
}

TEST(RopeFrequencies, AgreeWithIndependentNumbers) {
  const std::vector<Json> cases = ReadCases();
  ASSERT_EQ(cases.size(), 14U);
  for (const Json& line : cases) {
    const std::string name = line.at("name");
    const auto expected = line.at("frequencies").get<std::vector<double>>();
    const auto actual = ComputeRopeFrequencies(FromJson(line.at("parameters")), line.at("factors"));
    ASSERT_EQ(actual.radians_per_position.size(), expected.size()) << name;
    for (size_t j = 0; j < expected.size(); ++j)
      ExpectNear(actual.radians_per_position[j], expected[j], name + " pair " + std::to_string(j));
    ExpectNear(actual.magnitude, line.at("magnitude"), name + " magnitude");
  }
}

// What a file says about the magnitude goes before what would follow from its contexts.
TEST(RopeFrequencies, GivenMagnitude) {
  RopeParameters rope;
  rope.dim = 8;
  rope.original_context = 4096;
  rope.stretched_context = 131072;
  rope.attention_factor = 1.19f;
  for (const RopeScaling scaling : {RopeScaling::kNone, RopeScaling::kLinear, RopeScaling::kLongRope}) {
    rope.scaling = scaling;
    EXPECT_EQ(ComputeRopeFrequencies(rope, {}).magnitude, 1.19f);
  }
  rope.scaling = RopeScaling::kYarn;  // on top of YaRN's own
  rope.factor = 4.0f;
  ExpectNear(ComputeRopeFrequencies(rope, {}).magnitude, 1.19f * (1.0 + 0.1 * std::log(4.0)), "yarn");
}

TEST(RopeFrequencies, WindowedLayersHaveTheirOwnBaseAndNoScaling) {
  RopeParameters rope;
  rope.dim = 4;
  rope.base = 1e6f;
  rope.local_base = 1e4f;
  rope.scaling = RopeScaling::kLinear;
  rope.factor = 8.0f;
  rope.attention_factor = 2.0f;
  const RopeFrequencies local = ComputeLocalRopeFrequencies(rope);
  EXPECT_EQ(local.magnitude, 1.0f);
  ASSERT_EQ(local.radians_per_position.size(), 2U);
  EXPECT_EQ(local.radians_per_position[0], 1.0f);
  ExpectNear(local.radians_per_position[1], 0.01, "second pair");
}

}  // namespace
}  // namespace rf
