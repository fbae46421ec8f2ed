#include "model/hyperparameters.h"

#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace rf {
namespace {

constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxHeads = 1024;
constexpr int64_t kMaxExperts = 4096;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxHeadDim = 4096;
constexpr int64_t kMaxContext = int64_t{1} << 30;
constexpr float kMaxEps = 0.1f;

/// Reads `<architecture>.<name>` keys and checks their ranges.
class KeyReader {
 public:
  KeyReader(const GgufMetadata& metadata, std::string_view architecture) : metadata_(metadata), prefix_(architecture) {}

  std::string Key(std::string_view name) const { return fmt::format("{}.{}", prefix_, name); }
  bool Has(std::string_view name) const { return metadata_.Has(Key(name)); }

  struct IntRange {
    int64_t min;
    int64_t max;
  };

  Result<int32_t> Int(std::string_view name, IntRange range) const {
    RF_ASSIGN_OR_RETURN(const uint64_t value, metadata_.GetU64(Key(name)));
    if (value >= static_cast<uint64_t>(range.min) && value <= static_cast<uint64_t>(range.max))
      return static_cast<int32_t>(value);
    return metadata_.ErrorAt(Key(name),
                             fmt::format("key '{}' is {}, must be {} to {}", Key(name), value, range.min, range.max));
  }

  Result<int32_t> Int(std::string_view name, IntRange range, int32_t fallback) const {
    if (!Has(name)) return fallback;
    return Int(name, range);
  }

  /// Finite and > 0.
  Result<float> Positive(std::string_view name) const {
    RF_ASSIGN_OR_RETURN(const float value, metadata_.GetF32(Key(name)));
    if (std::isfinite(value) && value > 0.0f) return value;
    return metadata_.ErrorAt(Key(name), fmt::format("key '{}' is {}, must be finite and > 0", Key(name), value));
  }

  Result<float> Positive(std::string_view name, float fallback) const {
    if (!Has(name)) return fallback;
    return Positive(name);
  }

  Result<std::optional<std::string_view>> String(std::string_view name) const {
    return metadata_.FindString(Key(name));
  }

  Error ErrorAt(std::string_view name, std::string_view problem) const {
    return metadata_.ErrorAt(Key(name), fmt::format("key '{}' {}", Key(name), problem));
  }

