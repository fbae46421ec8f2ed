#include "model/other_keys.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/log.h"
#include "base/utf8.h"

namespace rf {
namespace {

// Keys that ReadHyperparameters computes with, and keys that say nothing about the arithmetic.
constexpr std::string_view kKnown[] = {
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.scale",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.value_length",
    "attn_logit_softcapping",
    "block_count",
    "context_length",
    "embedding_length",
    "expert_count",
    "expert_feed_forward_length",
    "expert_used_count",
    "feed_forward_length",
    "final_logit_softcapping",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.freq_base_swa",
    "rope.scale_linear",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    "rope.scaling.finetuned",  // whether long contexts were trained; the arithmetic is the same
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "rope.scaling.yarn_log_multiplier",
    "tensor_data_layout",
    "vocab_size",  // the vocabulary itself says it
};

constexpr double kAnyRefused = -1.0;

// A key of other architectures: the value that means "off", and a second one where writers differ.
struct OffValue {
  std::string_view name;
  double off;
  double also_off;
};

constexpr OffValue kMustBeOff[] = {
    {"activation_sparsity_scale", 0, 0},
    {"attention.causal", 1, 1},
    {"attention.clamp_kqv", 0, 0},
    {"attention.key_length_mla", 0, 0},
    {"attention.key_length_swa", kAnyRefused, kAnyRefused},
    {"attention.kv_lora_rank", 0, 0},
    {"attention.max_alibi_bias", 0, 0},
    {"attention.output_scale", 0, 1},
    {"attention.q_lora_rank", 0, 0},
    {"attention.shared_kv_layers", 0, 0},
    {"attention.temperature_length", 0, 0},
    {"attention.temperature_scale", 0, 0},
    {"attention.value_length_mla", 0, 0},
    {"attention.value_length_swa", kAnyRefused, kAnyRefused},
    {"embedding_length_per_layer_input", 0, 0},
    {"embedding_scale", 0, 1},
    {"expert_gating_func", 0, 1},  // 1: softmax over all experts
    {"expert_group_count", 0, 1},
    {"expert_group_used_count", 0, 1},
    {"expert_shared_count", 0, 0},
    {"expert_shared_feed_forward_length", 0, 0},
    {"expert_weights_norm", 1, 1},  // as MoeFfn does it for these architectures
    {"expert_weights_scale", 0, 1},
    {"full_attention_interval", 0, 1},
    {"interleave_moe_layer_step", 0, 1},
    {"leading_dense_block_count", 0, 0},
    {"logit_scale", 0, 1},
    {"moe_every_n_layers", 0, 1},
    {"n_deepstack_layers", 0, 0},
    {"nextn_predict_layers", 0, 0},
    {"residual_scale", 0, 1},
    {"rope.dimension_count_swa", kAnyRefused, kAnyRefused},
    {"rope.dimension_sections", 0, 0},
    {"rope.global.freq_base", kAnyRefused, kAnyRefused},
    {"rope.local.freq_base", kAnyRefused, kAnyRefused},
    {"rope.scaling.alpha", 0, 0},
    {"rope.scaling.mscale", 1, 1},
    {"rope.scaling.yarn_ext_factor", -1, 1},  // -1: unset
    {"router_logit_softcapping", 0, 0},
    {"use_parallel_residual", 0, 0},
};

std::optional<double> Number(const GgufValue& value, size_t i) {
  if (const auto number = value.AsI64(i)) return static_cast<double>(*number);
  if (const auto flag = value.AsBool(i)) return *flag ? 1.0 : 0.0;
  return value.AsF64(i);
}

bool IsOff(const GgufValue& value, const OffValue& key) {
  if (key.off == kAnyRefused && key.also_off == kAnyRefused) return false;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto number = Number(value, i);
    if (!number || (*number != key.off && *number != key.also_off)) return false;
  }
  return true;
}

std::string Show(const GgufValue& value) {
  if (!value.is_array()) return value.ElementToString(0, 40);
  return fmt::format("an {} of {} elements", value.TypeName(), value.size());
}

Error Refusal(const GgufMetadata& metadata, std::string_view key, std::string_view problem) {
  Error error = metadata.ErrorAt(key, fmt::format("key '{}' {}", key, problem));
  error.code = ErrorCode::kUnsupported;
  return error;
}

Status CheckOff(const GgufMetadata& metadata, const ArchSpec& arch, const OffValue& off) {
  const std::string key = fmt::format("{}.{}", arch.name, off.name);
  const GgufValue* value = metadata.Find(key);
  if (value == nullptr || IsOff(*value, off)) return {};
  const bool is_any = off.off == kAnyRefused && off.also_off == kAnyRefused;
  const std::string wanted = is_any ? "must be absent" : fmt::format("must be {}", off.also_off);
  return Refusal(metadata, key,
                 fmt::format("is {}, which this build cannot compute for '{}': {}", Show(*value), arch.name, wanted));
}

// An embedding model ends in a pooled vector, not in logits.
Status CheckPooling(const GgufMetadata& metadata, const ArchSpec& arch) {
  const std::string key = fmt::format("{}.pooling_type", arch.name);
  const GgufValue* value = metadata.Find(key);
  if (value == nullptr || IsOff(*value, {key, 0, 0})) return {};
  return Refusal(metadata, key,
                 fmt::format("is {}: an embedding or reranking model, which cannot generate text", Show(*value)));
}

// A window that the architecture ignores is harmless only if nothing is ever outside of it.
Status CheckIgnoredWindow(const GgufMetadata& metadata, const ArchSpec& arch, const Hyperparameters& hparams) {
  const std::string key = fmt::format("{}.attention.sliding_window", arch.name);
  const GgufValue* value = metadata.Find(key);
  if (arch.defaults.uses_window || value == nullptr) return {};
  const auto window = value->is_array() ? std::nullopt : value->AsI64(0);
  if (window && (*window == 0 || *window >= hparams.context_length)) return {};
  return Refusal(metadata, key,
                 fmt::format("is {}, but '{}' has no sliding window: must be 0 or at least the context of {}",
                             Show(*value), arch.name, hparams.context_length));
}

void WarnUnknown(const GgufMetadata& metadata, const ArchSpec& arch) {
  const std::string prefix = fmt::format("{}.", arch.name);
  for (const GgufMetadata::Entry& entry : metadata.entries()) {
    if (!entry.key.starts_with(prefix)) continue;
    const std::string_view name = std::string_view(entry.key).substr(prefix.size());
    const bool is_known = std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
    const bool is_checked =
        name == "pooling_type" || std::any_of(std::begin(kMustBeOff), std::end(kMustBeOff),
                                              [name](const OffValue& off) { return off.name == name; });
    if (is_known || is_checked) continue;
    Log(LogLevel::kWarning, fmt::format("key '{}' is unknown and was ignored", EscapeForMessage(entry.key, 64)));
  }
}

}  // namespace

Status CheckOtherKeys(const GgufMetadata& metadata, const ArchSpec& arch, const Hyperparameters& hparams) {
  for (const OffValue& off : kMustBeOff) RF_RETURN_IF_ERROR(CheckOff(metadata, arch, off));
  RF_RETURN_IF_ERROR(CheckPooling(metadata, arch));
  RF_RETURN_IF_ERROR(CheckIgnoredWindow(metadata, arch, hparams));
  WarnUnknown(metadata, arch);
  return {};
}

}  // namespace rf
