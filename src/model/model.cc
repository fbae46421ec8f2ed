#include "model/model.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/arch_spec.h"
#include "model/layer_builder.h"
#include "model/rope_frequencies.h"
#include "model/tensor_binder.h"
#include "model/vocab.h"

namespace rf {
namespace {

std::string KnownArchs() {
  std::string names;
  for (const ArchSpec* arch : AllArchs()) names += (names.empty() ? "" : ", ") + std::string(arch->name);
  return names;
}

constexpr float kMinRopeFactor = 1e-3f;  // smaller ones make positions turn beyond what F32 angles hold

// Files that are GGUF but no language model: says what they are.
Status CheckFileKind(const GgufMetadata& metadata) {
  const std::string& path = metadata.source();
  RF_ASSIGN_OR_RETURN(const auto type, metadata.FindString("general.type"));
  RF_ASSIGN_OR_RETURN(const auto architecture, metadata.FindString("general.architecture"));
  if (architecture && *architecture == "clip")
    return Error{ErrorCode::kUnsupported, "is a multimodal projector, not a language model", path};
  if (!type || *type == "model") return {};
  const std::string shown = EscapeForMessage(*type, 40);
  if (*type == "adapter")
    return Error{ErrorCode::kUnsupported, "is a LoRA adapter, not a model; adapters are not supported yet", path};
  if (*type == "mmproj" || *type == "clip-vision") {
    return Error{ErrorCode::kUnsupported, "is a multimodal projector, not a language model", path};
  }
  return Error{ErrorCode::kUnsupported, fmt::format("is a file of type '{}', not a model", shown), path};
}

Result<const ArchSpec*> ChooseArch(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  RF_RETURN_IF_ERROR(CheckFileKind(metadata));
  RF_ASSIGN_OR_RETURN(const std::string_view name, metadata.GetString("general.architecture"));
  if (const ArchSpec* arch = FindArch(name)) return arch;
  Error error = metadata.ErrorAt("general.architecture", fmt::format("architecture '{}' is not supported; known: {}",
                                                                     EscapeForMessage(name, 40), KnownArchs()));
  error.code = ErrorCode::kUnsupported;
  return error;
}

class ModelBuilder {
 public:
  ModelBuilder(const GgufFile& file, const ArchSpec& arch, const ModelOptions& options, Model& model)
      : file_(file), arch_(arch), options_(options), model_(model), tensors_(file, model.graph) {}

  Status Build() {
    RF_RETURN_IF_ERROR(BuildRope());
    LayerBuilder layer(model_.hparams, rope_, tensors_, model_.graph);
    RF_RETURN_IF_ERROR(BuildEmbedding(layer));
    for (int32_t i = 0; i < model_.hparams.n_layers; ++i) {
      layer.set_layer(i);
      RF_RETURN_IF_ERROR(BuildLayer(layer));
    }
    layer.set_layer(-1);
    RF_RETURN_IF_ERROR(BuildHead(layer));
    return tensors_.CheckAllBound(arch_.ignored_tensors, arch_.name);
  }

 private:
  // Per-pair divisors: `rope_freqs` (llama3), or long-rope's pair of tables, of which the context in use chooses one.
  Result<std::vector<float>> ReadFactors() {
    RopeParameters& rope = model_.hparams.rope;
    if (tensors_.Has("rope_freqs.weight")) return ReadFactorTable("rope_freqs.weight");
    if (!tensors_.Has("rope_factors_long.weight") && !tensors_.Has("rope_factors_short.weight")) {
      if (rope.scaling != RopeScaling::kLongRope) return std::vector<float>();
    }
    RF_ASSIGN_OR_RETURN(auto for_long, ReadFactorTable("rope_factors_long.weight"));
    RF_ASSIGN_OR_RETURN(auto for_short, ReadFactorTable("rope_factors_short.weight"));
    // Some converters write the tables without saying so in rope.scaling.type.
    if (rope.scaling == RopeScaling::kNone) rope.scaling = RopeScaling::kLongRope;
    const int32_t context = options_.context_length > 0 ? options_.context_length : model_.hparams.context_length;
    return context > rope.original_context ? for_long : for_short;
  }

  Result<std::vector<float>> ReadFactorTable(const char* name) {
    RF_ASSIGN_OR_RETURN(auto factors, tensors_.ReadVector(name, model_.hparams.rope.dim / 2));
    for (size_t j = 0; j < factors.size(); ++j) {
      if (std::isfinite(factors[j]) && factors[j] >= kMinRopeFactor) continue;
      return Error{ErrorCode::kCorruptFile,
                   fmt::format("tensor '{}' has {} at index {}, must be finite and > 0, at least {}", name, factors[j],
                               j, kMinRopeFactor),
                   file_.metadata().source()};
    }
    return factors;
  }

  ValueId AddTable(RopeFrequencies frequencies) {
    const ValueId table = model_.graph.AddValue({RowKind::kTokens, 1, model_.hparams.rope.dim, Format::kF32});
    Node node;
    node.op = OpNode<RopeTable>{{frequencies.magnitude}};
    node.out[0] = table;
    node.weight[0] = model_.graph.AddConstant(std::move(frequencies.radians_per_position));
    model_.graph.nodes.push_back(node);
    return table;
  }

  Status BuildRope() {
    RF_ASSIGN_OR_RETURN(const std::vector<float> factors, ReadFactors());
    const RopeParameters& rope = model_.hparams.rope;
    rope_.global = rope_.local = AddTable(ComputeRopeFrequencies(rope, factors));
    if (arch_.defaults.local_rope_base > 0.0f && model_.hparams.window > 0) {
      rope_.local = AddTable(ComputeLocalRopeFrequencies(rope));
    }
    return {};
  }

