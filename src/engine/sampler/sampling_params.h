// What a request says about how its tokens are chosen.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rf {

/// Neutral values switch a step off; the defaults choose greedily.
struct SamplingParams {
  float temperature = 0.0f;         ///< 0: always the most likely token; 0..100
  int32_t top_k = 0;                ///< keep the k most likely; 0: all
  float top_p = 1.0f;               ///< keep the smallest set of most likely tokens with this probability; 0..1, 1: all
  float min_p = 0.0f;               ///< drop tokens below this share of the best one's probability; 0..1, 0: none
  float repetition_penalty = 1.0f;  ///< divides positive and multiplies negative logits of recent tokens; > 0, 1: none
  float presence_penalty = 0.0f;    ///< subtracted once from the logits of tokens generated so far; -2..2
  float frequency_penalty = 0.0f;   ///< subtracted once for each time a token was generated; -2..2
  int32_t penalty_window = 64;      ///< tokens (prompt included) that repetition_penalty looks back at; -1: all
  uint64_t seed = 0;                ///< the same seed and request give the same tokens
  std::vector<std::pair<int32_t, float>> logit_bias;  ///< (token, added to its logit), at most 1,024

  bool is_greedy() const { return temperature == 0.0f; }
};

/// Errors: kInvalidArgument naming the field, its value and its range (`where` is the field's name).
Status CheckSamplingParams(const SamplingParams& params, int32_t n_vocab);

}  // namespace rf
