// The fields that chat completions and completions share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/request.h"
#include "engine/sampler/sampling_params.h"
#include "server/openai/fields.h"

namespace rf::server {

inline constexpr int kMaxChoices = 16;        ///< n
inline constexpr size_t kMaxStops = 16;       ///< stop strings
inline constexpr size_t kMaxStopBytes = 256;  ///< of one stop string
inline constexpr size_t kMaxLogitBiases = 1024;
inline constexpr size_t kMaxShortTextBytes = 256;  ///< model names, user ids and the like

struct GenerationParams {
  std::string model;  ///< empty: the one that is served
  int32_t n = 1;
  int32_t max_tokens = kUnlimitedTokens;
  int32_t n_top_logprobs = -1;  ///< -1: none
  SamplingParams sampling;
  bool has_seed = false;  ///< the request names it; otherwise it is a random one
  std::vector<std::string> stops;
  bool ignore_eos = false;
  bool stream = false;
  bool include_usage = false;
};

/// Reads everything but max_tokens and the log-probabilities, which the endpoints define differently. Without "seed" a
/// random one is drawn. Problems are left in `fields`.
GenerationParams ReadGenerationParams(Fields& fields, int32_t n_vocab);

}  // namespace rf::server
