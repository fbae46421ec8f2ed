#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// tokens[first .. n) can be repeated text: after the last breaker nothing before it belongs to the same repetition.
class Repetitions {
 public:
  Repetitions(std::span<const int32_t> tokens, const std::vector<int32_t>& breakers) : n_(tokens.size()) {
    reversed_.assign(tokens.rbegin(), tokens.rend());
    longest_ = n_;
    for (size_t i = 0; i < n_; ++i) {
      if (!std::binary_search(breakers.begin(), breakers.end(), reversed_[i])) continue;
      longest_ = i;
      break;
    }
    FindMatches();
  }

  // Calls visit(token, length) for each earlier place at which the last `length` > 0 tokens stood too, `token` behind
  // them.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 1; i < n_; ++i) {
      if (matches_[i] > 0) visit(reversed_[i - 1], std::min(matches_[i], longest_));
    }
  }

 private:
  // matches_[i]: length of the longest common prefix of reversed_ and reversed_[i ..] (the Z array: Gusfield 1997,
  // section 1.3), so of the longest common suffix of the text and the text without its last i tokens.
  void FindMatches() {
    matches_.assign(n_, 0);
    size_t begin = 0;
    size_t end = 0;
    for (size_t i = 1; i < n_; ++i) {
      size_t length = i < end ? std::min(end - i, matches_[i - begin]) : 0;
      while (i + length < n_ && reversed_[length] == reversed_[i + length]) ++length;
      matches_[i] = length;
      if (i + length > end) {
        begin = i;
        end = i + length;
      }
    }
  }

  size_t n_;
  size_t longest_;
  std::vector<int32_t> reversed_;
  std::vector<size_t> matches_;
};

}  // namespace

bool UsesDry(const SamplingParams& params) {
  return params.dry_multiplier > 0.0f && params.dry_window != 0;
}

// "Don't repeat yourself" (p-e-w 2024, oobabooga/text-generation-webui pull request 5677): a token that would make the
// repetition of L >= allowed_length tokens longer loses multiplier * base^(L - allowed_length).
void ListDry(const SamplingContext& context, std::vector<LogitChange>& changes) {
  const SamplingParams& params = context.params;
  std::span<const int32_t> tokens = context.tokens;
  const auto window = static_cast<size_t>(params.dry_window);
  if (params.dry_window >= 0 && tokens.size() > window) tokens = tokens.last(window);
  const auto allowed = static_cast<size_t>(params.dry_allowed_length);
  std::unordered_map<int32_t, size_t> longest;
  Repetitions(tokens, params.dry_breaker_ids).ForEach([&](int32_t token, size_t length) {
    if (length < allowed) return;
    if (std::binary_search(params.dry_breaker_ids.begin(), params.dry_breaker_ids.end(), token)) return;
    size_t& known = longest[token];
    known = std::max(known, length);
  });
  for (const auto& [token, length] : longest) {
    const double penalty =
        params.dry_multiplier * std::pow(double{params.dry_base}, static_cast<double>(length - allowed));
    // A logit stays a number however long the repetition is.
    changes.push_back({token, LogitChangeKind::kAdd, -static_cast<float>(std::min(penalty, 1e30))});
  }
}

}  // namespace rf
