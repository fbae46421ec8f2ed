// `logits`: what the model expects after each position of a text.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/model_options.h"
#include "app/option_range.h"
#include "app/run_request.h"
#include "app/token_list.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();
constexpr int32_t kRowsPerStep = 32;  // of logits: bounds the memory for large vocabularies
constexpr int32_t kTopJson = 10;
constexpr int32_t kTopPlain = 5;

struct Options {
  ModelOptions model;
  std::string text_file;
  std::string tokens;
  int32_t top = 0;  // 0: kTopJson or kTopPlain
  int32_t limit = 0;
  bool parse_special = false;
  bool json = false;
};

Result<std::vector<TokenId>> ReadTokens(const Options& options, const Tokenizer& tokenizer) {
  std::vector<TokenId> tokens;
  if (!options.tokens.empty()) {
    RF_ASSIGN_OR_RETURN(tokens, ParseTokenList(options.tokens, tokenizer));
  } else {
    std::string text;
    if (options.text_file.empty()) {
      RF_ASSIGN_OR_RETURN(text, ReadStdin());
    } else {
      RF_ASSIGN_OR_RETURN(text, ReadTextFile(options.text_file));
    }
    tokens = tokenizer.Encode(text, {.add_special = true, .parse_special = options.parse_special});
  }
  if (options.limit > 0 && static_cast<size_t>(options.limit) < tokens.size()) tokens.resize(options.limit);
  return tokens;
}

// More digits than F32 logits carry make files larger and nothing better.
double Rounded(double value) {
  return std::round(value * 1e7) / 1e7;
}

void PrintJsonLine(int32_t position, TokenId token, std::span<const float> logits, int32_t top) {
  auto best = ordered_json::array();
  for (const TokenLogprob& entry : TopLogprobs(logits, top)) best.push_back({entry.id, Rounded(entry.logprob)});
  PrintJson({{"pos", position}, {"token", token}, {"logsumexp", Rounded(LogSumExp(logits))}, {"top", std::move(best)}});
}

void PrintPlainLine(int32_t position, TokenId token, std::span<const float> logits, const Options& options,
                    const Tokenizer& tokenizer) {
  const auto shown = [&tokenizer](TokenId id) { return EscapeForMessage(tokenizer.Piece(id, true), 24); };
  std::string line = fmt::format("{:>6}  {:<24}", position, fmt::format("'{}'", shown(token)));
  for (const TokenLogprob& entry : TopLogprobs(logits, options.top)) {
    line += fmt::format("  {:>5.1f}% {:<14}", 100.0 * std::exp(entry.logprob), fmt::format("'{}'", shown(entry.id)));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

Status Run(Options options) {
  options.model.session.max_outputs = kRowsPerStep;
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(options.model));
  ModelSession& session = *opened.session;
  Request request;
  RF_ASSIGN_OR_RETURN(request.prompt, ReadTokens(options, *session.tokenizer));
  if (options.top == 0) options.top = options.json ? kTopJson : kTopPlain;
  options.top = std::min(options.top, session.tokenizer->size());
  request.max_tokens = 0;
  request.on_logits = [&options, &session, tokens = request.prompt](int32_t position, std::span<const float> logits) {
    if (options.json) {
      PrintJsonLine(position, tokens[position], logits, options.top);
    } else {
      PrintPlainLine(position, tokens[position], logits, options, *session.tokenizer);
    }
  };
  RF_RETURN_IF_ERROR(RunRequest(*session.engine, std::move(request)));
  return {};
}

void AddOptions(CLI::App& command, Options& options) {
  AddModelOptions(command, options.model);
  CLI::Option* file = command.add_option("--text-file", options.text_file, "the text (default: standard input)");
  command.add_option("--tokens", options.tokens, "its token ids, separated by commas")->excludes(file);
  command
      .add_option("--top", options.top,
                  fmt::format("most likely next tokens at each position (default {} with --json, else {})", kTopJson,
                              kTopPlain))
      ->check(AcceptIn(1, kMaxInt));
  command.add_option("--limit", options.limit, "look at the first N tokens only (default 0: all)")
      ->check(AcceptIn(0, kMaxInt));
  command.add_flag("--parse-special", options.parse_special, "texts of control tokens become those tokens");
  command.add_flag("--json", options.json,
                   "print {\"pos\", \"token\", \"logsumexp\", \"top\": [[id, logprob], …]} for each position");
}

}  // namespace

void AddLogitsCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(root, chosen, "logits", "Show what a model expects after each token of a text", AddOptions, Run);
}

}  // namespace rf::app
