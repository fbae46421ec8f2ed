// Judges and makes texts by grammars, for tests that compare them with other programs.
//
// Reads JSON lines {"schema": … | "grammar": "…" | "regex": "…", "texts": ["…"], "samples": n, "seed": n} and answers
// each with
// {"accepts": [true], "samples": ["…"], "ms": 1.5} or {"error": "…", "where": "…"}. A sample is a random walk: every
// byte that may come is as likely as any other, and once the text may end it does so with probability 1/8; null if it
// gets longer than 20,000 bytes.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "text/grammar/compile.h"
#include "text/grammar/matcher.h"
#include "text/grammar/schema_shape.h"

namespace rf::grammar {
namespace {

constexpr size_t kMaxSampleBytes = 20'000;

Result<GrammarSource> SourceOf(const Json& line) {
  if (line.contains("schema")) return GrammarSource{GrammarKind::kJsonSchema, line["schema"].dump()};
  if (line.contains("grammar")) return GrammarSource{GrammarKind::kGbnf, line["grammar"].get<std::string>()};
  if (line.contains("regex")) return GrammarSource{GrammarKind::kRegex, line["regex"].get<std::string>()};
  return Error{ErrorCode::kInvalidArgument, "needs 'schema', 'grammar' or 'regex'", ""};
}

std::vector<uint8_t> Choices(const ByteSet& bytes) {
  std::vector<uint8_t> choices;
  for (size_t byte = 0; byte < 256; ++byte) {
    if ((bytes[byte / 64] >> (byte % 64) & 1) != 0) choices.push_back(static_cast<uint8_t>(byte));
  }
  return choices;
}

// Long walks take closing brackets and quotes where they can.
Json Sample(Matcher matcher, std::mt19937_64& random) {
  std::string text;
  while (text.size() < kMaxSampleBytes) {
    if (matcher.IsFinished() || (matcher.IsComplete() && random() % 8 == 0)) return text;
    std::vector<uint8_t> choices = Choices(matcher.NextBytes());
    uint8_t byte = choices[random() % choices.size()];
    const size_t haste = text.size() < 100 ? 12 : text.size() < 1000 ? 4 : 1;
    for (const uint8_t closing : {'"', ']', '}'}) {
      const bool may_close = std::find(choices.begin(), choices.end(), closing) != choices.end();
      if (may_close && random() % haste == 0) byte = closing;
    }
    const char one = static_cast<char>(byte);
    if (!matcher.AcceptBytes({&one, 1})) return "refused a byte that it had offered";
    text.push_back(one);
  }
  return nullptr;
}

Json Answer(const Json& line, const std::shared_ptr<const Vocabulary>& vocabulary) {
  const auto begin = std::chrono::steady_clock::now();
  auto source = SourceOf(line);
  auto grammar = source ? Compile(*source, vocabulary) : Result<std::shared_ptr<const CompiledGrammar>>(source.error());
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  if (!grammar) return {{"error", grammar.error().message}, {"where", grammar.error().where}, {"ms", ms}};
  Json answer = {{"accepts", Json::array()}, {"samples", Json::array()}, {"ms", ms}};
  for (const Json& text : line.value("texts", Json::array())) {
    Matcher matcher(*grammar);
    const bool is_accepted = matcher.AcceptBytes(text.get_ref<const std::string&>()) && matcher.IsComplete();
    answer["accepts"].push_back(is_accepted);
  }
  std::mt19937_64 random(line.value("seed", uint64_t{0}));
  for (size_t i = 0; i < line.value("samples", size_t{0}); ++i) {
    answer["samples"].push_back(Sample(Matcher(*grammar), random));
  }
  return answer;
}

}  // namespace
}  // namespace rf::grammar

int main() {
  using namespace rf::grammar;  // NOLINT(google-build-using-namespace): the whole program is about it
  const auto vocabulary = std::make_shared<const Vocabulary>(std::vector<std::string>{"a"});
  for (std::string text; std::getline(std::cin, text);) {
    const auto line = Json::parse(text);
    std::cout << Answer(line, vocabulary).dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
}
