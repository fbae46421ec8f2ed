#include "model/hyperparameters.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/key_reader.h"
#include "model/other_keys.h"

namespace rf {
namespace {

constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxHeads = 1024;
constexpr int64_t kMaxExperts = 4096;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxHeadDim = 4096;
constexpr int64_t kMaxContext = int64_t{1} << 30;
constexpr float kMaxCap = 1e6f;
constexpr KeyReader::FloatRange kEps{0.0f, 0.1f};
constexpr KeyReader::FloatRange kRopeBase{1.0f, 1e12f};  // a base of 1 makes all frequencies equal
constexpr KeyReader::FloatRange kStretch{0.0f, 1e6f};
constexpr KeyReader::FloatRange kMagnitude{0.0f, 1e3f};

Status ReadHeads(const KeyReader& keys, Hyperparameters& h) {
  RF_ASSIGN_OR_RETURN(h.n_heads, keys.IntOfLayers("attention.head_count", {1, kMaxHeads}, h.n_layers));
  RF_ASSIGN_OR_RETURN(h.n_kv_heads, keys.IntOfLayers("attention.head_count_kv", {1, kMaxHeads}, h.n_layers, h.n_heads));
  if (h.n_heads % h.n_kv_heads != 0) {
    return keys.ErrorAt("attention.head_count_kv",
                        fmt::format("is {}, which does not divide the {} heads", h.n_kv_heads, h.n_heads));
  }
  if (!keys.Has("attention.key_length") && h.d_model % h.n_heads != 0) {
    return keys.ErrorAt("attention.head_count",
                        fmt::format("is {}, which does not divide the width {}", h.n_heads, h.d_model));
  }
  RF_ASSIGN_OR_RETURN(h.head_dim, keys.Int("attention.key_length", {1, kMaxHeadDim}, h.d_model / h.n_heads));
  RF_ASSIGN_OR_RETURN(const int32_t value_dim, keys.Int("attention.value_length", {1, kMaxHeadDim}, h.head_dim));
  if (value_dim != h.head_dim) {
    return keys.ErrorAt("attention.value_length",
                        fmt::format("is {}, must equal the key length {}", value_dim, h.head_dim));
  }
  if (h.head_dim % 2 == 0) return {};
  if (keys.Has("attention.key_length"))
    return keys.ErrorAt("attention.key_length", fmt::format("is {}, must be even", h.head_dim));
  return keys.ErrorAt("attention.head_count",
                      fmt::format("is {}: heads of {} elements, must be an even number", h.n_heads, h.head_dim));
}

Status ReadSizes(const KeyReader& keys, Hyperparameters& h) {
  RF_ASSIGN_OR_RETURN(h.n_layers, keys.Int("block_count", {1, kMaxLayers}));
  RF_ASSIGN_OR_RETURN(h.context_length, keys.Int("context_length", {1, kMaxContext}));
  RF_ASSIGN_OR_RETURN(h.d_model, keys.Int("embedding_length", {1, kMaxWidth}));
  RF_ASSIGN_OR_RETURN(h.d_ff, keys.IntOfLayers("feed_forward_length", {1, kMaxWidth}, h.n_layers));
  RF_ASSIGN_OR_RETURN(h.rms_eps, keys.Float("attention.layer_norm_rms_epsilon", kEps));
  return ReadHeads(keys, h);
}

bool HasExperts(const ArchSpec& arch) {
  for (const LayerBlock& item : arch.layer) {
    if (item.when == When::kExperts) return true;
  }
  return false;
}

Status ReadExperts(const KeyReader& keys, const ArchSpec& arch, Hyperparameters& h) {
  RF_ASSIGN_OR_RETURN(h.n_experts, keys.Int("expert_count", {0, kMaxExperts}, 0));
  if (h.n_experts > 0 && !HasExperts(arch)) {
    return keys.ErrorAt("expert_count", fmt::format("is {}, but '{}' is known as a dense architecture: must be 0",
                                                    h.n_experts, arch.name));
  }
  if (h.n_experts == 0) {
    RF_ASSIGN_OR_RETURN(const int32_t used, keys.Int("expert_used_count", {0, kMaxExperts}, 0));
    if (used != 0) return keys.ErrorAt("expert_used_count", fmt::format("is {}, but there are no experts", used));
    return {};
  }
  RF_ASSIGN_OR_RETURN(h.n_experts_used, keys.Int("expert_used_count", {1, h.n_experts}));
  RF_ASSIGN_OR_RETURN(h.d_ff_expert, keys.Int("expert_feed_forward_length", {1, kMaxWidth}, h.d_ff));
  return {};
}

Result<RopeScaling> ReadScalingType(const KeyReader& keys) {
  RF_ASSIGN_OR_RETURN(const auto type, keys.String("rope.scaling.type"));
  if (!type || *type == "linear") return RopeScaling::kLinear;  // files from before the key existed mean linear
  if (*type == "none") return RopeScaling::kNone;
  if (*type == "yarn") return RopeScaling::kYarn;
  if (*type == "longrope") return RopeScaling::kLongRope;
  return keys.ErrorAt("rope.scaling.type",
                      fmt::format("is '{}', must be none, linear, yarn or longrope", EscapeForMessage(*type, 40)));
}

Status ReadRopeScaling(const KeyReader& keys, RopeParameters& rope) {
  RF_ASSIGN_OR_RETURN(rope.scaling, ReadScalingType(keys));
  const char* factor_key = keys.Has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  const bool needs_factor = rope.scaling == RopeScaling::kYarn;
  RF_ASSIGN_OR_RETURN(rope.factor,
                      needs_factor ? keys.Float(factor_key, kStretch) : keys.Float(factor_key, kStretch, 1.0f));
  if (rope.scaling == RopeScaling::kLinear && rope.factor == 1.0f) rope.scaling = RopeScaling::kNone;
  if (rope.scaling == RopeScaling::kLongRope && rope.factor != 1.0f)
    return keys.ErrorAt(factor_key, fmt::format("is {}, must be 1 or absent beside longrope's tables", rope.factor));
  RF_ASSIGN_OR_RETURN(rope.attention_factor, keys.Float("rope.scaling.attn_factor", kMagnitude, 0.0f));
  RF_ASSIGN_OR_RETURN(rope.yarn_attention_factor, keys.Float("rope.scaling.yarn_attn_factor", kMagnitude, 0.0f));
  RF_ASSIGN_OR_RETURN(rope.yarn_log_multiplier, keys.FloatOrOff("rope.scaling.yarn_log_multiplier", 1e3f));
  RF_ASSIGN_OR_RETURN(rope.yarn_beta_fast, keys.Float("rope.scaling.yarn_beta_fast", kStretch, 32.0f));
  RF_ASSIGN_OR_RETURN(rope.yarn_beta_slow, keys.Float("rope.scaling.yarn_beta_slow", kStretch, 1.0f));
  return {};
}

Status ReadRope(const KeyReader& keys, const ArchDefaults& defaults, Hyperparameters& h) {
  RopeParameters& rope = h.rope;
  RF_ASSIGN_OR_RETURN(rope.dim, keys.Int("rope.dimension_count", {2, h.head_dim}, h.head_dim));
  if (rope.dim % 2 != 0) return keys.ErrorAt("rope.dimension_count", fmt::format("is {}, must be even", rope.dim));
  RF_ASSIGN_OR_RETURN(rope.base, keys.Float("rope.freq_base", kRopeBase, defaults.rope_base));
  const float local = defaults.local_rope_base > 0.0f ? defaults.local_rope_base : rope.base;
  RF_ASSIGN_OR_RETURN(rope.local_base, keys.Float("rope.freq_base_swa", kRopeBase, local));
  rope.stretched_context = h.context_length;
  RF_ASSIGN_OR_RETURN(rope.original_context,
                      keys.Int("rope.scaling.original_context_length", {1, kMaxContext}, h.context_length));
  return ReadRopeScaling(keys, rope);
}

Status ReadWindow(const KeyReader& keys, const ArchDefaults& defaults, Hyperparameters& h) {
  h.has_window.assign(static_cast<size_t>(h.n_layers), false);
  if (!defaults.uses_window) return {};
  if (defaults.window_pattern > 0) {  // without it a pattern means nothing
    RF_ASSIGN_OR_RETURN(h.window, keys.Int("attention.sliding_window", {0, kMaxContext}));
  } else {
    RF_ASSIGN_OR_RETURN(h.window, keys.Int("attention.sliding_window", {0, kMaxContext}, 0));
  }
  RF_ASSIGN_OR_RETURN(const auto given, keys.Pattern("attention.sliding_window_pattern", h.n_layers));
  const KeyReader::LayerPattern pattern = given.value_or(KeyReader::LayerPattern{defaults.window_pattern, {}});
  for (int32_t i = 0; i < h.n_layers && h.window > 0; ++i) {
    const auto layer = static_cast<size_t>(i);
    h.has_window[layer] =
        pattern.flags.empty() ? pattern.period == 0 || i % pattern.period != pattern.period - 1 : pattern.flags[layer];
  }
  return {};
}

}  // namespace

Result<Hyperparameters> ReadHyperparameters(const GgufFile& file, const ArchSpec& arch) {
  const KeyReader keys(file.metadata(), arch.name);
  Hyperparameters h;
  RF_RETURN_IF_ERROR(ReadSizes(keys, h));
  RF_RETURN_IF_ERROR(ReadExperts(keys, arch, h));
  RF_RETURN_IF_ERROR(ReadRope(keys, arch.defaults, h));
  RF_RETURN_IF_ERROR(ReadWindow(keys, arch.defaults, h));
  RF_ASSIGN_OR_RETURN(h.attention_scale, keys.FloatOrOff("attention.scale", kMaxCap));
  RF_ASSIGN_OR_RETURN(h.attention_soft_cap, keys.FloatOrOff("attn_logit_softcapping", kMaxCap));
  RF_ASSIGN_OR_RETURN(h.logit_soft_cap, keys.FloatOrOff("final_logit_softcapping", kMaxCap));
  RF_RETURN_IF_ERROR(CheckOtherKeys(file.metadata(), arch, h));
  return h;
}

}  // namespace rf
