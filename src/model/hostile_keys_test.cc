// Hyper-parameters that are missing, of another type or senseless. Names begin with the row of the acceptance catalogue
// that the test covers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "model/arch_spec.h"
#include "model/test_util/tiny_model.h"

namespace rf {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The error of a tiny model with one key changed.
std::string With(const TinyModelOptions& options, const std::string& key, GgufValue value) {
  BaseModel model = MakeTinyModel(options);
  model.contents.metadata.Set(key, std::move(value));
  return BuildErrorOf(model.contents);
}
std::string WithU32(const std::string& key, uint32_t value) {
  return With({}, key, GgufValue::Scalar(value));
}
std::string WithF32(const std::string& key, float value) {
  return With({}, key, GgufValue::Scalar(value));
}

TEST(ModelKeys, TinyModelsAreAccepted) {
  for (const std::string& arch : AllArchNames()) EXPECT_EQ(BuildErrorOf(MakeTinyModel({arch}).contents), "") << arch;
  EXPECT_EQ(BuildErrorOf(MakeTinyModel({"llama", 4}).contents), "");
  EXPECT_EQ(BuildErrorOf(MakeTinyModel({"llama", 0, kLlama3Factors}).contents), "");
  EXPECT_EQ(BuildErrorOf(MakeTinyModel({"phi3", 0, kLongRopeFactors}).contents), "");
}

// Longrope's tables bring everything that the scaling needs.
TEST(ModelKeys, LongRopeBesideAFactor) {
  const auto with = [](float factor) {
    BaseModel model = MakeTinyModel({"phi3", 0, kLongRopeFactors});
    model.contents.metadata.Set("phi3.rope.scaling.type", GgufValue::String("longrope"));
    model.contents.metadata.Set("phi3.rope.scaling.factor", GgufValue::Scalar(factor));
    return BuildErrorOf(model.contents);
  };
  EXPECT_EQ(with(1.0f), "");
  EXPECT_THAT(with(4.0f), HasSubstr("key 'phi3.rope.scaling.factor' is 4, must be 1 or absent"));
}

std::vector<std::string> RequiredKeys(const std::string& arch) {
  std::vector<std::string> keys = {"general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.tokens"};
  for (const char* name : {"block_count", "context_length", "embedding_length", "feed_forward_length",
                           "attention.head_count", "attention.layer_norm_rms_epsilon"})
    keys.push_back(arch + "." + name);
  if (FindArch(arch)->defaults.window_pattern > 0) keys.push_back(arch + ".attention.sliding_window");
  return keys;
}

TEST(ModelKeys, G37MissingKey) {
  for (const std::string& arch : AllArchNames()) {
    for (const std::string& key : RequiredKeys(arch)) {
      BaseModel model = MakeTinyModel({arch});
      ASSERT_TRUE(model.contents.metadata.Remove(key)) << key;
      EXPECT_THAT(BuildErrorOf(model.contents), HasSubstr("missing key '" + key + "'"));
    }
  }
  BaseModel model = MakeTinyModel({"llama", 4});
  model.contents.metadata.Remove("llama.expert_used_count");
  EXPECT_THAT(BuildErrorOf(model.contents), HasSubstr("missing key 'llama.expert_used_count'"));
}

// Each of the other keys may be absent: the rest of the file says enough.
TEST(ModelKeys, G37OptionalKey) {
  for (const char* name : {"attention.head_count_kv", "attention.key_length", "attention.value_length",
                           "rope.dimension_count", "rope.freq_base"}) {
    BaseModel model = MakeTinyModel({"llama"});
    ASSERT_TRUE(model.contents.metadata.Remove(fmt::format("llama.{}", name)));
    const std::string error = BuildErrorOf(model.contents);
    if (name == std::string("attention.head_count_kv")) {  // then every head has its own K and V
      EXPECT_THAT(error, HasSubstr("tensor 'blk.0.attn_k.weight' has shape [12, 24], expected [24, 24]"));
    } else {
      EXPECT_EQ(error, "") << name;
    }
  }
}

template <typename T>
void AddNumbers(std::vector<GgufValue>& values, double number) {
  values.push_back(GgufValue::Scalar(static_cast<T>(number)));
  values.push_back(GgufValue::Array(std::vector<T>{static_cast<T>(number)}));
}

std::vector<GgufValue> ValuesOfEveryType(double number) {
  std::vector<GgufValue> values = {GgufValue::Bool(true), GgufValue::Bools({true}), GgufValue::String("x"),
                                   GgufValue::Strings(std::vector<std::string>{"x"})};
  AddNumbers<uint8_t>(values, number), AddNumbers<int8_t>(values, number);
  AddNumbers<uint16_t>(values, number), AddNumbers<int16_t>(values, number);
  AddNumbers<uint32_t>(values, number), AddNumbers<int32_t>(values, number);
  AddNumbers<uint64_t>(values, number), AddNumbers<int64_t>(values, number);
  AddNumbers<float>(values, number), AddNumbers<double>(values, number);
  return values;
}

TEST(ModelKeys, G38WrongType) {
  for (const std::string& arch : AllArchNames()) {
    const BaseModel original = MakeTinyModel({arch});
    for (const auto& entry : original.contents.metadata.entries()) {
      if (!entry.key.starts_with(arch + ".")) continue;
      const bool is_float = entry.value.AsF64(0).has_value();
      const double number = is_float ? *entry.value.AsF64(0) : static_cast<double>(*entry.value.AsI64(0));
      for (const GgufValue& value : ValuesOfEveryType(std::min(number, 100.0))) {
        if (value.is_array() ? !is_float && value.AsI64(0)
                             : is_float == value.AsF64(0).has_value() && (is_float || value.AsI64(0)))
          continue;  // a number of another width, or one entry for each layer: other tests
        const std::string error = With({arch}, entry.key, value);
        const std::string problem =
            fmt::format("key '{}' must be {}, is {}", entry.key, is_float ? "f32" : "u32", value.TypeName());
        EXPECT_THAT(error, HasSubstr(problem));
      }
    }
  }
}

TEST(ModelKeys, G38AnyWidthOfInteger) {
  for (const GgufValue& value : ValuesOfEveryType(kTinyLayers)) {
    if (value.is_array() || !value.AsI64(0)) continue;
    EXPECT_EQ(With({}, "llama.block_count", value), "") << value.TypeName();
  }
  EXPECT_EQ(With({}, "llama.rope.freq_base", GgufValue::Scalar(10000.0)), "");
}

TEST(ModelKeys, G39BlockCount) {
  for (const uint32_t n : {0u, 1u << 31, UINT32_MAX, 1025u})
    EXPECT_THAT(WithU32("llama.block_count", n),
                HasSubstr(fmt::format("key 'llama.block_count' is {}, must be 1 to 1024", n)));
  for (const uint32_t n : {1u, 3u, 33u, 1024u})
    EXPECT_THAT(WithU32("llama.block_count", n),
                HasSubstr(fmt::format("key 'llama.block_count' is {}, but the file has tensors of 2 layers", n)));
}

// Every integer key with numbers that nothing can be built from.
TEST(ModelKeys, SenselessIntegers) {
  const GgufValue values[] = {GgufValue::Scalar<uint32_t>(0),          GgufValue::Scalar<int32_t>(-1),
                              GgufValue::Scalar<uint32_t>(1u << 31),   GgufValue::Scalar(UINT32_MAX),
                              GgufValue::Scalar(uint64_t{1} << 63),    GgufValue::Scalar(INT64_MIN),
                              GgufValue::Scalar<uint64_t>(UINT64_MAX), GgufValue::Scalar<int8_t>(-128)};
  for (const std::string& arch : AllArchNames()) {
    const BaseModel original = MakeTinyModel({arch});
    for (const auto& entry : original.contents.metadata.entries()) {
      if (!entry.key.starts_with(arch + ".") || !entry.value.AsI64(0)) continue;
      for (const GgufValue& value : values) {
        const bool is_off = entry.key.ends_with("sliding_window") && value.AsI64(0) == 0;
        const std::string error = With({arch}, entry.key, value);
        if (is_off) {
          EXPECT_EQ(error, "") << entry.key;
        } else {
          EXPECT_THAT(error, HasSubstr(fmt::format("key '{}' is {}, must be ", entry.key, value.ElementToString(0))));
        }
      }
    }
  }
}

TEST(ModelKeys, G41SizesThatDoNotFit) {
  EXPECT_THAT(WithU32("llama.embedding_length", 25),
              HasSubstr("tensor 'token_embd.weight' has shape [256, 24], expected [256, 25]"));
  EXPECT_THAT(WithU32("llama.feed_forward_length", 41),
              HasSubstr("tensor 'blk.0.ffn_gate.weight' has shape [40, 24], expected [41, 24]"));
  EXPECT_THAT(WithU32("llama.attention.head_count", 6), HasSubstr("tensor 'blk.0.attn_q.weight' has shape [24, 24]"));
  EXPECT_THAT(WithU32("llama.attention.head_count_kv", 3),
              HasSubstr("key 'llama.attention.head_count_kv' is 3, which does not divide the 4 heads"));
  EXPECT_THAT(WithU32("llama.attention.value_length", 4),
              HasSubstr("key 'llama.attention.value_length' is 4, must equal the key length 6"));
  BaseModel odd = MakeTinyModel({});
  odd.contents.metadata.Set("llama.attention.key_length", GgufValue::Scalar<uint32_t>(5));
  odd.contents.metadata.Set("llama.attention.value_length", GgufValue::Scalar<uint32_t>(5));
  EXPECT_THAT(BuildErrorOf(odd.contents), HasSubstr("key 'llama.attention.key_length' is 5, must be even"));
  BaseModel uneven = MakeTinyModel({});
  uneven.contents.metadata.Remove("llama.attention.key_length");
  uneven.contents.metadata.Remove("llama.attention.value_length");
  uneven.contents.metadata.Set("llama.attention.head_count", GgufValue::Scalar<uint32_t>(10));
  EXPECT_THAT(BuildErrorOf(uneven.contents),
              HasSubstr("key 'llama.attention.head_count' is 10, which does not divide the width 24"));
}

TEST(ModelKeys, G42RopeDimension) {
  for (const uint32_t n : {0u, 1u, 7u, 8u})
    EXPECT_THAT(WithU32("llama.rope.dimension_count", n),
                HasSubstr(fmt::format("key 'llama.rope.dimension_count' is {}, must be 2 to 6", n)));
  for (const uint32_t n : {3u, 5u})
    EXPECT_THAT(WithU32("llama.rope.dimension_count", n),
                HasSubstr(fmt::format("key 'llama.rope.dimension_count' is {}, must be even", n)));
  EXPECT_EQ(WithU32("llama.rope.dimension_count", 4), "");
}

TEST(ModelKeys, G42G43SenselessFloats) {
  const char* keys[] = {"rope.freq_base",
                        "rope.freq_base_swa",
                        "rope.scaling.factor",
                        "rope.scaling.attn_factor",
                        "rope.scaling.yarn_attn_factor",
                        "rope.scaling.yarn_beta_fast",
                        "rope.scaling.yarn_beta_slow",
                        "attention.layer_norm_rms_epsilon"};
  for (const char* name : keys) {
    const std::string key = fmt::format("llama.{}", name);
    for (const float value : {kNan, -kNan, 0.0f, -0.0f, kInf, -kInf, -1.0f, 1e30f, -1e-30f}) {
      EXPECT_THAT(WithF32(key, value),
                  AllOf(HasSubstr(fmt::format("key '{}' is {}", key, value)), HasSubstr("must be finite and > ")));
    }
    EXPECT_THAT(With({}, key, GgufValue::Scalar(1e300)), HasSubstr(fmt::format("key '{}' is inf", key)));
  }
  BaseModel old = MakeTinyModel({});
  old.contents.metadata.Set("llama.rope.scale_linear", GgufValue::Scalar(0.0f));
  EXPECT_THAT(BuildErrorOf(old.contents), HasSubstr("key 'llama.rope.scale_linear' is 0, must be finite and > 0"));
}

TEST(ModelKeys, FloatsThatMayBeOff) {
  for (const char* name :
       {"attn_logit_softcapping", "final_logit_softcapping", "attention.scale", "rope.scaling.yarn_log_multiplier"}) {
    const std::string key = fmt::format("llama.{}", name);
    EXPECT_EQ(WithF32(key, 0.0f), "") << name;
    EXPECT_EQ(WithF32(key, 1.0f), "") << name;
    for (const float value : {kNan, kInf, -kInf, -1.0f, 1e30f})
      EXPECT_THAT(WithF32(key, value), HasSubstr(fmt::format("key '{}' is {}, must be finite", key, value)));
  }
}

TEST(ModelKeys, RopeScalingType) {
  for (const char* type : {"none", "linear"})
    EXPECT_EQ(With({}, "llama.rope.scaling.type", GgufValue::String(type)), "");
  EXPECT_THAT(
      With({}, "llama.rope.scaling.type", GgufValue::String("yarn")),
      AnyOf(HasSubstr("missing key 'llama.rope.scaling.factor'"), HasSubstr("missing key 'llama.rope.scale_linear'")));
  EXPECT_THAT(With({}, "llama.rope.scaling.type", GgufValue::String("longrope")),
              HasSubstr("missing tensor 'rope_factors_long.weight'"));
  EXPECT_THAT(With({}, "llama.rope.scaling.type", GgufValue::String("dynamic\n")),
              HasSubstr("must be none, linear, yarn or longrope"));
}

TEST(ModelKeys, G45Experts) {
  const auto with = [](const char* name, uint32_t value) {
    return With({"llama", 4}, fmt::format("llama.{}", name), GgufValue::Scalar(value));
  };
  for (const uint32_t n : {0u, 5u, 1u << 31, UINT32_MAX})
    EXPECT_THAT(with("expert_used_count", n),
                HasSubstr(fmt::format("key 'llama.expert_used_count' is {}, must be 1 to 4", n)));
  EXPECT_THAT(with("expert_count", 0), HasSubstr("key 'llama.expert_used_count' is 2, but there are no experts"));
  EXPECT_THAT(with("expert_count", UINT32_MAX), HasSubstr("key 'llama.expert_count' is 4294967295, must be 0 to 4096"));
  EXPECT_THAT(with("expert_count", 5), HasSubstr("tensor 'blk.0.ffn_gate_inp.weight' has shape [4, 24]"));
  EXPECT_THAT(with("expert_feed_forward_length", 41), HasSubstr("tensor 'blk.0.ffn_gate_exps.weight' has shape"));
  EXPECT_THAT(With({"qwen3"}, "qwen3.expert_count", GgufValue::Scalar<uint32_t>(8)),
              HasSubstr("key 'qwen3.expert_count' is 8, but 'qwen3' is known as a dense architecture"));
}

TEST(ModelKeys, G45ArraysOverLayers) {
  for (const char* name : {"attention.head_count", "attention.head_count_kv", "feed_forward_length"}) {
    const std::string key = fmt::format("llama.{}", name);
    const auto value = static_cast<uint32_t>(*MakeTinyModel({}).contents.metadata.Find(key)->AsU64());
    const auto with = [&](std::vector<uint32_t> values) { return With({}, key, GgufValue::Array(values)); };
    EXPECT_EQ(with({value, value}), "");
    EXPECT_EQ(With({}, key, GgufValue::Array(std::vector<int64_t>{value, value})), "");
    EXPECT_THAT(with({}), HasSubstr(fmt::format("key '{}' has 0 entries for 2 layers", key)));
    EXPECT_THAT(with({value}), HasSubstr(fmt::format("key '{}' has 1 entries for 2 layers", key)));
    EXPECT_THAT(with({value, value, value}), HasSubstr(fmt::format("key '{}' has 3 entries for 2 layers", key)));
    EXPECT_THAT(with({value, 0}), HasSubstr(fmt::format("key '{}'[1] is 0, must be 1 to ", key)));
    EXPECT_THAT(with({value, 2 * value}),
                HasSubstr(fmt::format("key '{}' is {} for layer 0 and {} for layer 1", key, value, 2 * value)));
  }
  EXPECT_THAT(With({}, "llama.block_count", GgufValue::Array(std::vector<uint32_t>{2, 2})),
              HasSubstr("key 'llama.block_count' must be u32, is array of u32"));
}

TEST(ModelKeys, WindowPattern) {
  const auto with = [](GgufValue value) {
    return With({"gemma3"}, "gemma3.attention.sliding_window_pattern", std::move(value));
  };
  EXPECT_EQ(with(GgufValue::Scalar<uint32_t>(2)), "");
  EXPECT_EQ(with(GgufValue::Bools({true, false})), "");
  EXPECT_EQ(with(GgufValue::Array(std::vector<uint32_t>{1, 0})), "");
  EXPECT_THAT(with(GgufValue::Bools({true})), HasSubstr("has 1 entries for 2 layers"));
  EXPECT_THAT(with(GgufValue::Array(std::vector<uint32_t>{1, 2})), HasSubstr("must be u32 or array of bool"));
  EXPECT_THAT(with(GgufValue::String("LG")), HasSubstr("must be u32, is string"));
  EXPECT_THAT(with(GgufValue::Scalar<uint32_t>(3)), HasSubstr("is 3, must be 0 to 2"));
}

// Keys that would change the arithmetic in a way that is not there, and the values that change nothing.
TEST(ModelKeys, ArithmeticOfOtherArchitectures) {
  const std::pair<const char*, float> scales[] = {{"logit_scale", 16.0f},         {"residual_scale", 0.22f},
                                                  {"embedding_scale", 12.0f},     {"expert_weights_scale", 2.5f},
                                                  {"attention.clamp_kqv", 8.0f},  {"attention.max_alibi_bias", 8.0f},
                                                  {"rope.scaling.alpha", 1000.0f}};
  for (const auto& [name, value] : scales) {
    const std::string key = fmt::format("llama.{}", name);
    EXPECT_THAT(WithF32(key, value),
                HasSubstr(fmt::format("key '{}' is {}, which this build cannot compute", key, value)));
    EXPECT_THAT(WithF32(key, kNan), HasSubstr(key));
    EXPECT_EQ(WithF32(key, 0.0f), "") << name;
  }
  EXPECT_EQ(WithF32("llama.logit_scale", 1.0f), "");
  EXPECT_THAT(With({}, "llama.attention.causal", GgufValue::Bool(false)),
              HasSubstr("'llama.attention.causal' is false"));
  EXPECT_EQ(With({}, "llama.attention.causal", GgufValue::Bool(true)), "");
  EXPECT_THAT(WithU32("llama.expert_gating_func", 2), HasSubstr("'llama.expert_gating_func' is 2"));
  EXPECT_THAT(With({}, "llama.rope.dimension_sections", GgufValue::Array(std::vector<int32_t>{16, 24, 24, 0})),
              HasSubstr("'llama.rope.dimension_sections' is an array of i32 of 4 elements"));
  EXPECT_EQ(With({}, "llama.rope.scaling.finetuned", GgufValue::Bool(true)), "");
}

TEST(ModelKeys, WindowOfArchitectureWithoutOne) {
  const auto with = [](uint32_t window) {
    return With({"qwen2"}, "qwen2.attention.sliding_window", GgufValue::Scalar(window));
  };
  EXPECT_THAT(with(64), HasSubstr("key 'qwen2.attention.sliding_window' is 64, but 'qwen2' has no sliding window"));
  EXPECT_EQ(with(0), "");
  EXPECT_EQ(with(128), "");
}

}  // namespace
}  // namespace rf
