#include "model/model.h"

#include <cmath>
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

// Files that are GGUF but no language model: says what they are.
Status CheckFileKind(const GgufMetadata& metadata, const std::string& path) {
  RF_ASSIGN_OR_RETURN(const auto type, metadata.FindString("general.type"));
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
  RF_RETURN_IF_ERROR(CheckFileKind(metadata, file.shards()[0].path));
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
    LayerBuilder layer(model_.hparams, arch_.defaults, rope_, tensors_, model_.graph);
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
    const RopeParameters& rope = model_.hparams.rope;
    const int64_t n = rope.dim / 2;
    if (tensors_.Has("rope_freqs.weight")) return tensors_.ReadVector("rope_freqs.weight", n);
    if (!tensors_.Has("rope_factors_long.weight")) return std::vector<float>();
    RF_ASSIGN_OR_RETURN(auto for_long, tensors_.ReadVector("rope_factors_long.weight", n));
    RF_ASSIGN_OR_RETURN(auto for_short, tensors_.ReadVector("rope_factors_short.weight", n));
    const int32_t context = options_.context_length > 0 ? options_.context_length : model_.hparams.context_length;
    return context > rope.original_context ? for_long : for_short;
  }

  Status CheckFactors(const std::vector<float>& factors) const {
    for (size_t j = 0; j < factors.size(); ++j) {
      if (std::isfinite(factors[j]) && factors[j] > 0.0f) continue;
      return Error{ErrorCode::kCorruptFile, fmt::format("rope factor {} is {}, must be finite and > 0", j, factors[j]),
                   file_.shards()[0].path};
    }
    return {};
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
    RF_RETURN_IF_ERROR(CheckFactors(factors));
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

  // Rows whose logits are wanted, final norm, output matrix (or the embedding, if tied), soft cap or scale.
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
    if (h.logit_soft_cap == 0.0f && h.logit_scale == 1.0f) return {};
    const ValueId capped = graph.AddValue({RowKind::kOutputs, 1, h.n_vocab, Format::kF32});
    Node& cap = layer.AddNode(OpNode<SoftCap>{{h.logit_soft_cap, h.logit_scale}});
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

}  // namespace

Result<Model> BuildModel(const GgufFile& file, const ModelOptions& options) {
  RF_ASSIGN_OR_RETURN(const ArchSpec* arch, ChooseArch(file));
  Model model;
  model.architecture = arch->name;
  RF_ASSIGN_OR_RETURN(model.vocab, ReadVocab(file));
  RF_RETURN_IF_ERROR(CheckVocabSize(file, model));
  RF_ASSIGN_OR_RETURN(model.hparams, ReadHyperparameters(file, *arch));
  model.hparams.n_vocab = static_cast<int32_t>(model.vocab.tokens.size());
  RF_ASSIGN_OR_RETURN(const auto chat_template, file.metadata().FindString("tokenizer.chat_template"));
  if (chat_template) model.chat_template = *chat_template;
  RF_RETURN_IF_ERROR(ModelBuilder(file, *arch, options, model).Build());
  return model;
}

}  // namespace rf
