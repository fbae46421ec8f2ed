// The input up to a NUL is a grammar (GBNF, or a regular expression if it begins with '/'); what follows is a text that
// is followed through it. Checks that masks and bytes agree and that nothing offered is refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "text/grammar/compile.h"
#include "walk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), input.size());
  const bool is_regex = !input.empty() && input[0] == '/';
  rf::grammar::GrammarSource source{is_regex ? rf::grammar::GrammarKind::kRegex : rf::grammar::GrammarKind::kGbnf,
                                    input.substr(is_regex ? 1 : 0, end - (is_regex ? 1 : 0))};
  const auto grammar = rf::grammar::Compile(source, rf::fuzz::SmallVocabulary());
  if (grammar) rf::fuzz::Walk(*grammar, std::string_view(input).substr(end));
  return 0;
}
