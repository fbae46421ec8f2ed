#include "text/grammar/slice.h"

#include <string>

#include "base/check.h"
#include "text/grammar/build.h"
#include "text/grammar/expr.h"

namespace rf::grammar {
namespace {

Dfa AnyNumberOf(const CodePointSet& characters) {
  Grammar grammar;
  const ExprId expr = grammar.Star(grammar.Chars(characters));
  Budget budget;
  auto dfa = MachineBuilder(grammar, budget).BuildRegular(expr);
  RF_CHECK(dfa);
  return std::move(*dfa);
}

}  // namespace

Slice::Slice(const CodePointSet& characters, const std::vector<std::string>& tokens)
    : characters_(AnyNumberOf(characters)), mask_((tokens.size() + 63) / 64, 0) {
  std::vector<ByteTrie::Item> others;
  for (size_t id = 0; id < tokens.size(); ++id) {
    int32_t state = 0;
    for (const char byte : tokens[id]) {
      state = characters_.Next(static_cast<uint32_t>(state), static_cast<uint8_t>(byte));
      if (state == kDead) break;
    }
    const auto token = static_cast<int32_t>(id);
    if (state == kDead) {
      others.push_back({tokens[id], token});
    } else if (!tokens[id].empty() && tokens[id].size() <= ByteTrie::kMaxDepth) {
      FlipToken(mask_, token);
    }
  }
  rest_ = ByteTrie(std::move(others));
}

}  // namespace rf::grammar
