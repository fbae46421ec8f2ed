#include "server/openai/generation_params.h"

#include <charconv>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

using Json = Fields::Json;

constexpr double kMaxTemperature = 2.0;
constexpr double kMaxPenalty = 2.0;
constexpr double kMinRepeatPenalty = 0.01;
constexpr double kMaxRepeatPenalty = 100.0;
constexpr double kMaxBias = 100.0;
constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

void ReadStops(Fields& fields, std::vector<std::string>& stops) {
  const Json* value = fields.Find("stop");
  if (value == nullptr) return;
  const Json list = value->is_string() ? Json::array({*value}) : *value;
  if (!list.is_array() || list.size() > kMaxStops) {
    return fields.Fail("stop", fmt::format("'stop' must be a string or a list of at most {} strings", kMaxStops));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    const bool is_good = list[i].is_string() && !list[i].get_ref<const std::string&>().empty() &&
                         list[i].get_ref<const std::string&>().size() <= kMaxStopBytes;
    if (!is_good) {
      return fields.Fail(value->is_string() ? "stop" : fmt::format("stop[{}]", i),
                         fmt::format("a stop must be a string of 1 to {} bytes", kMaxStopBytes));
    }
    stops.push_back(list[i].get<std::string>());
  }
}

void ReadLogitBias(Fields& fields, int32_t n_vocab, SamplingParams& sampling) {
  const Json* map = fields.Object("logit_bias");
  if (map == nullptr) return;
  if (map->size() > kMaxLogitBiases) {
    return fields.Fail("logit_bias", fmt::format("'logit_bias' has {} entries (max {})", map->size(), kMaxLogitBiases));
  }
  for (const auto& [key, value] : map->items()) {
    int32_t id = -1;
    const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), id);
    const std::string shown = EscapeForMessage(key, 24);
    if (failed != std::errc() || end != key.data() + key.size() || id < 0 || id >= n_vocab) {
      return fields.Fail("logit_bias", fmt::format("'{}' is no token id (0 to {})", shown, n_vocab - 1));
    }
    const double bias = value.is_number() ? value.get<double>() : kMaxBias + 1;
    if (!(bias >= -kMaxBias && bias <= kMaxBias)) {
      return fields.Fail(
          "logit_bias", fmt::format("the bias of token {} must be a number from {} to {}", shown, -kMaxBias, kMaxBias));
    }
    sampling.logit_bias.emplace_back(id, static_cast<float>(bias));
  }
}

void ReadPenalties(Fields& fields, SamplingParams& sampling) {
  const auto set = [](float& target, std::optional<double> value) {
    if (value) target = static_cast<float>(*value);
  };
  set(sampling.presence_penalty, fields.Number("presence_penalty", -kMaxPenalty, kMaxPenalty));
  set(sampling.frequency_penalty, fields.Number("frequency_penalty", -kMaxPenalty, kMaxPenalty));
  const auto repeat = fields.Number("repeat_penalty", kMinRepeatPenalty, kMaxRepeatPenalty);
  const auto repetition = fields.Number("repetition_penalty", kMinRepeatPenalty, kMaxRepeatPenalty);
  if (repeat && repetition && *repeat != *repetition) {
    fields.Fail("repeat_penalty", "'repeat_penalty' and 'repetition_penalty' are the same thing and differ");
  }
  set(sampling.repetition_penalty, repeat ? repeat : repetition);
  if (const auto window = fields.Integer("repeat_last_n", -1, kMaxInt)) {
    sampling.penalty_window = static_cast<int32_t>(*window);
  }
}

void ReadSampling(Fields& fields, int32_t n_vocab, SamplingParams& sampling) {
  sampling.temperature = static_cast<float>(fields.Number("temperature", 0.0, kMaxTemperature).value_or(1.0));
  sampling.top_p = static_cast<float>(fields.Number("top_p", 0.0, 1.0).value_or(1.0));
  sampling.min_p = static_cast<float>(fields.Number("min_p", 0.0, 1.0).value_or(0.0));
  const int64_t top_k = fields.Integer("top_k", -1, kMaxInt).value_or(0);
  sampling.top_k = top_k < 0 ? 0 : static_cast<int32_t>(top_k);
  ReadPenalties(fields, sampling);
  ReadLogitBias(fields, n_vocab, sampling);
}

void ReadSeed(Fields& fields, GenerationParams& params) {
  const auto seed = fields.Integer("seed", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  std::random_device random;
  params.has_seed = seed.has_value();
  params.sampling.seed = seed ? static_cast<uint64_t>(*seed) : uint64_t{random()} << 32 | random();
}

void ReadStreaming(Fields& fields, GenerationParams& params) {
  params.stream = fields.Bool("stream").value_or(false);
  const Json* options = fields.Object("stream_options");
  if (options == nullptr) return;
  if (!params.stream) return fields.Fail("stream_options", "'stream_options' needs 'stream': true");
  Fields inner(*options, "stream_options.");
  params.include_usage = inner.Bool("include_usage").value_or(false);
  if (inner.Bool("include_obfuscation").value_or(false)) {
    inner.Unsupported("include_obfuscation", "chunks are not padded");
  }
  fields.Fail(inner.Finish());
}

// Fields that clients send along and that change nothing about the text.
void ReadLabels(Fields& fields) {
  fields.String("user", kMaxShortTextBytes);
  fields.String("safety_identifier", kMaxShortTextBytes);
  fields.String("prompt_cache_key", kMaxShortTextBytes);
  fields.Object("metadata");
  if (fields.Bool("store").value_or(false)) fields.Unsupported("store", "nothing is stored here");
  const auto tier = fields.String("service_tier", kMaxShortTextBytes);
  if (tier && *tier != "auto" && *tier != "default") fields.Unsupported("service_tier", "there is only 'default'");
}

}  // namespace

GenerationParams ReadGenerationParams(Fields& fields, int32_t n_vocab) {
  GenerationParams params;
  params.model = fields.String("model", 1u << 20).value_or("");
  params.n = static_cast<int32_t>(fields.Integer("n", 1, kMaxChoices).value_or(1));
  ReadSampling(fields, n_vocab, params.sampling);
  ReadSeed(fields, params);
  ReadStops(fields, params.stops);
  params.ignore_eos = fields.Bool("ignore_eos").value_or(false);
  ReadStreaming(fields, params);
  ReadLabels(fields);
  return params;
}

}  // namespace rf::server
