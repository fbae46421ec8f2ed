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

Status Assign(ChatSettings& settings, std::string_view name, std::string_view value) {
  SamplingParams& sampling = settings.sampling;
  if (name == "temp") return Parse(value, name, sampling.temperature);
  if (name == "top-k") return Parse(value, name, sampling.top_k);
  if (name == "top-p") return Parse(value, name, sampling.top_p);
  if (name == "min-p") return Parse(value, name, sampling.min_p);
  if (name == "repeat-penalty") return Parse(value, name, sampling.repetition_penalty);
  if (name == "seed") return Parse(value, name, sampling.seed);
  if (name == "n") return Parse(value, name, settings.max_tokens);
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("there is no setting '{}'; they are temp, top-k, top-p, min-p, repeat-penalty, seed, n",
                           EscapeForMessage(name, 40)),
               ""};
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
  const SamplingParams& s = settings.sampling;
  return fmt::format("temp {}\ntop-k {}\ntop-p {}\nmin-p {}\nrepeat-penalty {}\nseed {}\nn {}\n", s.temperature,
                     s.top_k, s.top_p, s.min_p, s.repetition_penalty, s.seed, settings.max_tokens);
}

}  // namespace rf::app
