// Rotary frequencies of a model: every scaling method reduced to one table and one magnitude.
#pragma once

#include <vector>

#include "model/hyperparameters.h"

namespace rf {

struct RopeFrequencies {
  std::vector<float> radians_per_position;  ///< [rope_dim / 2]
  float magnitude = 1.0f;
};

/// Frequency j is base^(-2j / rope_dim), changed by the model's scaling and divided by factors[j] if given (llama3,
/// long-rope). The magnitude is the file's attention factor, times YaRN's 1 + 0.1 ln(factor) if that is the scaling;
/// long-rope files without one get sqrt(1 + ln(stretch) / ln(original_context)). Sources: Su et al. 2021,
/// arXiv:2104.09864; linear: Chen et al. 2023, arXiv:2306.15595; YaRN: Peng et al. 2023, arXiv:2309.00071; long-rope:
/// Ding et al. 2024, arXiv:2402.13753. REQUIRES: rope as ReadHyperparameters gives it; factors empty or [rope_dim / 2].
RopeFrequencies ComputeRopeFrequencies(const RopeParameters& rope, const std::vector<float>& factors);

/// As above for windowed layers: their own base, no scaling.
RopeFrequencies ComputeLocalRopeFrequencies(const RopeParameters& rope);

}  // namespace rf
