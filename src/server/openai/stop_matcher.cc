#include "server/openai/stop_matcher.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rf::server {
namespace {

// Length of the longest end of `text` that is a beginning of `stop`, but not all of it.
size_t Overlap(std::string_view text, std::string_view stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
    if (text.ends_with(stop.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string StopMatcher::Add(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  size_t begin = std::string::npos, end = std::string::npos, overlap = 0;
  for (const std::string& stop : stops_) {
    const size_t found = held_.find(stop);
    const size_t found_end = found == std::string::npos ? std::string::npos : found + stop.size();
    if (found_end < end || (found_end == end && found < begin)) std::tie(begin, end) = std::pair(found, found_end);
    overlap = std::max(overlap, Overlap(held_, stop));
  }
  stopped_ = end != std::string::npos;
  const size_t n_certain = stopped_ ? begin : held_.size() - overlap;
  std::string certain = held_.substr(0, n_certain);
  held_.erase(0, stopped_ ? held_.size() : n_certain);
  return certain;
}

std::string StopMatcher::Finish() {
  return std::exchange(held_, {});
}

}  // namespace rf::server
