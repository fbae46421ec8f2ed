// Tensors that are missing, left over or of other shapes; vocabularies that do not fit; files that are no language
// model. Names begin with the row of the acceptance catalogue that the test covers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "model/test_util/tiny_model.h"

namespace rf {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

// Every architecture, and models with experts or with tables of rope factors.
std::vector<TinyModelOptions> Kinds() {
  std::vector<TinyModelOptions> kinds = {{"llama", 4}, {"llama", 0, kLlama3Factors}, {"phi3", 0, kLongRopeFactors}};
  for (const std::string& arch : AllArchNames()) kinds.push_back({arch});
  return kinds;
}

// Tensors that some files of the architecture do without: then something else takes their place.
bool IsOptional(const std::string& name) {
  return name == "output.weight" || name == "rope_freqs.weight";
}

TEST(ModelTensors, G46MissingTensor) {
  for (const TinyModelOptions& kind : Kinds()) {
    const size_t n = MakeTinyModel(kind).contents.tensors.size();
    for (size_t i = 0; i < n; ++i) {
      BaseModel model = MakeTinyModel(kind);
      const std::string name = model.contents.tensors[i].name;
      model.contents.tensors.erase(model.contents.tensors.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string error = BuildErrorOf(model.contents);
      if (IsOptional(name)) {
        EXPECT_EQ(error, "") << name;
      } else {
        EXPECT_THAT(error, HasSubstr(fmt::format("missing tensor '{}'", name))) << kind.architecture;
      }
    }
  }
}

TEST(ModelTensors, G46UnknownTensor) {
  for (const TinyModelOptions& kind : Kinds()) {
    for (const char* name : {"blk.1.attn_sinks.weight", "v.patch_embd.weight", "blk.0.attn_norm.bias", "output.bias",
                             "blk.0.attn_q.lora_a"}) {
      BaseModel model = MakeTinyModel(kind);
      model.AddTensor(name, Format::kF32, {kTinyModelDim});
      EXPECT_THAT(BuildErrorOf(model.contents),
                  HasSubstr(fmt::format("tensor '{}' has no place in architecture '{}'", name, kind.architecture)));
    }
  }
  BaseModel far = MakeTinyModel({});
  far.AddTensor("blk.99999999999999999999.attn_norm.weight", Format::kF32, {kTinyModelDim});
  EXPECT_THAT(BuildErrorOf(far.contents), HasSubstr("tensor 'blk.99999999999999999999.attn_norm.weight'"));
}

// Biases that an architecture takes where files have them.
TEST(ModelTensors, OptionalBiases) {
  const std::pair<const char*, int64_t> biases[] = {{"attn_q", 24},      {"attn_k", 12},   {"attn_v", 12},
                                                    {"attn_output", 24}, {"ffn_gate", 40}, {"ffn_up", 40},
                                                    {"ffn_down", 24}};
  for (const auto& [name, size] : biases) {
    BaseModel model = MakeTinyModel({});
    const std::string tensor = fmt::format("blk.1.{}.bias", name);
    model.AddTensor(tensor, Format::kF32, {size});
    EXPECT_EQ(BuildErrorOf(model.contents), "") << name;
    BaseModel longer = MakeTinyModel({});
    longer.AddTensor(tensor, Format::kF32, {size + 1});
    EXPECT_THAT(BuildErrorOf(longer.contents),
                HasSubstr(fmt::format("tensor '{}' has shape [{}], expected [{}]", tensor, size + 1, size)));
  }
}

TEST(ModelTensors, G41ShapeOffByOne) {
  for (const TinyModelOptions& kind : Kinds()) {
    const BaseModel original = MakeTinyModel(kind);
    for (size_t i = 0; i < original.contents.tensors.size(); ++i) {
      const auto& tensor = original.contents.tensors[i];
      for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
        for (const int64_t change : {-1, 1}) {
          BaseModel model = MakeTinyModel(kind);
          std::vector<int64_t> shape = tensor.shape;
          shape[axis] += change;
          model.contents.tensors.erase(model.contents.tensors.begin() + static_cast<std::ptrdiff_t>(i));
          model.AddTensor(tensor.name, Format::kF32, shape);
          const std::string error = BuildErrorOf(model.contents);
          if (tensor.name == "token_embd.weight" && axis == 0) {
            EXPECT_THAT(error, HasSubstr(fmt::format("vocab 256 vs token_embd {}", 256 + change)));
          } else {
            EXPECT_THAT(error,
                        AllOf(HasSubstr(fmt::format("tensor '{}' has shape", tensor.name)), HasSubstr("expected")));
          }
        }
      }
    }
  }
}

TEST(ModelTensors, FormatsThatNothingComputesWith) {
  for (const char* name : {"output_norm.weight", "blk.1.attn_norm.weight"}) {
    BaseModel model = MakeTinyModel({});
    model.contents.tensors[model.Find(name)].format = Format::kF16;
    auto& bytes = model.data[model.Find(name)];
    bytes.resize(bytes.size() / 2);
    model.contents.tensors[model.Find(name)].bytes = bytes;
    EXPECT_THAT(BuildErrorOf(model.contents),
                HasSubstr(fmt::format("tensor '{}' is a vector stored as F16, must be F32", name)));
  }
}

TEST(ModelTensors, RopeFactors) {
  for (const float value :
       {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e-30f}) {
    for (const TinyModelOptions& kind :
         {TinyModelOptions{"llama", 0, kLlama3Factors}, TinyModelOptions{"phi3", 0, kLongRopeFactors}}) {
      BaseModel model = MakeTinyModel(kind);
      const std::string name = kind.architecture == "phi3" ? "rope_factors_long.weight" : "rope_freqs.weight";
      reinterpret_cast<float*>(model.data[model.Find(name)].data())[2] = value;
      EXPECT_THAT(BuildErrorOf(model.contents),
                  HasSubstr(fmt::format("tensor '{}' has {} at index 2, must be finite and > 0", name, value)));
    }
  }
}

std::string WithKey(const std::string& key, GgufValue value) {
  BaseModel model = MakeTinyModel({});
  model.contents.metadata.Set(key, std::move(value));
  return BuildErrorOf(model.contents);
}

// Tokens t0, t1, … of which there are n.
std::string WithTokens(size_t n) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < n; ++i) tokens.push_back(fmt::format("t{}", i));
  BaseModel model = MakeTinyModel({});
  model.contents.metadata.Set("tokenizer.ggml.tokens", GgufValue::Strings(tokens));
  return BuildErrorOf(model.contents);
}

