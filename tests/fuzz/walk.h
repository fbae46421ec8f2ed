// Follows texts through grammars, for the fuzz targets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/matcher.h"

namespace rf::fuzz {

inline std::shared_ptr<const grammar::Vocabulary> SmallVocabulary() {
  static const auto vocabulary = [] {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
    for (const char* token :
         {"{\"", "\":",      "\": \"",   "\",",  "\"}", "}\n",  "null", "true", "]]", "[[[[", " \n", "\n  ",
          "\\u", "\xC3\xBC", "\xE4\xB8", "aaaa", "ab",  "abab", "12",   "(((",  "))", "",     "a\"]"}) {
      tokens.emplace_back(token);
    }
    return std::make_shared<const grammar::Vocabulary>(std::move(tokens));
  }();
  return vocabulary;
}

// Takes the bytes of `text` that are allowed; where one is not, one that is, chosen by it.
inline void Walk(const std::shared_ptr<const grammar::CompiledGrammar>& compiled, std::string_view text) {
  constexpr size_t kMaxSteps = 48;
  constexpr size_t kMaxReadings = 8;  // with more of them a token can run into the limit, where masks are not exact
  const grammar::Vocabulary& vocabulary = compiled->vocabulary();
  grammar::Matcher matcher(compiled);
  for (size_t i = 0; i < std::min(text.size(), kMaxSteps) && !matcher.IsFinished(); ++i) {
    if (matcher.n_readings() > kMaxReadings) return;
    const auto mask = matcher.TokenMask();
    std::vector<int32_t> allowed;
    for (size_t id = 0; id < vocabulary.n_tokens(); ++id) {
      const bool is_allowed = (mask[id / 64] >> (id % 64) & 1) != 0;
      if (is_allowed != grammar::Matcher(matcher).AcceptToken(static_cast<int32_t>(id))) __builtin_trap();
      if (is_allowed) allowed.push_back(static_cast<int32_t>(id));
    }
    if (allowed.empty()) return;  // all bytes are tokens: only the limits can be the reason
    const auto byte = static_cast<uint8_t>(text[i]);
    if (!matcher.AcceptToken(byte) && !matcher.AcceptToken(allowed[byte % allowed.size()])) __builtin_trap();
  }
}

}  // namespace rf::fuzz
