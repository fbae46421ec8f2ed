// Times token masks: rf_grammar_bench VOCABULARY.gguf < LINES. Each line is {"schema": …, "tokens": [ids]}, or {"text"}
// with no schema, which is answered with its token ids. A schema's tokens are followed one by one; the answer is
// {"compile_ms", "mask_us": [of each token's mask], "accept_us": [of taking it]}. A first line {"vocabulary": true}
// gives the tokens' bytes in hex. tools/bench_grammars.py compares the figures with other programs'.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "golden/vocab_gguf.h"
#include "text/grammar/compile.h"
#include "text/grammar/matcher.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::grammar {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double MicrosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

ordered_json Follow(const ordered_json& line, const std::shared_ptr<const Vocabulary>& vocabulary) {
  const std::string schema = line["schema"].dump();
  auto begin = Clock::now();
  auto grammar = Compile({GrammarKind::kJsonSchema, schema}, vocabulary);
  if (!grammar) return {{"error", grammar.error().ToString()}};
  Matcher matcher(*grammar);
  ordered_json answer = {{"compile_ms", MicrosecondsSince(begin) / 1000}};
  for (const int32_t token : line["tokens"]) {
    begin = Clock::now();
    const auto mask = matcher.TokenMask();
    answer["mask_us"].push_back(MicrosecondsSince(begin));
    const auto id = static_cast<size_t>(token);
    if ((mask[id / 64] >> (id % 64) & 1) == 0) return {{"error", fmt::format("token {} is not allowed", token)}};
    begin = Clock::now();
    matcher.AcceptToken(token);
    answer["accept_us"].push_back(MicrosecondsSince(begin));
  }
  answer["is_complete"] = matcher.IsComplete();
  return answer;
}

int Run(const std::string& path) {
  const auto tokenizer = Tokenizer::Create(rf::testing::VocabGguf::Read(path));
  if (!tokenizer) throw std::runtime_error(tokenizer.error().ToString());
  std::vector<std::string> tokens;
  for (TokenId id = 0; id < (*tokenizer)->size(); ++id) tokens.push_back((*tokenizer)->Piece(id));
  const auto begin = Clock::now();
  const auto vocabulary = std::make_shared<const Vocabulary>(tokens);
  WarmUp(vocabulary);
  std::cerr << fmt::format("vocabulary of {} tokens: {:.1f} ms\n", tokens.size(), MicrosecondsSince(begin) / 1000);
  for (std::string text; std::getline(std::cin, text);) {
    const ordered_json line = ordered_json::parse(text);
    ordered_json answer;
    if (line.contains("vocabulary")) {
      for (const std::string& token : tokens) {
        std::string hex;
        for (const char byte : token) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
        answer.push_back(hex);
      }
    } else if (line.contains("schema")) {
      answer = Follow(line, vocabulary);
    } else {
      answer = (*tokenizer)->Encode(line["text"].get<std::string>(), {.add_special = false});
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace rf::grammar

int main(int argc, char** argv) {
  return argc == 2 ? rf::grammar::Run(argv[1]) : 2;
}
