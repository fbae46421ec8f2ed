// `run`: an answer to one prompt, or a chat on the terminal.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/chat/chat.h"
#include "app/commands/command.h"
#include "app/grammar_options.h"
#include "app/input.h"
#include "app/model_options.h"
#include "app/option_range.h"
#include "app/sampling_options.h"
#include "app/store/catalog.h"
#include "app/style.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr uint64_t kMaxPromptBytes = uint64_t{16} << 20;
constexpr int kPatienceMs = 2000;

struct Options {
  ModelOptions model;
  std::optional<std::string> prompt;
  ChatOptions chat;
  GrammarOptions grammar;
};

// "run 'Why is the sky blue?'": the one argument is a question, not a model.
void TellPromptFromModel(Options& options) {
  std::error_code ignored;
  const bool is_question = !options.prompt && options.model.model.find(' ') != std::string::npos &&
                           !std::filesystem::exists(options.model.model, ignored);
  if (is_question) options.prompt = std::exchange(options.model.model, "");
  if (options.model.model.empty()) options.model.model = Catalog()[0].name;
}

// Somebody may wonder why nothing happens.
void SayIfWaiting() {
  pollfd descriptor{STDIN_FILENO, POLLIN, 0};
  if (poll(&descriptor, 1, kPatienceMs) == 0) {
    fmt::print(stderr, "Reading the prompt from standard input to its end…\n");
  }
}

// What comes through a pipe; follows the prompt of the command line if there is one.
Status AddPipedText(std::optional<std::string>& prompt) {
  if (IsTerminal(stdin)) return {};
  SayIfWaiting();
  auto piped = ReadStdin(kMaxPromptBytes);
  if (!piped && prompt) return {};  // closed, and not needed
  if (!piped) return std::move(piped).error();
  while (!piped->empty() && (piped->back() == '\n' || piped->back() == '\r')) piped->pop_back();
  if (piped->empty()) return {};
  if (const size_t valid = ValidUtf8Prefix(*piped); valid != piped->size()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("invalid UTF-8 at byte {}", valid), "standard input"};
  }
  prompt = prompt && !prompt->empty() ? *prompt + "\n\n" + *piped : *piped;
  return {};
}

Status CheckPrompt(const std::optional<std::string>& prompt) {
  if (prompt && prompt->find_first_not_of(" \t\r\n") != std::string::npos) return {};
  if (prompt) return Error{ErrorCode::kInvalidArgument, "PROMPT is empty", ""};
  return Error{ErrorCode::kIo, "no prompt: standard input is empty; give a PROMPT, or a terminal to chat on", ""};
}

Status Run(const Options& given) {
  Options options = given;
  TellPromptFromModel(options);
  RF_RETURN_IF_ERROR(AddPipedText(options.prompt));
  const bool is_chat = !options.prompt && IsTerminal(stdin);
  if (!is_chat) RF_RETURN_IF_ERROR(CheckPrompt(options.prompt));
  options.chat.model = options.model.model;
  options.chat.settings.sampling.seed = SeedOf(options.model);
  RF_ASSIGN_OR_RETURN(const auto grammar, ReadGrammar(options.grammar));
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(options.model));
  RF_ASSIGN_OR_RETURN(options.chat.settings.grammar, CompileGrammar(*opened.session, grammar));
  if (is_chat) return RunChat(*opened.session, options.chat);
  return AnswerOnce(*opened.session, options.chat, *options.prompt);
}

// Lively, but without the unlikely tail: what most chat programs start with.
void SetDefaults(SamplingParams& sampling) {
  sampling.temperature = 0.7f;
  sampling.top_p = 0.95f;
  sampling.min_p = 0.05f;
}

}  // namespace

void AddRunCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "run", "Answer a prompt, or chat in the terminal",
      [](CLI::App& command, Options& options) {
        command.footer(
            "Examples:\n"
            "  rocmforge run                                  chat with the default model; /help inside\n"
            "  rocmforge run smollm2 \"Write a haiku.\"\n"
            "  git diff | rocmforge run smollm2 \"What changed here?\"\n"
            "  rocmforge run smollm2 --temp 0 --quiet \"2+2=\" > answer.txt\n"
            "  rocmforge run gemma3 --chat-template-file chat.jinja \"Hello\"\n"
            "The answer goes to standard output, everything else to standard error. Ctrl-C stops an answer.");
        AddModelOptions(command, options.model)->required(false);
        command.add_option("PROMPT", options.prompt,
                           "what to answer; text from a pipe follows it; without both: a chat");
        command.add_option("--system", options.chat.system, "system message (default: the template's own)");
        command
            .add_option("-n", options.chat.settings.max_tokens,
                        "tokens of an answer at most (default 0: as many as the context has room for)")
            ->check(AcceptIn(0, 1 << 30));
        SetDefaults(options.chat.settings.sampling);
        AddSamplingOptions(command, options.chat.settings.sampling);
        AddGrammarOptions(command, options.grammar);
        command.add_flag("--quiet", options.chat.is_quiet, "no greeting and no timing line");
        command.add_flag_callback(
            "--no-history", [&options] { options.chat.keeps_history = false; },
            "do not keep the chat's lines for the next one");
      },
      Run);
}

}  // namespace rf::app