 private:
  const GgufMetadata& metadata_;
  std::string prefix_;
};

Status ReadSizes(const KeyReader& keys, Hyperparameters& h) {
  RF_ASSIGN_OR_RETURN(h.n_layers, keys.Int("block_count", {1, kMaxLayers}));
  RF_ASSIGN_OR_RETURN(h.context_length, keys.Int("context_length", {1, kMaxContext}));
  RF_ASSIGN_OR_RETURN(h.d_model, keys.Int("embedding_length", {1, kMaxWidth}));
  RF_ASSIGN_OR_RETURN(h.n_heads, keys.Int("attention.head_count", {1, kMaxHeads}));
  RF_ASSIGN_OR_RETURN(h.n_kv_heads, keys.Int("attention.head_count_kv", {1, kMaxHeads}, h.n_heads));
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
  if (h.head_dim % 2 != 0)
    return keys.ErrorAt("attention.key_length", fmt::format("makes heads of {}, must be even", h.head_dim));
  RF_ASSIGN_OR_RETURN(h.rms_eps, keys.Positive("attention.layer_norm_rms_epsilon"));
  if (h.rms_eps > kMaxEps) {
    return keys.ErrorAt("attention.layer_norm_rms_epsilon",
                        fmt::format("is {}, must be finite and > 0, at most {}", h.rms_eps, kMaxEps));
  }
  return {};
}

Status ReadExperts(const KeyReader& keys, Hyperparameters& h) {
  RF_ASSIGN_OR_RETURN(h.d_ff, keys.Int("feed_forward_length", {1, kMaxWidth}));
  if (!keys.Has("expert_count")) return {};
  RF_ASSIGN_OR_RETURN(h.n_experts, keys.Int("expert_count", {0, kMaxExperts}));
  if (h.n_experts == 0) return {};
  RF_ASSIGN_OR_RETURN(h.n_experts_used, keys.Int("expert_used_count", {1, h.n_experts}));
  RF_ASSIGN_OR_RETURN(h.d_ff_expert, keys.Int("expert_feed_forward_length", {1, kMaxWidth}, h.d_ff));
  return {};
}

Status ReadRopeScaling(const KeyReader& keys, RopeParameters& rope) {
  RF_ASSIGN_OR_RETURN(const auto type, keys.String("rope.scaling.type"));
  if (type && *type == "yarn") {
    rope.scaling = RopeScaling::kYarn;
  } else if (type && *type == "longrope") {
    rope.scaling = RopeScaling::kLongRope;
  } else if (type && *type != "none" && *type != "linear") {
    return keys.ErrorAt("rope.scaling.type", "must be none, linear, yarn or longrope");
  } else if (keys.Has("rope.scaling.factor") || keys.Has("rope.scale_linear")) {
    // Files without a type, from before it existed, mean linear scaling.
    rope.scaling = type && *type == "none" ? RopeScaling::kNone : RopeScaling::kLinear;
  }
  const char* factor_key = keys.Has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  RF_ASSIGN_OR_RETURN(rope.factor, keys.Positive(factor_key, 1.0f));
  RF_ASSIGN_OR_RETURN(rope.attention_factor, keys.Positive("rope.scaling.attn_factor", 1.0f));
  RF_ASSIGN_OR_RETURN(rope.yarn_beta_fast, keys.Positive("rope.scaling.yarn_beta_fast", 32.0f));
  RF_ASSIGN_OR_RETURN(rope.yarn_beta_slow, keys.Positive("rope.scaling.yarn_beta_slow", 1.0f));
  return {};
}

Status ReadRope(const KeyReader& keys, const ArchDefaults& defaults, Hyperparameters& h) {
  RopeParameters& rope = h.rope;
  RF_ASSIGN_OR_RETURN(rope.dim, keys.Int("rope.dimension_count", {2, h.head_dim}, h.head_dim));
  if (rope.dim % 2 != 0) return keys.ErrorAt("rope.dimension_count", fmt::format("is {}, must be even", rope.dim));
  RF_ASSIGN_OR_RETURN(rope.base, keys.Positive("rope.freq_base", 10000.0f));
  const float local = defaults.local_rope_base > 0.0f ? defaults.local_rope_base : rope.base;
  RF_ASSIGN_OR_RETURN(rope.local_base, keys.Positive("rope.freq_base_swa", local));
  RF_ASSIGN_OR_RETURN(rope.original_context,
                      keys.Int("rope.scaling.original_context_length", {1, kMaxContext}, h.context_length));
  return ReadRopeScaling(keys, rope);
}

}  // namespace

Result<Hyperparameters> ReadHyperparameters(const GgufFile& file, const ArchSpec& arch) {
  const KeyReader keys(file.metadata(), arch.name);
  Hyperparameters h;
  RF_RETURN_IF_ERROR(ReadSizes(keys, h));
  RF_RETURN_IF_ERROR(ReadExperts(keys, h));
  RF_RETURN_IF_ERROR(ReadRope(keys, arch.defaults, h));
  if (arch.defaults.uses_window) {
    RF_ASSIGN_OR_RETURN(h.window, keys.Int("attention.sliding_window", {0, kMaxContext}, 0));
  }
  RF_ASSIGN_OR_RETURN(h.attention_soft_cap, keys.Positive("attn_logit_softcapping", 0.0f));
  RF_ASSIGN_OR_RETURN(h.logit_soft_cap, keys.Positive("final_logit_softcapping", 0.0f));
  RF_ASSIGN_OR_RETURN(h.logit_scale, keys.Positive("logit_scale", 1.0f));
  return h;
}

}  // namespace rf
