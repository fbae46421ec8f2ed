#include "app/sampling_options.h"

#include <charconv>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/option_range.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();
constexpr float kMaxBias = 100.0f;

// "15043=-2.5" or "15043:-2.5" as (token, bias); false if it is something else.
bool ParseBias(const std::string& text, std::pair<int32_t, float>& bias) {
  const size_t separator = text.find_first_of("=:");
  if (separator == std::string::npos) return false;
  const char* middle = text.data() + separator;
  const char* end = text.data() + text.size();
  const auto id = std::from_chars(text.data(), middle, bias.first);
  const auto value = std::from_chars(middle + 1, end, bias.second);
  return id.ec == std::errc() && id.ptr == middle && bias.first >= 0 && value.ec == std::errc() && value.ptr == end &&
         bias.second >= -kMaxBias && bias.second <= kMaxBias;
}

void AddBiasOption(CLI::App& command, SamplingParams& params) {
  const auto check = [](std::string& text) -> std::string {
    std::pair<int32_t, float> bias;
    if (ParseBias(text, bias)) return "";
    return fmt::format("'{}' is not ID=BIAS with a bias in -{}..{}", EscapeForMessage(text, 40), kMaxBias, kMaxBias);
  };
  command
      .add_option_function<std::vector<std::string>>(
          "--logit-bias",
          [&params](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) ParseBias(text, params.logit_bias.emplace_back());
          },
          "ID=BIAS: add BIAS to the logit of token ID; may be given several times")
      ->check(CLI::Validator(check, "ID=BIAS"))
      ->allow_extra_args(false);  // one value each time: the next word may be MODEL
}

void AddPenaltyOptions(CLI::App& command, SamplingParams& params) {
  command
      .add_option("--repeat-penalty", params.repetition_penalty,
                  fmt::format("make recent tokens less likely (default {}; 1: off)", params.repetition_penalty))
      ->check(AcceptIn(0.01f, 100.0f));
  command
      .add_option(
          "--repeat-last-n", params.penalty_window,
          fmt::format("tokens that --repeat-penalty looks back at (default {}; -1: all)", params.penalty_window))
      ->check(AcceptIn(-1, kMaxInt));
  command
      .add_option(
          "--presence-penalty", params.presence_penalty,
          fmt::format("taken from the logit of each token generated so far (default {})", params.presence_penalty))
      ->check(AcceptIn(-2.0f, 2.0f));
  command
      .add_option("--frequency-penalty", params.frequency_penalty,
                  fmt::format("the same for each time it was generated (default {})", params.frequency_penalty))
      ->check(AcceptIn(-2.0f, 2.0f));
}

}  // namespace

void AddSamplingOptions(CLI::App& command, SamplingParams& params) {
  command
      .add_option("--temp", params.temperature,
                  fmt::format("temperature (default {}); 0 always takes the most likely token", params.temperature))
      ->check(AcceptIn(0.0f, 100.0f));
  command
      .add_option("--top-k", params.top_k,
                  fmt::format("keep the K most likely tokens (default {}; 0: all)", params.top_k))
      ->check(AcceptIn(0, kMaxInt));
  command
      .add_option(
          "--top-p", params.top_p,
          fmt::format("keep the most likely tokens with this probability in all (default {}; 1: all)", params.top_p))
      ->check(AcceptIn(0.0f, 1.0f));
  command
      .add_option(
          "--min-p", params.min_p,
          fmt::format("drop tokens below this share of the best one's probability (default {}; 0: none)", params.min_p))
      ->check(AcceptIn(0.0f, 1.0f));
  AddPenaltyOptions(command, params);
  AddBiasOption(command, params);
}

}  // namespace rf::app