TEST(ModelVocabulary, G47Size) {
  EXPECT_THAT(WithTokens(255), HasSubstr("vocab 255 vs token_embd 256"));
  EXPECT_THAT(WithTokens(257), HasSubstr("vocab 257 vs token_embd 256"));
  EXPECT_THAT(WithTokens(0), AnyOf(HasSubstr("vocab 0 vs token_embd 256"), HasSubstr("outside vocabulary of 0")));
  EXPECT_THAT(WithTokens(1), AnyOf(HasSubstr("vocab 1 vs token_embd 256"), HasSubstr("outside vocabulary of 1")));
  for (const char* key : {"scores", "token_type"}) {
    const std::string full = fmt::format("tokenizer.ggml.{}", key);
    for (const size_t n : {size_t{255}, size_t{257}, size_t{1}}) {
      const GgufValue value = key == std::string("scores") ? GgufValue::Array(std::vector<float>(n, 1.0f))
                                                           : GgufValue::Array(std::vector<int32_t>(n, 1));
      EXPECT_THAT(WithKey(full, value), HasSubstr(fmt::format("{} has {} entries for 256 tokens", full, n)));
    }
  }
  EXPECT_THAT(WithKey("tokenizer.ggml.tokens", GgufValue::Array(std::vector<uint32_t>(256, 1))),
              HasSubstr("key 'tokenizer.ggml.tokens' must be array of string, is array of u32"));
}

TEST(ModelVocabulary, G49TokenIds) {
  for (const char* name : {"bos", "eos", "unknown", "seperator", "padding", "mask", "eot", "eom"}) {
    const std::string key = fmt::format("tokenizer.ggml.{}_token_id", name);
    for (const uint64_t id : {uint64_t{256}, uint64_t{257}, uint64_t{1} << 31, uint64_t{UINT32_MAX}}) {
      EXPECT_THAT(WithKey(key, GgufValue::Scalar(static_cast<uint32_t>(id))),
                  HasSubstr(fmt::format("{} {} outside vocabulary of 256", key, id)));
    }
    EXPECT_THAT(WithKey(key, GgufValue::Scalar(UINT64_MAX)), HasSubstr(key));
    EXPECT_THAT(WithKey(key, GgufValue::Scalar<int32_t>(-1)), AllOf(HasSubstr(key), HasSubstr("-1")));
    EXPECT_THAT(WithKey(key, GgufValue::String("</s>")), AllOf(HasSubstr(key), HasSubstr("is string")));
    EXPECT_THAT(WithKey(key, GgufValue::Scalar(1.0f)), AllOf(HasSubstr(key), HasSubstr("is f32")));
    EXPECT_EQ(WithKey(key, GgufValue::Scalar<uint32_t>(255)), "") << key;
  }
}

