// Prints how long sampling one token takes, fastest and median of 301, for several chains of samplers and a vocabulary
// of the given size (default 151,851).
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "engine/sampler/sampler.h"

namespace rf {
namespace {

// As a language model's: most tokens far down, a few hundred that fall off like Zipf's law.
std::vector<float> ModelLikeLogits(size_t n) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> tail(0.0f, 2.5f);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = tail(random);
  for (size_t rank = 1; rank <= 500; ++rank) logits[random() % n] = 20.0f - 1.2f * std::log(static_cast<float>(rank));
  return logits;
}

struct Times {
  double fastest;
  double median;
};

// Of many tokens, in microseconds.
Times TimesOf(const SamplingParams& params, const std::vector<float>& logits) {
  Sampler sampler(params, std::vector<int32_t>(1000, 5));
  std::vector<double> times;
  for (int i = 0; i < 301; ++i) {
    const auto start = std::chrono::steady_clock::now();
    sampler.Sample(logits);
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {.fastest = times.front(), .median = times[times.size() / 2]};
}

void PrintTimes(size_t n_vocab) {
  const std::vector<float> logits = ModelLikeLogits(n_vocab);
  const std::pair<const char*, SamplingParams> chains[] = {
      {"greedy", {}},
      {"temperature 1", {.temperature = 1.0f}},
      {"top_k 40, top_p 0.95, min_p 0.05", {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f}},
      {"top_p 0.95, min_p 0.05", {.temperature = 0.7f, .top_p = 0.95f, .min_p = 0.05f}},
      {"top_p 0.95", {.temperature = 1.0f, .top_p = 0.95f}},
      {"min_p 0.05", {.temperature = 1.0f, .min_p = 0.05f}},
      {"penalties, DRY, top_k 40",
       {.temperature = 0.8f,
        .top_k = 40,
        .repetition_penalty = 1.1f,
        .presence_penalty = 0.1f,
        .dry_multiplier = 0.8f}},
      {"typical_p 0.9", {.temperature = 1.0f, .typical_p = 0.9f}},
      {"top_n_sigma 1", {.temperature = 1.0f, .top_n_sigma = 1.0f}},
      {"xtc", {.temperature = 1.0f, .xtc_probability = 1.0f}},
      {"dynamic temperature", {.temperature = 1.0f, .dynatemp_range = 0.5f}},
      {"mirostat 1", {.temperature = 1.0f, .mirostat = 1}},
      {"mirostat 2", {.temperature = 1.0f, .mirostat = 2}},
      {"adaptive-p", {.temperature = 1.0f, .adaptive_target = 0.5f}},
      {"min_p 0.05, adaptive-p", {.temperature = 1.0f, .min_p = 0.05f, .adaptive_target = 0.5f}},
      {"temperature 2, top_p 0.95", {.temperature = 2.0f, .top_p = 0.95f}},
      {"temperature 2, typical_p 0.9", {.temperature = 2.0f, .typical_p = 0.9f}},
  };
  fmt::print("{:34} {:>12} {:>12}\n", "microseconds", "fastest", "median");
  for (const auto& [name, params] : chains) {
    const Times times = TimesOf(params, logits);
    fmt::print("{:34} {:12.1f} {:12.1f}\n", name, times.fastest, times.median);
  }
}

}  // namespace
}  // namespace rf

int main(int argc, char** argv) {
  rf::PrintTimes(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 151'851);
}
