#include "engine/sampler/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/sampler/fast_exp.h"
#include "engine/sampler/lanes.h"

namespace rf {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// So many are summed in F32; their sums in F64.
constexpr size_t kPart = 4096;

// The largest logit of every 64: enough to find the best few of a vocabulary without looking at most of it twice.
class BlockMaxima {
 public:
  explicit BlockMaxima(std::span<const float> logits) : logits_(logits) {
    for (size_t begin = 0; begin < logits.size(); begin += kBlock) maxima_.push_back(Largest(Block(begin / kBlock)));
  }

  float Largest() const { return *std::max_element(maxima_.begin(), maxima_.end()); }

  // A logit that at least k tokens reach: k blocks hold one each.
  float ReachedBy(size_t k) const {
    if (k > maxima_.size()) return -kInfinity;
    std::vector<float> order = maxima_;
    const auto kth = order.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(order.begin(), kth, order.end(), std::greater<>());
    return *kth;
  }

  // All tokens whose logits reach `least`, in the order of their ids; never those of minus infinity.
  void Gather(float least, std::vector<Candidate>& items) const {
    const float floor = std::max(least, std::numeric_limits<float>::lowest());
    items.clear();
    for (size_t i = 0; i < maxima_.size(); ++i) {
      if (!(maxima_[i] >= floor)) continue;
      const std::span<const float> block = Block(i);
      for (size_t k = 0; k < block.size(); ++k) {
        if (block[k] >= floor) items.push_back({static_cast<int32_t>(i * kBlock + k), block[k]});
      }
    }
  }

 private:
  static constexpr size_t kBlock = 64;

  std::span<const float> Block(size_t i) const {
    return logits_.subspan(i * kBlock, std::min(kBlock, logits_.size() - i * kBlock));
  }

  static float Largest(std::span<const float> block) {
    return LargestOf(block.size(), [&](size_t i) { return block[i]; });
  }

  std::span<const float> logits_;
  std::vector<float> maxima_;
};

// What differences of logits are multiplied by. Never infinity, which would make the best one's 0 a NaN.
float ScaleOf(float temperature) {
  return std::min(1.0f / temperature, std::numeric_limits<float>::max());
}

[[gnu::always_inline]] inline void ComputeWeightsOf(std::span<const float> logits, float largest, float scale,
                                                    float* weights) {
  for (size_t i = 0; i < logits.size(); ++i) weights[i] = FastExp((logits[i] - largest) * scale);
}

#if defined(__x86_64__)
// Without FMA, so that it rounds as the plain one does: a seed gives the same tokens on every machine.
[[gnu::target("avx2")]] void ComputeWeightsAvx2(std::span<const float> logits, float largest, float scale,
                                                float* weights) {
  ComputeWeightsOf(logits, largest, scale, weights);
}
#endif

// The first step that cuts off, and what logits are divided by before it.
struct FirstCut {
  std::optional<SamplingStep> step;  ///< none: nothing is cut off
  float temperature = 1.0f;
  bool is_known = true;  ///< false: what is kept, or the temperature, depends on the whole distribution
};

bool CutsOff(SamplingStep step, const SamplingParams& params) {
  switch (step) {
    case SamplingStep::kTemperature: return false;
    case SamplingStep::kTopNSigma: return params.top_n_sigma > 0.0f;
    case SamplingStep::kTopK: return params.top_k > 0;
    case SamplingStep::kTypicalP: return params.typical_p < 1.0f;
    case SamplingStep::kTopP: return params.top_p < 1.0f;
    case SamplingStep::kMinP: return params.min_p > 0.0f;
    case SamplingStep::kXtc: return params.xtc_probability > 0.0f;
  }
  return true;
}

FirstCut FindFirstCut(const SamplingParams& params) {
  FirstCut cut;
  if (params.mirostat != 0) return {.is_known = false};
  for (const SamplingStep step : OrderOf(params)) {
    if (CutsOff(step, params)) {
      cut.step = step;
      break;
    }
    if (step != SamplingStep::kTemperature) continue;
    if (params.dynatemp_range > 0.0f) return {.is_known = false};
    cut.temperature = params.temperature;
  }
  return cut;
}

// Gathers more and more of the best until they have the probability top_p.
void GatherTopP(std::span<const float> logits, const BlockMaxima& maxima, const FirstCut& cut, float top_p,
                Candidates& candidates) {
  const float largest = maxima.Largest();
  const float scale = ScaleOf(cut.temperature);
  const double total = SumOfWeights(logits, largest, cut.temperature);
  constexpr double kMargin = 1e-5;  // for the rounding of the sums: rather a few tokens more than one too few
  for (size_t k = 64; k < logits.size() / 64; k *= 8) {
    maxima.Gather(maxima.ReachedBy(k), candidates.items);
    double sum = 0.0;
    for (const Candidate& item : candidates.items) sum += FastExp((item.logit - largest) * scale);
    if (sum < (top_p + kMargin) * total) continue;
    candidates.left_out = std::max(0.0, total - sum);
    return;
  }
  maxima.Gather(-kInfinity, candidates.items);
}

}  // namespace

std::span<const SamplingStep> OrderOf(const SamplingParams& params) {
  static constexpr SamplingStep kUsual[] = {
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name, key) SamplingStep::k##Name,
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  };
  if (params.order.empty()) return kUsual;
  return params.order;
}