// A byte-level vocabulary over the tokens "a", "b", "ab", … with the given merges.
std::string WithMerges(const std::vector<std::string>& merges) {
  BaseModel model = MakeTinyModel({});
  GgufMetadata& keys = model.contents.metadata;
  std::vector<std::string> tokens = keys.Find("tokenizer.ggml.tokens")->strings().ToVector();
  tokens[250] = "ab";
  keys.Set("tokenizer.ggml.tokens", GgufValue::Strings(tokens));
  keys.Set("tokenizer.ggml.model", GgufValue::String("gpt2"));
  keys.Set("tokenizer.ggml.pre", GgufValue::String("gpt-2"));
  keys.Set("tokenizer.ggml.merges", GgufValue::Strings(merges));
  return BuildErrorOf(model.contents);
}

TEST(ModelVocabulary, G53Merges) {
  EXPECT_EQ(WithMerges({"a b"}), "");
  for (const char* broken : {"", "ab", "a b c", " a", "a ", "a q\x01", "a \xff"}) {
    const std::string error = WithMerges({"a b", broken});
    // Either it is refused by its number, or the merge can never apply and is passed over (with a count in the log).
    if (!error.empty()) {
      EXPECT_THAT(error, AllOf(HasSubstr("merges"), HasSubstr("1"))) << broken;
    }
  }
  EXPECT_THAT(WithMerges({"a b", "a b"}), AnyOf("", HasSubstr("merges")));
  EXPECT_THAT(WithKey("tokenizer.ggml.merges", GgufValue::Scalar<uint32_t>(1)),
              HasSubstr("key 'tokenizer.ggml.merges' must be array of string"));
}

TEST(ModelVocabulary, G54UnknownTokenizer) {
  EXPECT_THAT(WithKey("tokenizer.ggml.model", GgufValue::String("words\n")), HasSubstr("tokenizer.ggml.model"));
  BaseModel model = MakeTinyModel({});
  model.contents.metadata.Set("tokenizer.ggml.model", GgufValue::String("gpt2"));
  model.contents.metadata.Set("tokenizer.ggml.pre", GgufValue::String("no-such-pre"));
  model.contents.metadata.Set("tokenizer.ggml.merges", GgufValue::Strings(std::vector<std::string>{"a b"}));
  EXPECT_EQ(BuildErrorOf(model.contents), "");  // a warning that names what it is taken as: tokenizer_test.cc
}

TEST(ModelKind, G62FilesThatAreNoLanguageModel) {
  EXPECT_THAT(WithKey("general.type", GgufValue::String("adapter")), HasSubstr("LoRA adapter"));
  EXPECT_THAT(WithKey("general.type", GgufValue::String("mmproj")), HasSubstr("multimodal projector"));
  EXPECT_THAT(WithKey("general.type", GgufValue::String("imatrix\x1b[31m")), HasSubstr("file of type 'imatrix"));
  EXPECT_THAT(WithKey("general.architecture", GgufValue::String("clip")), HasSubstr("multimodal projector"));
  EXPECT_THAT(WithKey("general.architecture", GgufValue::String("bert")),
              HasSubstr("architecture 'bert' is not supported; known: llama, qwen2, qwen3, gemma3, phi3"));
  EXPECT_THAT(WithKey("general.architecture", GgufValue::Scalar<uint32_t>(7)), HasSubstr("general.architecture"));
  EXPECT_THAT(WithKey("general.architecture", GgufValue::String(std::string(100'000, 'x'))),
              HasSubstr("not supported"));
  EXPECT_THAT(WithKey("llama.pooling_type", GgufValue::Scalar<uint32_t>(3)),
              HasSubstr("key 'llama.pooling_type' is 3: an embedding or reranking model"));
  EXPECT_EQ(WithKey("llama.pooling_type", GgufValue::Scalar<uint32_t>(0)), "");
}

}  // namespace
}  // namespace rf
