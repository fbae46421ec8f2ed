#include "gguf/test_util/base_model.h"

#include <fmt/format.h>

#include <cstring>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/half.h"

namespace rf {
namespace {

using Random = std::mt19937_64;  // its sequence is fixed by the C++ standard; distributions are not, so none is used

// In [low, high).
float Uniform(Random& random, float low, float high) {
  return low + (high - low) * static_cast<float>(random() >> 40) * 0x1p-24f;
}

void PutHalf(std::byte* out, float value) {
  const uint16_t half = FloatToHalf(value);
  std::memcpy(out, &half, sizeof(half));
}

// Any bits are a valid block of these formats as long as the scales in front are finite.
void FillBlocks(std::vector<std::byte>& bytes, size_t block_bytes, int n_scales, float scale, Random& random) {
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 56);
  for (size_t at = 0; at < bytes.size(); at += block_bytes)
    for (int i = 0; i < n_scales; ++i) PutHalf(&bytes[at + 2 * i], Uniform(random, scale / 2, scale));
}

void Fill(std::vector<std::byte>& bytes, Format format, Random& random) {
  switch (format) {
    case Format::kQ8_0: return FillBlocks(bytes, 34, 1, 0.0005f, random);
    case Format::kQ4_K: return FillBlocks(bytes, 144, 2, 0.0002f, random);
    default: break;
  }
  RF_CHECK(format == Format::kF32);
  for (size_t at = 0; at < bytes.size(); at += 4) {
    const float value = Uniform(random, 0.5f, 1.5f);
    std::memcpy(&bytes[at], &value, sizeof(value));
  }
}

void AddKeys(GgufMetadata& keys) {
  const auto u32 = [&](const char* key, int64_t value) {
    keys.Add(key, GgufValue::Scalar(static_cast<uint32_t>(value)));
  };
  keys.Add("general.architecture", GgufValue::String("llama"));
  keys.Add("general.type", GgufValue::String("model"));
  keys.Add("general.name", GgufValue::String("Base"));
  u32("general.file_type", 15);  // mostly Q4_K, medium
  u32("general.quantization_version", 2);
  u32("llama.block_count", kBaseLayers);
  u32("llama.context_length", 128);
  u32("llama.embedding_length", kBaseModelDim);
  u32("llama.feed_forward_length", kBaseFfDim);
  u32("llama.attention.head_count", kBaseHeads);
  u32("llama.attention.head_count_kv", kBaseKvHeads);
  u32("llama.rope.dimension_count", kBaseHeadDim);
  u32("llama.vocab_size", kBaseVocab);
  keys.Add("llama.rope.freq_base", GgufValue::Scalar(10000.0f));
  keys.Add("llama.attention.layer_norm_rms_epsilon", GgufValue::Scalar(1e-5f));
}

// A SentencePiece-style vocabulary without byte tokens: 3 special ones, a space, printable ASCII, pairs of letters.
void AddVocabulary(GgufMetadata& keys) {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>", "\u2581"};
  std::vector<int32_t> types = {2, 3, 3};
  for (char c = '!'; c <= '~'; ++c) tokens.emplace_back(1, c);
  for (const char first : std::string_view("theaoinsrdlu"))
    for (const char second : std::string_view("etaoinshrdlcum"))
      if (tokens.size() < kBaseVocab) tokens.push_back(fmt::format("{}{}", first, second));
  types.resize(kBaseVocab, 1);
  std::vector<float> scores;
  for (int64_t i = 0; i < kBaseVocab; ++i) scores.push_back(-static_cast<float>(i));
  RF_CHECK(tokens.size() == kBaseVocab);
  keys.Add("tokenizer.ggml.model", GgufValue::String("llama"));
  keys.Add("tokenizer.ggml.pre", GgufValue::String("default"));
  keys.Add("tokenizer.ggml.tokens", GgufValue::Strings(tokens));
  keys.Add("tokenizer.ggml.scores", GgufValue::Array(scores));
  keys.Add("tokenizer.ggml.token_type", GgufValue::Array(types));
  keys.Add("tokenizer.ggml.unknown_token_id", GgufValue::Scalar<uint32_t>(0));
  keys.Add("tokenizer.ggml.bos_token_id", GgufValue::Scalar<uint32_t>(1));
  keys.Add("tokenizer.ggml.eos_token_id", GgufValue::Scalar<uint32_t>(2));
  keys.Add("tokenizer.ggml.add_bos_token", GgufValue::Bool(true));
}

void AddTensors(BaseModel& model) {
  constexpr int64_t kKvDim = kBaseKvHeads * kBaseHeadDim;
  model.AddTensor("token_embd.weight", Format::kQ8_0, {kBaseVocab, kBaseModelDim});
  for (int64_t layer = 0; layer < kBaseLayers; ++layer) {
    const auto add = [&](const char* name, Format format, std::vector<int64_t> shape) {
      model.AddTensor(fmt::format("blk.{}.{}.weight", layer, name), format, std::move(shape));
    };
    add("attn_norm", Format::kF32, {kBaseModelDim});
    add("attn_q", Format::kQ4_K, {kBaseHeads * kBaseHeadDim, kBaseModelDim});
    add("attn_k", Format::kQ4_K, {kKvDim, kBaseModelDim});
    add("attn_v", Format::kQ8_0, {kKvDim, kBaseModelDim});
    add("attn_output", Format::kQ4_K, {kBaseModelDim, kBaseHeads * kBaseHeadDim});
    add("ffn_norm", Format::kF32, {kBaseModelDim});
    add("ffn_gate", Format::kQ4_K, {kBaseFfDim, kBaseModelDim});
    add("ffn_up", Format::kQ4_K, {kBaseFfDim, kBaseModelDim});
    add("ffn_down", Format::kQ4_K, {kBaseModelDim, kBaseFfDim});
  }
  model.AddTensor("output_norm.weight", Format::kF32, {kBaseModelDim});
}

}  // namespace

void BaseModel::AddTensor(const std::string& name, Format format, std::vector<int64_t> shape) {
  int64_t n_rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) n_rows *= shape[i];
  const int64_t n_bytes = n_rows * RowBytes(GetFormatInfo(format), shape.back());
  data.emplace_back(static_cast<size_t>(n_bytes));
  contents.tensors.push_back(GgufTensorSource{name, format, std::move(shape), data.back()});
}

size_t BaseModel::Find(const std::string& name) const {
  for (size_t i = 0; i < contents.tensors.size(); ++i)
    if (contents.tensors[i].name == name) return i;
  ThrowBug(__FILE__, __LINE__, "no tensor of that name", name);
}

BaseModel MakeBaseModel() {
  BaseModel model;
  AddKeys(model.contents.metadata);
  AddVocabulary(model.contents.metadata);
  AddTensors(model);
  Random random(20240229);
  for (size_t i = 0; i < model.data.size(); ++i) Fill(model.data[i], model.contents.tensors[i].format, random);
  return model;
}

std::string BaseModelBytes() {
  const BaseModel model = MakeBaseModel();
  const auto bytes = SerializeGguf(model.contents);
  RF_CHECK(bytes.has_value(), bytes.error().ToString());
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

}  // namespace rf
