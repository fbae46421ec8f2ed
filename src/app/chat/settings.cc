#include "app/chat/settings.h"

#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::app {
namespace {

template <typename T>
Status Parse(std::string_view text, std::string_view name, T& value) {
  T parsed{};
  const char* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, parsed);
  if (failed != std::errc() || stopped != end) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is no value for it", EscapeForMessage(text, 40)),
                 std::string(name)};
  }
  value = parsed;
  return {};
}

// The first flag of a parameter without its dashes: "--temp,--temperature" is the setting temp.
constexpr std::string_view NameOf(std::string_view options) {
  options.remove_prefix(2);
  return options.substr(0, options.find(','));
}

std::string Names() {
  std::string names;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  names.append(NameOf(options)).append(", ");
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  return names + "seed, n";
}

Status Assign(ChatSettings& settings, std::string_view name, std::string_view value) {
  SamplingParams& sampling = settings.sampling;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  if (name == NameOf(options)) return Parse(value, name, sampling.field);
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  if (name == "seed") return Parse(value, name, sampling.seed);
  if (name == "n") return Parse(value, name, settings.max_tokens);
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("there is no setting '{}'; they are {}", EscapeForMessage(name, 40), Names()), ""};
}

}  // namespace

Status ApplySetting(ChatSettings& settings, const std::string& text, int32_t n_vocab) {
  const size_t end = std::min(text.find_first_of(" \t="), text.size());
  const size_t begin = std::min(text.find_first_not_of(" \t=", end), text.size());
  ChatSettings changed = settings;
  RF_RETURN_IF_ERROR(Assign(changed, std::string_view(text).substr(0, end), std::string_view(text).substr(begin)));
  if (changed.max_tokens < 0) {
    return Error{ErrorCode::kInvalidArgument, "must be 0 (as much as the context holds) or more", "n"};
  }
  RF_RETURN_IF_ERROR(CheckSamplingParams(changed.sampling, n_vocab));
  settings = changed;
  return {};
}

std::string DescribeSettings(const ChatSettings& settings) {
  std::string text;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  text += fmt::format("{} {}\n", NameOf(options), settings.sampling.field);
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  return text + fmt::format("seed {}\nn {}\n", settings.sampling.seed, settings.max_tokens);
}

}  // namespace rf::app
