// `perplexity`: how well a model predicts a text, as llama.cpp's tool of that name defines it.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/model_options.h"
#include "app/run_request.h"

namespace rf::app {
namespace {

constexpr int32_t kDefaultContextLength = 512;
constexpr int32_t kMinContextLength = 4;
constexpr int32_t kRowsPerStep = 64;  // of logits: bounds the memory for large vocabularies

struct Options {
  ModelOptions model;
  std::string file;
  bool json = false;
};

// Sums over the scored tokens of their negative log-probability and its square.
struct Score {
  double sum = 0.0;
  double sum_of_squares = 0.0;
  int64_t n_tokens = 0;

  void Add(double loss) {
    sum += loss;
    sum_of_squares += loss * loss;
    ++n_tokens;
  }
  double Perplexity() const { return std::exp(sum / static_cast<double>(n_tokens)); }
  // Of the perplexity: that of the mean loss, carried through the exponential.
  double StandardError() const {
    if (n_tokens < 2) return 0.0;
    const double mean = sum / static_cast<double>(n_tokens);
    const double variance = sum_of_squares / static_cast<double>(n_tokens) - mean * mean;
    return variance > 0.0 ? std::sqrt(variance / static_cast<double>(n_tokens - 1)) * Perplexity() : 0.0;
  }
};

// The text's tokens; at least one chunk of them.
Result<std::vector<TokenId>> ReadTokens(const Options& options, const ModelSession& session) {
  RF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(options.file));
  std::vector<TokenId> tokens = session.tokenizer->Encode(text, {.add_special = true, .parse_special = false});
  if (session.tokenizer->adds_eos()) tokens.pop_back();
  if (tokens.size() < static_cast<size_t>(session.context_length)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the text has {} tokens, fewer than one chunk of {}; take a longer one or a smaller --ctx",
                             tokens.size(), session.context_length),
                 options.file};
  }
  return tokens;
}

// Scores the second half of one chunk. The logits after its last token are not needed, so that token is not run.
Status ScoreChunk(ModelSession& session, std::span<const TokenId> chunk, Score& score) {
  Request request;
  request.prompt.assign(chunk.begin(), chunk.end() - 1);
  if (session.tokenizer->adds_bos()) request.prompt[0] = *session.tokenizer->data().bos;
  request.max_tokens = 0;
  request.logits_from = static_cast<int32_t>(chunk.size() / 2);
  request.on_logits = [chunk, &score](int32_t position, std::span<const float> logits) {
    score.Add(LogSumExp(logits) - static_cast<double>(logits[chunk[position + 1]]));
  };
  RF_RETURN_IF_ERROR(RunRequest(*session.engine, std::move(request)));
  return {};
}

Status Run(Options options) {
  options.model.session.max_outputs = kRowsPerStep;
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(options.model));
  ModelSession& session = *opened.session;
  const int32_t n_context = session.context_length;
  if (n_context < kMinContextLength) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is below {}", n_context, kMinContextLength), "--ctx"};
  }
  RF_ASSIGN_OR_RETURN(const auto tokens, ReadTokens(options, session));
  const size_t n_chunks = tokens.size() / static_cast<size_t>(n_context);
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  Score score;
  for (size_t i = 0; i < n_chunks; ++i) {
    RF_RETURN_IF_ERROR(ScoreChunk(session, std::span(tokens).subspan(i * n_context, n_context), score));
    if (is_terminal) fmt::print(stderr, "\r\x1b[Kchunk {} of {}: {:.4f}", i + 1, n_chunks, score.Perplexity());
  }
  if (is_terminal) fmt::print(stderr, "\r\x1b[K");
  if (options.json) {
    PrintJson({{"ppl", score.Perplexity()},
               {"stderr", score.StandardError()},
               {"chunks", n_chunks},
               {"tokens", score.n_tokens}});
  } else {
    fmt::print("perplexity {:.4f} ± {:.4f}  ({} chunks of {} tokens, {} tokens scored)\n", score.Perplexity(),
               score.StandardError(), n_chunks, n_context, score.n_tokens);
  }
  return {};
}

void AddOptions(CLI::App& command, Options& options) {
  options.model.session.context_length = kDefaultContextLength;
  AddModelOptions(command, options.model);
  command.add_option("-f,--file", options.file, "the text")->required();
  command.add_flag("--json", options.json, "print {\"ppl\", \"stderr\", \"chunks\", \"tokens\"}");
}

}  // namespace

void AddPerplexityCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(root, chosen, "perplexity", "Measure how well a model predicts a text", AddOptions, Run);
}

}  // namespace rf::app