void SelectCandidates(std::span<const float> logits, const SamplingParams& params, Candidates& candidates) {
  candidates.left_out = 0.0;
  const BlockMaxima maxima(logits);
  const FirstCut cut = FindFirstCut(params);
  float least = -kInfinity;
  if (cut.step == SamplingStep::kTopK) least = maxima.ReachedBy(static_cast<size_t>(params.top_k));
  if (cut.step == SamplingStep::kMinP) {
    constexpr float kMargin = 1e-3f;  // for rounding; the step itself looks more closely
    least = maxima.Largest() + cut.temperature * (std::log(params.min_p) - kMargin);
  }
  if (cut.step == SamplingStep::kTopP) return GatherTopP(logits, maxima, cut, params.top_p, candidates);
  maxima.Gather(least, candidates.items);
}

std::optional<float> OnlyTemperature(const SamplingParams& params) {
  const FirstCut cut = FindFirstCut(params);
  if (!cut.is_known || cut.step || params.adaptive_target >= 0.0f) return std::nullopt;
  return cut.temperature;
}

double Sum(std::span<const float> values) {
  double sum = 0.0;
  for (size_t begin = 0; begin < values.size(); begin += kPart) {
    const auto part = values.subspan(begin, std::min(kPart, values.size() - begin));
    float sums[kLanes] = {};
    size_t i = 0;
    for (; i + kLanes <= part.size(); i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += part[i + lane];
    }
    for (; i < part.size(); ++i) sums[0] += part[i];
    for (const float lane : sums) sum += lane;
  }
  return sum;
}

void ComputeWeights(std::span<const float> logits, float largest, float temperature, std::span<float> weights) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) return ComputeWeightsAvx2(logits, largest, ScaleOf(temperature), weights.data());
#endif
  ComputeWeightsOf(logits, largest, ScaleOf(temperature), weights.data());
}

double SumOfWeights(std::span<const float> logits, float largest, float temperature) {
  float weights[256];
  double sum = 0.0;
  for (size_t begin = 0; begin < logits.size(); begin += std::size(weights)) {
    const auto part = logits.subspan(begin, std::min(std::size(weights), logits.size() - begin));
    const auto part_weights = std::span(weights).first(part.size());
    ComputeWeights(part, largest, temperature, part_weights);
    sum += Sum(part_weights);
  }
  return sum;
}

float LargestLogit(const std::vector<Candidate>& candidates) {
  return LargestOf(candidates.size(), [&](size_t i) { return candidates[i].logit; });
}

double MeanDistance(const std::vector<Candidate>& candidates, std::span<const float> weights) {
  const double largest = LargestLogit(candidates);
  double weighted = 0.0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (weights[i] > 0.0f) weighted += weights[i] * (largest - candidates[i].logit);  // not 0 times infinity
  }
  return weighted / Sum(weights);
}

std::vector<float> Weights(const std::vector<Candidate>& candidates) {
  const float largest = LargestLogit(candidates);
  std::vector<float> weights(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) weights[i] = FastExp(candidates[i].logit - largest);
  return weights;
}

void KeepBest(std::vector<Candidate>& items, size_t k) {
  if (k >= items.size()) return;
  std::vector<Candidate> order = items;
  const auto last = order.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(order.begin(), last, order.end(), IsBetter);
  std::erase_if(items, [worst = *last](const Candidate& candidate) { return IsBetter(worst, candidate); });
}

void KeepUntil(std::vector<Candidate>& items, std::span<const float> weights, std::span<const float> ranks,
               double wanted) {
  // Where the cut falls, first to 1/64 (logits differ by what changes a probability by 1.6 %), then exactly.
  constexpr size_t kBuckets = 2048;
  constexpr float kPerRank = 64.0f;
  const auto bucket_of = [&](size_t i) {
    const float place = ranks[i] * kPerRank;
    return place < static_cast<float>(kBuckets) ? static_cast<size_t>(place) : kBuckets - 1;  // infinity goes last
  };
  std::vector<double> sums(kBuckets, 0.0);
  for (size_t i = 0; i < items.size(); ++i) sums[bucket_of(i)] += weights[i];
  const double least = std::max(wanted, std::numeric_limits<double>::min());  // something is always kept
  size_t cut = 0;
  double sum = 0.0;
  while (cut + 1 < kBuckets && sum + sums[cut] < least) sum += sums[cut++];

  struct Ranked {
    float rank;
    int32_t id;
    float weight;
    bool operator<(const Ranked& other) const { return std::pair(rank, id) < std::pair(other.rank, other.id); }
  };
  std::vector<Ranked> around;
  for (size_t i = 0; i < items.size(); ++i) {
    if (bucket_of(i) == cut) around.push_back({ranks[i], items[i].id, weights[i]});
  }
  std::sort(around.begin(), around.end());
  size_t n = 0;
  while (n < around.size() && sum < least) sum += around[n++].weight;
  const bool keeps_none = n == 0;  // of this last bucket, which is empty: rounding kept the sum below
  const Ranked last = keeps_none ? Ranked{} : around[n - 1];
  size_t n_kept = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const size_t bucket = bucket_of(i);
    const bool is_kept = bucket < cut || (bucket == cut && !keeps_none &&
                                          std::pair(ranks[i], items[i].id) <= std::pair(last.rank, last.id));
    if (is_kept) items[n_kept++] = items[i];
  }
  items.resize(n_kept);
}

}  // namespace rf
