// Our steps against what llama.cpp's samplers made of the same logits (tools/make_sampler_cases.py wrote them down).
#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <numeric>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

using nlohmann::json;

SamplingParams ParamsOf(const json& given) {
  SamplingParams params;
  params.temperature = 1.0f;
  size_t n_known = 0;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  if (given.contains(key)) {                                                     \
    params.field = given[key].get<Type>();                                       \
    ++n_known;                                                                   \
  }
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  EXPECT_EQ(n_known, given.size()) << given;
  return params;
}

struct Kept {
  float logit;
  float probability;
};

// What one step left: llama.cpp's sampler ran alone, so ours does.
std::map<int32_t, Kept> Ours(const SamplingParams& params, const json& given, std::vector<float> logits,
                             const std::vector<int32_t>& tokens) {
  SamplingMemory memory = InitialMemory(params);
  const SamplingContext context{params, tokens, 0, memory};
  std::vector<LogitChange> changes;
  if (UsesPenalties(params)) ListPenalties(context, changes);
  if (UsesDry(params)) ListDry(context, changes);
  MakeChanges(changes, logits);
  Candidates candidates;
  candidates.Reset(logits);
  if (params.mirostat != 0) {
    DrawMirostat(context, candidates);
  } else if (given.contains("temperature")) {
    ApplyTemperature(context, candidates);
  } else {
    ApplyCandidateSteps(context, candidates);
  }
  const std::span<const float> weights = candidates.Weights();
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::map<int32_t, Kept> kept;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(candidates.logits()[i])) continue;
    const float logit = candidates.scale().ExponentOf(candidates.logits()[i]) * std::numbers::ln2_v<float>;
    kept[candidates.id(i)] = {logit, static_cast<float>(weights[i] / total)};
  }
  return kept;
}

TEST(LlamaCppSamplers, KeepTheSameTokens) {
  std::ifstream file(RF_SOURCE_DIR "/tests/data/sampling/llama_cpp.json");
  ASSERT_TRUE(file);
  std::map<std::string, int> n_equal;
  for (const json& item : json::parse(file)) {
    const json& given = item["params"];
    if (given.contains("adaptive_target")) continue;  // the test below
    const SamplingParams params = ParamsOf(given);
    const auto ours = Ours(params, given, item["logits"], item["accepted"]);
    ASSERT_EQ(ours.size(), item["kept"].size()) << given;
    // Differences of logits: temperature and penalties move them, the other steps keep them, and we count from the best
    // one.
    const auto first = item["kept"][0];
    for (const json& theirs : item["kept"]) {
      const int32_t id = theirs[0];
      ASSERT_TRUE(ours.count(id)) << given << ", token " << id;
      const double difference = theirs[1].get<double>() - first[1].get<double>();
      EXPECT_NEAR(ours.at(id).logit - ours.at(first[0]).logit, difference, 1e-3) << given << ", token " << id;
    }
    ++n_equal[given.begin().key()];
  }
  for (const auto& [name, n] : n_equal) RecordProperty(name, n);
  EXPECT_EQ(n_equal.size(), 10u);
}

// The bent distribution is inside DrawAdaptive; draws show it.
TEST(LlamaCppSamplers, AdaptivePDrawsFromTheSameDistribution) {
  std::ifstream file(RF_SOURCE_DIR "/tests/data/sampling/llama_cpp.json");
  int n_cases = 0;
  for (const json& item : json::parse(file)) {
    if (!item["params"].contains("adaptive_target")) continue;
    ++n_cases;
    const SamplingParams params = ParamsOf(item["params"]);
    const std::vector<float> logits = item["logits"];
    Candidates candidates;
    SamplingMemory memory = InitialMemory(params);
    std::vector<int> counts(logits.size(), 0);
    constexpr int kDraws = 40'000;
    for (int i = 0; i < kDraws; ++i) {
      SamplingMemory fresh = InitialMemory(params);
      std::swap(fresh.random, memory.random);
      candidates.Reset(logits);
      ++counts[static_cast<size_t>(candidates.id(DrawAdaptive({params, {}, 0, fresh}, candidates)))];
      std::swap(fresh.random, memory.random);
    }
    for (const json& theirs : item["kept"]) {
      const double p = theirs[2];
      const double deviation = std::sqrt(p * (1.0 - p) / kDraws);
      EXPECT_NEAR(counts[theirs[0].get<size_t>()] / double{kDraws}, p, 5 * deviation + 1e-6) << item["params"];
    }
  }
  EXPECT_EQ(n_cases, 6);
}

}  // namespace
}  // namespace rf
