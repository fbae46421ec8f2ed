// A model's sizes and constants, read from its file's metadata and checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "gguf/reader.h"
#include "model/arch_spec.h"

namespace rf {

/// How rotary frequencies are stretched for long contexts.
enum class RopeScaling { kNone, kLinear, kYarn, kLongRope };

struct RopeParameters {
  int32_t dim = 0;  ///< elements of a head that rotate, even
  float base = 10000.0f;
  float local_base = 10000.0f;  ///< of layers with a sliding window, where the architecture distinguishes
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1.0f;            ///< how many times longer than trained
  float attention_factor = 0.0f;  ///< magnitude of the rotation, on top of YaRN's; 0: not given
  float yarn_beta_fast = 32.0f;
  float yarn_beta_slow = 1.0f;
  float yarn_attention_factor = 0.0f;  ///< instead of YaRN's own magnitude; 0: not given
  float yarn_log_multiplier = 0.0f;    ///< divides YaRN's magnitude by the one that this multiplier gives; 0: off
  int32_t original_context = 0;        ///< positions before stretching
  int32_t stretched_context = 0;       ///< positions after it: context_length
};

struct Hyperparameters {
  int32_t n_vocab = 0;
  int32_t context_length = 0;  ///< positions the model was trained for
  int32_t n_layers = 0;
  int32_t d_model = 0;
  int32_t d_ff = 0;
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;
  float rms_eps = 0.0f;
  RopeParameters rope;
  int32_t window = 0;               ///< sliding window in positions, the token itself included; 0: none
  std::vector<bool> has_window;     ///< [n_layers] whether the layer looks at a window only
  float attention_scale = 0.0f;     ///< factor on the scores; 0: as the architecture defines it
  float attention_soft_cap = 0.0f;  ///< 0: none
  float logit_soft_cap = 0.0f;      ///< 0: none
  int32_t n_experts = 0;            ///< 0: a dense model
  int32_t n_experts_used = 0;
  int32_t d_ff_expert = 0;
};

/// Reads the keys `<architecture>.*`. Keys that may be arrays over the layers (heads, feed-forward length) are accepted
/// when all layers are alike. Errors: kCorruptFile that names the key, its value and what is accepted; kUnsupported for
/// keys that mean arithmetic which is not there (other_keys.h).
Result<Hyperparameters> ReadHyperparameters(const GgufFile& file, const ArchSpec& arch);

}  // namespace rf
