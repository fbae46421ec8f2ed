#include "model/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rf {
namespace {

double PlainFrequency(double base, int j, int dim) {
  return std::pow(base, -2.0 * j / dim);
}

// The pair whose wavelength turns `rotations` times over the trained context (arXiv:2309.00071, equation 17 solved for
// the index).
double CorrectionPair(const RopeParameters& rope, double rotations) {
  return rope.dim * std::log(rope.original_context / (rotations * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(rope.base));
}

// How much of the stretched frequency a pair gets: 0 for fast pairs, 1 for slow ones.
double YarnInterpolation(const RopeParameters& rope, int j) {
  const double low = std::max(0.0, std::floor(CorrectionPair(rope, rope.yarn_beta_fast)));
  const double high = std::min(rope.dim - 1.0, std::ceil(CorrectionPair(rope, rope.yarn_beta_slow)));
  return std::clamp((j - low) / std::max(0.001, high - low), 0.0, 1.0);
}

double ScaleFrequency(const RopeParameters& rope, double frequency, int j) {
  switch (rope.scaling) {
    case RopeScaling::kLinear: return frequency / rope.factor;
    case RopeScaling::kYarn: {
      const double share = YarnInterpolation(rope, j);
      return frequency / rope.factor * share + frequency * (1.0 - share);
    }
    case RopeScaling::kNone:
    case RopeScaling::kLongRope: break;
  }
  return frequency;
}

// YaRN's magnitude for a stretch by `factor` (arXiv:2309.00071, equation 22), its logarithm weighted.
double YarnMagnitude(double factor, double log_multiplier) {
  return factor <= 1.0 ? 1.0 : 1.0 + 0.1 * log_multiplier * std::log(factor);
}

// Long-rope's magnitude, for files that do not give it (arXiv:2402.13753, section 3.3 as published in Phi-3's code).
double LongRopeMagnitude(const RopeParameters& rope) {
  const double stretch = static_cast<double>(rope.stretched_context) / rope.original_context;
  if (stretch <= 1.0 || rope.original_context <= 1) return 1.0;
  return std::sqrt(1.0 + std::log(stretch) / std::log(rope.original_context));
}

double Magnitude(const RopeParameters& rope) {
  const double given = rope.attention_factor > 0.0f ? rope.attention_factor : 1.0;
  switch (rope.scaling) {
    case RopeScaling::kLongRope: return rope.attention_factor > 0.0f ? given : LongRopeMagnitude(rope);
    case RopeScaling::kYarn:
      if (rope.yarn_attention_factor > 0.0f) return given * rope.yarn_attention_factor;
      return given * YarnMagnitude(rope.factor, 1.0) / YarnMagnitude(rope.factor, rope.yarn_log_multiplier);
    case RopeScaling::kNone:
    case RopeScaling::kLinear: break;
  }
  return given;
}

}  // namespace

RopeFrequencies ComputeRopeFrequencies(const RopeParameters& rope, const std::vector<float>& factors) {
  RopeFrequencies out;
  out.magnitude = static_cast<float>(Magnitude(rope));
  for (int j = 0; j < rope.dim / 2; ++j) {
    const double factor = factors.empty() ? 1.0 : factors[static_cast<size_t>(j)];
    out.radians_per_position.push_back(
        static_cast<float>(ScaleFrequency(rope, PlainFrequency(rope.base, j, rope.dim) / factor, j)));
  }
  return out;
}

RopeFrequencies ComputeLocalRopeFrequencies(const RopeParameters& rope) {
  RopeFrequencies out;
  for (int j = 0; j < rope.dim / 2; ++j) {
    out.radians_per_position.push_back(static_cast<float>(PlainFrequency(rope.local_base, j, rope.dim)));
  }
  return out;
}

}  // namespace rf
