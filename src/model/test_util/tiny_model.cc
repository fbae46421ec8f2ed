#include "model/test_util/tiny_model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "gguf/test_util/message_check.h"
#include "gguf/test_util/temp_folder.h"
#include "model/arch_spec.h"
#include "model/model.h"

namespace rf {
namespace {

class TinyModelMaker {
 public:
  explicit TinyModelMaker(const TinyModelOptions& options) : options_(options), arch_(options.architecture) {}

  BaseModel Make() {
    AddKeys();
    CopyVocabulary();
    Add("token_embd.weight", {kBaseVocab, kTinyModelDim});
    for (int32_t layer = 0; layer < kTinyLayers; ++layer) AddLayer(fmt::format("blk.{}.", layer));
    Add("output_norm.weight", {kTinyModelDim});
    if (arch_ == "phi3" || arch_ == "llama") Add("output.weight", {kBaseVocab, kTinyModelDim});
    if (options_.has_rope_factors) AddRopeFactors();
    return std::move(model_);
  }

 private:
  GgufMetadata& keys() { return model_.contents.metadata; }
  void U32(const char* name, int64_t value) {
    keys().Add(arch_ + "." + name, GgufValue::Scalar(static_cast<uint32_t>(value)));
  }
  void F32(const char* name, float value) { keys().Add(arch_ + "." + name, GgufValue::Scalar(value)); }
  void Add(const std::string& name, std::vector<int64_t> shape) {
    model_.AddTensor(name, Format::kF32, std::move(shape));
  }

  void AddKeys() {
    keys().Add("general.architecture", GgufValue::String(arch_));
    keys().Add("general.type", GgufValue::String("model"));
    U32("block_count", kTinyLayers);
    U32("context_length", 128);
    U32("embedding_length", kTinyModelDim);
    U32("feed_forward_length", kTinyFfDim);
    U32("attention.head_count", kTinyHeads);
    U32("attention.head_count_kv", kTinyKvHeads);
    U32("attention.key_length", kTinyHeadDim);
    U32("attention.value_length", kTinyHeadDim);
    U32("rope.dimension_count", kTinyHeadDim);
    F32("rope.freq_base", 10000.0f);
    F32("attention.layer_norm_rms_epsilon", 1e-5f);
    if (arch_ == "gemma3" || arch_ == "phi3") U32("attention.sliding_window", 32);
    if (options_.n_experts > 0) U32("expert_count", options_.n_experts);
    if (options_.n_experts > 0) U32("expert_used_count", 2);
  }

  void CopyVocabulary() {
    static const BaseModel base = MakeBaseModel();
    for (const auto& entry : base.contents.metadata.entries()) {
      if (entry.key.starts_with("tokenizer.")) keys().Add(entry.key, entry.value);
    }
  }

  void AddLayer(const std::string& layer) {
    constexpr int64_t kQRows = kTinyHeads * kTinyHeadDim;
    constexpr int64_t kKvRows = kTinyKvHeads * kTinyHeadDim;
    Add(layer + "attn_norm.weight", {kTinyModelDim});
    if (arch_ == "phi3") {
      Add(layer + "attn_qkv.weight", {kQRows + 2 * kKvRows, kTinyModelDim});
    } else {
      for (const auto& [name, n_rows] : {std::pair{"attn_q", kQRows}, {"attn_k", kKvRows}, {"attn_v", kKvRows}}) {
        Add(layer + name + ".weight", {n_rows, kTinyModelDim});
        if (arch_ == "qwen2") Add(layer + name + ".bias", {n_rows});
      }
    }
    Add(layer + "attn_output.weight", {kTinyModelDim, kQRows});
    if (arch_ == "qwen3" || arch_ == "gemma3") {
      Add(layer + "attn_q_norm.weight", {kTinyHeadDim});
      Add(layer + "attn_k_norm.weight", {kTinyHeadDim});
    }
    if (arch_ == "gemma3") {
      Add(layer + "post_attention_norm.weight", {kTinyModelDim});
      Add(layer + "post_ffw_norm.weight", {kTinyModelDim});
    }
    Add(layer + "ffn_norm.weight", {kTinyModelDim});
    AddFeedForward(layer);
  }

  void AddFeedForward(const std::string& layer) {
    if (options_.n_experts > 0) {
      Add(layer + "ffn_gate_inp.weight", {options_.n_experts, kTinyModelDim});
      Add(layer + "ffn_gate_exps.weight", {options_.n_experts, kTinyFfDim, kTinyModelDim});
      Add(layer + "ffn_up_exps.weight", {options_.n_experts, kTinyFfDim, kTinyModelDim});
      Add(layer + "ffn_down_exps.weight", {options_.n_experts, kTinyModelDim, kTinyFfDim});
      return;
    }
    if (arch_ != "phi3") Add(layer + "ffn_gate.weight", {kTinyFfDim, kTinyModelDim});
    Add(layer + "ffn_up.weight", {arch_ == "phi3" ? 2 * kTinyFfDim : kTinyFfDim, kTinyModelDim});
    Add(layer + "ffn_down.weight", {kTinyModelDim, kTinyFfDim});
  }

  void AddRopeFactors() {
    std::vector<std::string> names = {"rope_freqs.weight"};
    if (arch_ == "phi3") names = {"rope_factors_long.weight", "rope_factors_short.weight"};
    for (const std::string& name : names) {
      Add(name, {kTinyHeadDim / 2});
      auto* values = reinterpret_cast<float*>(model_.data.back().data());
      for (int i = 0; i < kTinyHeadDim / 2; ++i) values[i] = 1.0f + static_cast<float>(i);
    }
  }

  TinyModelOptions options_;
  std::string arch_;
  BaseModel model_;
};

Status Build(const std::string& path) {
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path));
  RF_ASSIGN_OR_RETURN(Model model, BuildModel(file, {}));
  RF_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Create(std::move(model.vocab)));
  (void)tokenizer;
  return {};
}

}  // namespace

BaseModel MakeTinyModel(const TinyModelOptions& options) {
  return TinyModelMaker(options).Make();
}

std::vector<std::string> AllArchNames() {
  std::vector<std::string> names;
  for (const ArchSpec* arch : AllArchs()) names.emplace_back(arch->name);
  return names;
}

std::string BuildErrorOf(const GgufContents& contents) {
  const TempFolder folder;
  const auto bytes = SerializeGguf(contents);
  RF_CHECK(bytes.has_value(), bytes.error().ToString());
  const std::string path =
      folder.Put("m.gguf", std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  const auto start = std::chrono::steady_clock::now();
  const Status status = Build(path);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (status.has_value()) return "";
  const std::string message = status.error().ToString();
  EXPECT_EQ(MessageFlaw(message), "") << message;
  EXPECT_LE(seconds.count(), 1.0) << message;
  return message;
}

}  // namespace rf
