#include "app/sampling_options.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/option_range.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr const char* kGroup = "Sampling";  // the heading in a command's help

// "15043=-2.5" or "15043:-2.5" as (token, bias); false if it is something else.
bool ParseBias(const std::string& text, std::pair<int32_t, float>& bias) {
  const size_t separator = text.find_first_of("=:");
  if (separator == std::string::npos) return false;
  const char* middle = text.data() + separator;
  const char* end = text.data() + text.size();
  const auto id = std::from_chars(text.data(), middle, bias.first);
  const auto value = std::from_chars(middle + 1, end, bias.second);
  return id.ec == std::errc() && id.ptr == middle && bias.first >= 0 && value.ec == std::errc() && value.ptr == end &&
         bias.second >= -kMaxLogitBias && bias.second <= kMaxLogitBias;
}

void AddBiasOption(CLI::App& command, SamplingParams& params) {
  const auto check = [](std::string& text) -> std::string {
    std::pair<int32_t, float> bias;
    if (ParseBias(text, bias)) return "";
    return fmt::format("'{}' is not ID=BIAS with a bias in -{}..{}", EscapeForMessage(text, 40), kMaxLogitBias,
                       kMaxLogitBias);
  };
  command
      .add_option_function<std::vector<std::string>>(
          "--logit-bias",
          [&params](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) ParseBias(text, params.logit_bias.emplace_back());
          },
          "ID=BIAS: add BIAS to the logit of token ID; may be given several times")
      ->check(CLI::Validator(check, "ID=BIAS"))
      ->allow_extra_args(false)  // one value each time: the next word may be MODEL
      ->group(kGroup);
}

void AddTokenOptions(CLI::App& command, SamplingParams& params) {
  command.add_option("--ban-token", params.banned_ids, "ID: never choose this token; may be given several times")
      ->check(AcceptIn(0, SamplingParams::kMaxCount))
      ->allow_extra_args(false)
      ->group(kGroup);
  command.add_option("--allow-token", params.allowed_ids, "ID: choose no other tokens; may be given several times")
      ->check(AcceptIn(0, SamplingParams::kMaxCount))
      ->allow_extra_args(false)
      ->group(kGroup);
}

void AddOrderOption(CLI::App& command, SamplingParams& params) {
  const auto check = [](std::string& text) -> std::string {
    const auto order = ParseSamplingOrder(text);
    return order ? "" : order.error().message;
  };
  command
      .add_option_function<std::string>(
          "--samplers", [&params](const std::string& text) { params.order = ParseSamplingOrder(text).value(); },
          "steps to take, in this order, with ';' between (default "
          "temperature;top_n_sigma;top_k;typical_p;top_p;min_p;xtc)")
      ->check(CLI::Validator(check, "STEPS"))
      ->group(kGroup);
}

void AddBreakerOption(CLI::App& command, SamplingParams& params) {
  command
      .add_option_function<std::vector<std::string>>(
          "--dry-sequence-breaker",
          [&params](const std::vector<std::string>& texts) {
            params.dry_breakers = texts;
            std::erase(params.dry_breakers, "none");
          },
          "text across which DRY sees no repetition; may be given several times, 'none' for none (default newline : \" "
          "*)")
      ->allow_extra_args(false)
      ->group(kGroup);
}

template <typename T>
void AddNumber(CLI::App& command, T& value, T least, T most, const char* options, const char* help) {
  command.add_option(options, value, fmt::format("{} (default {})", help, value))
      ->check(AcceptIn(least, most))
      ->group(kGroup);
}

}  // namespace

void AddSamplingOptions(CLI::App& command, SamplingParams& params) {
  constexpr int32_t kMaxCount = SamplingParams::kMaxCount;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  AddNumber(command, params.field, static_cast<Type>(least), static_cast<Type>(most), options, help);
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  AddOrderOption(command, params);
  AddBiasOption(command, params);
  AddTokenOptions(command, params);
  AddBreakerOption(command, params);
}

}  // namespace rf::app
