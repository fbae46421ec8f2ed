#include "server/openai/generation_params.h"

#include <charconv>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

using Json = Fields::Json;

constexpr double kMinRepeatPenalty = 0.01;
constexpr double kMaxRepeatPenalty = 100.0;
constexpr double kMaxBias = kMaxLogitBias;

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
    if (value == false) {
      sampling.banned_ids.push_back(id);
      continue;
    }
    const double bias = value.is_number() ? value.get<double>() : kMaxBias + 1;
    if (!(bias >= -kMaxBias && bias <= kMaxBias)) {
      return fields.Fail("logit_bias", fmt::format("the bias of token {} must be a number from {} to {}, or false",
                                                   shown, -kMaxBias, kMaxBias));
    }
    sampling.logit_bias.emplace_back(id, static_cast<float>(bias));
  }
}

void ReadNumber(Fields& fields, const char* key, double least, double most, float& value) {
  if (const auto number = fields.Number(key, least, most)) value = static_cast<float>(*number);
}

void ReadNumber(Fields& fields, const char* key, int32_t least, int32_t most, int32_t& value) {
  if (const auto number = fields.Integer(key, least, most)) value = static_cast<int32_t>(*number);
}

void ReadIds(Fields& fields, const char* key, int32_t n_vocab, std::vector<int32_t>& ids) {
  const Json* list = fields.Array(key);
  if (list == nullptr) return;
  for (const Json& item : *list) {
    const bool is_id = item.is_number_unsigned() && item.get<uint64_t>() < static_cast<uint64_t>(n_vocab);
    if (!is_id || ids.size() >= kMaxListedIds) {
      return fields.Fail(
          key, fmt::format("'{}' must be a list of at most {} token ids (0 to {})", key, kMaxListedIds, n_vocab - 1));
    }
    ids.push_back(item.get<int32_t>());
  }
}

// A string "top_k;temperature", or a list of the names.
void ReadOrder(Fields& fields, std::vector<SamplingStep>& order) {
  const Json* value = fields.Find("samplers");
  if (value == nullptr) return;
  std::string names = value->is_string() ? value->get<std::string>() : "";
  if (value->is_array()) {
    for (const Json& name : *value) names += (name.is_string() ? name.get<std::string>() : name.dump()) + ";";
  }
  auto parsed = ParseSamplingOrder(names);
  if (!parsed) return fields.Fail("samplers", "'samplers' " + parsed.error().message);
  order = std::move(*parsed);
}

void ReadBreakers(Fields& fields, std::vector<std::string>& breakers) {
  const Json* list = fields.Array("dry_sequence_breakers");
  if (list == nullptr) return;
  breakers.clear();
  for (const Json& item : *list) {
    const bool is_good = item.is_string() && !item.get_ref<const std::string&>().empty() &&
                         item.get_ref<const std::string&>().size() <= kMaxDryBreakerBytes;
    if (!is_good || breakers.size() >= kMaxDryBreakers) {
      return fields.Fail("dry_sequence_breakers",
                         fmt::format("'dry_sequence_breakers' must be a list of at most {} strings of 1 to {} bytes",
                                     kMaxDryBreakers, kMaxDryBreakerBytes));
    }
    breakers.push_back(item.get<std::string>());
  }
}

void ReadSampling(Fields& fields, int32_t n_vocab, SamplingParams& sampling) {
  constexpr int32_t kMaxCount = SamplingParams::kMaxCount;
  sampling.temperature = 1.0f;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  ReadNumber(fields, key, least, most, sampling.field);
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  const auto repetition = fields.Number("repetition_penalty", kMinRepeatPenalty, kMaxRepeatPenalty);
  const bool is_given_twice = repetition && fields.Find("repeat_penalty") != nullptr;
  if (is_given_twice && static_cast<float>(*repetition) != sampling.repetition_penalty) {
    fields.Fail("repeat_penalty", "'repeat_penalty' and 'repetition_penalty' are the same thing and differ");
  }
  if (repetition) sampling.repetition_penalty = static_cast<float>(*repetition);
  ReadOrder(fields, sampling.order);
  ReadBreakers(fields, sampling.dry_breakers);
  ReadIds(fields, "banned_token_ids", n_vocab, sampling.banned_ids);
  ReadIds(fields, "allowed_token_ids", n_vocab, sampling.allowed_ids);
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
