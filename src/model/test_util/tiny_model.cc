#include "model/test_util/tiny_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "gguf/test_util/message_check.h"
#include "gguf/test_util/temp_folder.h"
#include "model/arch_spec.h"
#include "model/model.h"

namespace rf {
namespace {

void AddKeys(const TinyModelOptions& options, GgufMetadata& keys) {
  const auto u32 = [&](const char* name, int64_t value) {
    keys.Add(options.architecture + "." + name, GgufValue::Scalar(static_cast<uint32_t>(value)));
  };
  const auto f32 = [&](const char* name, float value) {
    keys.Add(options.architecture + "." + name, GgufValue::Scalar(value));
  };
  keys.Add("general.architecture", GgufValue::String(options.architecture));
  keys.Add("general.type", GgufValue::String("model"));
  u32("block_count", kTinyLayers);
  u32("context_length", 128);
  u32("embedding_length", kTinyModelDim);
  u32("feed_forward_length", kTinyFfDim);
  u32("attention.head_count", kTinyHeads);
  u32("attention.head_count_kv", kTinyKvHeads);
  u32("attention.key_length", kTinyHeadDim);
  u32("attention.value_length", kTinyHeadDim);
  u32("rope.dimension_count", kTinyHeadDim);
  f32("rope.freq_base", 10000.0f);
  f32("attention.layer_norm_rms_epsilon", 1e-5f);
  if (FindArch(options.architecture)->defaults.uses_window) u32("attention.sliding_window", 32);
  if (options.n_experts > 0) u32("expert_count", options.n_experts);
  if (options.n_experts > 0) u32("expert_used_count", 2);
}

void CopyVocabulary(GgufMetadata& keys) {
  static const BaseModel base = MakeBaseModel();
  for (const auto& entry : base.contents.metadata.entries()) {
    if (entry.key.starts_with("tokenizer.")) keys.Add(entry.key, entry.value);
  }
}

// A tensor of ones.
void AddOnes(BaseModel& model, const std::string& name, std::vector<int64_t> shape) {
  model.AddTensor(name, Format::kF32, std::move(shape));
  auto* values = reinterpret_cast<float*>(model.data.back().data());
  std::fill_n(values, model.data.back().size() / sizeof(float), 1.0f);
}

Status Build(const GgufContents& contents) {
  const TempFolder folder;
  const auto bytes = SerializeGguf(contents);
  RF_CHECK(bytes.has_value(), bytes.error().ToString());
  const std::string path =
      folder.Put("m.gguf", std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path));
  RF_ASSIGN_OR_RETURN(Model model, BuildModel(file, {}));
  RF_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Create(std::move(model.vocab)));
  (void)tokenizer;
  return {};
}

struct NamedShape {
  std::string name;
  std::vector<int64_t> shape;
};

// What "missing tensor 'blk.0.attn_q.weight' (shape [24, 24])" asks for; an empty name for other errors.
NamedShape MissingTensor(const std::string& message) {
  constexpr std::string_view kBefore = "missing tensor '", kBetween = "' (shape [";
  NamedShape missing;
  const size_t begin = message.find(kBefore);
  const size_t middle = message.find(kBetween);
  if (begin == std::string::npos || middle == std::string::npos) return missing;
  missing.name = message.substr(begin + kBefore.size(), middle - begin - kBefore.size());
  const char* at = message.c_str() + middle + kBetween.size();
  for (char* end = nullptr; *at != '\0' && *at != ')'; at = *end == ',' ? end + 1 : end + 2)
    missing.shape.push_back(std::strtoll(at, &end, 10));
  return missing;
}

// The tensors that a model of these keys has, found by asking for what is still missing: so that a new architecture
// needs no line here. (That names and shapes are the right ones is what tests/arch is for.)
std::vector<NamedShape> FindTensors(const TinyModelOptions& options) {
  BaseModel model;
  AddKeys(options, model.contents.metadata);
  CopyVocabulary(model.contents.metadata);
  std::vector<NamedShape> tensors = {{"token_embd.weight", {kBaseVocab, kTinyModelDim}}};
  for (int32_t layer = 0; layer < kTinyLayers; ++layer)
    tensors.push_back({fmt::format("blk.{}.attn_output.weight", layer), {kTinyModelDim, kTinyHeads * kTinyHeadDim}});
  for (const NamedShape& tensor : tensors) AddOnes(model, tensor.name, tensor.shape);
  for (;;) {
    const Status status = Build(model.contents);
    if (status.has_value()) return tensors;
    tensors.push_back(MissingTensor(status.error().message));
    RF_CHECK(!tensors.back().name.empty(), status.error().ToString());
    AddOnes(model, tensors.back().name, tensors.back().shape);
  }
}

const std::vector<NamedShape>& TensorsOf(const TinyModelOptions& options) {
  static std::map<std::pair<std::string, int32_t>, std::vector<NamedShape>> known;
  auto& tensors = known[{options.architecture, options.n_experts}];
  if (tensors.empty()) tensors = FindTensors(options);
  return tensors;
}

}  // namespace

BaseModel MakeTinyModel(const TinyModelOptions& options) {
  BaseModel model;
  AddKeys(options, model.contents.metadata);
  CopyVocabulary(model.contents.metadata);
  for (const NamedShape& tensor : TensorsOf(options)) AddOnes(model, tensor.name, tensor.shape);
  for (const std::string& name : options.rope_factors) AddOnes(model, name, {kTinyHeadDim / 2});
  return model;
}

std::vector<std::string> AllArchNames() {
  std::vector<std::string> names;
  for (const ArchSpec* arch : AllArchs()) names.emplace_back(arch->name);
  return names;
}

std::string BuildErrorOf(const GgufContents& contents) {
  const auto start = std::chrono::steady_clock::now();
  const Status status = Build(contents);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (status.has_value()) return "";
  const std::string message = status.error().ToString();
  EXPECT_EQ(MessageFlaw(message), "") << message;
  EXPECT_LE(seconds.count(), 1.0) << message;
  return message;
}

}  // namespace rf
