// A model's sizes and constants, read from its file's metadata and checked.
#pragma once

#include <cstdint>
#include <string>

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
  float attention_factor = 1.0f;  ///< magnitude of the rotation
  float yarn_beta_fast = 32.0f;
  float yarn_beta_slow = 1.0f;
  int32_t original_context = 0;  ///< trained context; 0: context_length
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
  int32_t window = 0;               ///< sliding window in positions; 0: none
  float attention_soft_cap = 0.0f;  ///< 0: none
  float logit_soft_cap = 0.0f;      ///< 0: none
  float logit_scale = 1.0f;
  int32_t n_experts = 0;  ///< 0: a dense model
  int32_t n_experts_used = 0;
  int32_t d_ff_expert = 0;

  /// Whether a layer looks at a window only; every pattern-th layer sees everything.
  bool IsWindowed(int32_t layer, int32_t pattern) const {
    return window > 0 && (pattern == 0 || layer % pattern != pattern - 1);
  }
};

/// Reads the keys `<architecture>.*`. Errors: kCorruptFile that names the key, its value and what is accepted.
Result<Hyperparameters> ReadHyperparameters(const GgufFile& file, const ArchSpec& arch);

}  // namespace rf