  Status BuildEmbedding(LayerBuilder& layer) {
    const Hyperparameters& h = model_.hparams;
    RF_ASSIGN_OR_RETURN(embedding_, tensors_.Require("token_embd.weight", {h.n_vocab, h.d_model}));
    const float scale = arch_.scales_embedding ? std::sqrt(static_cast<float>(h.d_model)) : 1.0f;
    layer.current = layer.residual = layer.AddActivation(h.d_model);
    Node& node = layer.AddNode(OpNode<Embed>{{scale}});
    node.out[0] = layer.current;
    node.weight[0] = embedding_;
    return {};
  }

  Status BuildLayer(LayerBuilder& layer) {
    const bool has_experts = model_.hparams.n_experts > 0;
    for (const LayerBlock& item : arch_.layer) {
      if (item.when != When::kAlways && (item.when == When::kExperts) != has_experts) continue;
      RF_RETURN_IF_ERROR(AppendAnyBlock(item.block, layer));
    }
    return {};
  }

  // Rows whose logits are wanted, final norm, output matrix (or the embedding, if tied), soft cap.
  Status BuildHead(LayerBuilder& layer) {
    const Hyperparameters& h = model_.hparams;
    Graph& graph = model_.graph;
    const ValueId rows = graph.AddValue({RowKind::kOutputs, 1, h.d_model, Format::kF32});
    Node& gather = layer.AddNode(OpNode<GatherRows>{});
    gather.in[0] = layer.residual;
    gather.out[0] = rows;
    RF_ASSIGN_OR_RETURN(const ValueId normed, layer.Normalize(rows, "output_norm.weight", h.d_model));
    RF_ASSIGN_OR_RETURN(WeightId output, tensors_.Find("output.weight", {h.n_vocab, h.d_model}));
    if (output < 0) output = embedding_;
    graph.logits = layer.Multiply(normed, {{output, -1, h.n_vocab}})[0];
    if (h.logit_soft_cap == 0.0f) return {};
    const ValueId capped = graph.AddValue({RowKind::kOutputs, 1, h.n_vocab, Format::kF32});
    Node& cap = layer.AddNode(OpNode<SoftCap>{{h.logit_soft_cap, /*scale=*/1.0f}});
    cap.in[0] = graph.logits;
    cap.out[0] = capped;
    graph.logits = capped;
    return {};
  }

  const GgufFile& file_;
  const ArchSpec& arch_;
  const ModelOptions& options_;
  Model& model_;
  TensorBinder tensors_;
  RopeTables rope_;
  WeightId embedding_ = -1;
};

// "vocab 257 vs token_embd 256": said before shapes are compared, since it explains them.
Status CheckVocabSize(const GgufFile& file, const Model& model) {
  const auto index = file.FindTensor("token_embd.weight");
  if (!index) return {};
  const GgufTensor& tensor = file.tensors()[*index];
  const auto n_tokens = static_cast<int64_t>(model.vocab.tokens.size());
  if (tensor.shape.size() != 2 || tensor.shape[0] == n_tokens) return {};
  return file.TensorError(*index, ErrorCode::kCorruptFile,
                          fmt::format("vocab {} vs token_embd {}: the vocabulary and the embedding differ in size",
                                      n_tokens, tensor.shape[0]));
}

// Layer number of "blk.12.attn_q.weight"; -1 for other names.
int64_t LayerOf(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  int64_t layer = 0;
  size_t i = kPrefix.size();
  for (; i < name.size() && name[i] >= '0' && name[i] <= '9' && i < kPrefix.size() + 9; ++i)
    layer = layer * 10 + (name[i] - '0');
  return i > kPrefix.size() && i < name.size() && name[i] == '.' ? layer : -1;
}

// "block_count is 3, but the file has tensors of 2 layers": explains the tensor that would be missing or left over.
Status CheckLayerCount(const GgufFile& file, const ArchSpec& arch, int32_t n_layers) {
  int64_t n_found = 0;
  for (const GgufTensor& tensor : file.tensors()) n_found = std::max(n_found, LayerOf(tensor.name) + 1);
  if (n_found == n_layers) return {};
  const std::string key = fmt::format("{}.block_count", arch.name);
  return file.metadata().ErrorAt(
      key, fmt::format("key '{}' is {}, but the file has tensors of {} layers", key, n_layers, n_found));
}

}  // namespace

Result<Model> BuildModel(const GgufFile& file, const ModelOptions& options) {
  RF_ASSIGN_OR_RETURN(const ArchSpec* arch, ChooseArch(file));
  Model model;
  model.architecture = arch->name;
  RF_ASSIGN_OR_RETURN(model.vocab, ReadVocab(file));
  RF_RETURN_IF_ERROR(CheckVocabSize(file, model));
  RF_ASSIGN_OR_RETURN(model.hparams, ReadHyperparameters(file, *arch));
  RF_RETURN_IF_ERROR(CheckLayerCount(file, *arch, model.hparams.n_layers));
  model.hparams.n_vocab = static_cast<int32_t>(model.vocab.tokens.size());
  RF_ASSIGN_OR_RETURN(const auto chat_template, file.metadata().FindString("tokenizer.chat_template"));
  if (chat_template) model.chat_template = *chat_template;
  RF_RETURN_IF_ERROR(ModelBuilder(file, *arch, options, model).Build());
  return model;
}

}  // namespace rf
