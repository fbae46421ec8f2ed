// `generate`: a prompt in, its continuation out; for people who try a model and for scripts.
#include <unistd.h>

#include <cstdio>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/generate/jobs.h"
#include "app/generate/lines.h"
#include "app/generate/options.h"
#include "app/input.h"
#include "app/option_range.h"
#include "app/sampling_options.h"
#include "app/token_list.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

constexpr int32_t kMaxParallel = 256;

Result<std::string> ReadPromptText(const GenerateOptions& options) {
  if (options.has_prompt) return options.prompt;
  if (!options.prompt_file.empty()) return ReadTextFile(options.prompt_file);
  if (isatty(STDIN_FILENO) == 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "needs a prompt: --prompt TEXT, --prompt-file FILE, --tokens 1,2,3, --messages FILE, or text on "
                 "standard input",
                 "generate"};
  }
  return ReadStdin();
}

Result<GenerationJob> ReadJob(const ModelSession& session, const GenerateOptions& options) {
  if (!options.tokens.empty()) {
    RF_ASSIGN_OR_RETURN(auto tokens, ParseTokenList(options.tokens, *session.tokenizer));
    return JobOfTokens(options, std::move(tokens));
  }
  if (!options.messages_file.empty()) {
    RF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(options.messages_file));
    RF_ASSIGN_OR_RETURN(ordered_json messages, ParseJson(text, EscapeForMessage(options.messages_file, 160)));
    return JobOfMessages(session, options, std::move(messages));
  }
  RF_ASSIGN_OR_RETURN(const std::string text, ReadPromptText(options));
  return JobOfText(session, options, text);
}

bool WriteText(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0;
}

Status GenerateOne(ModelSession& session, const GenerateOptions& options) {
  RF_ASSIGN_OR_RETURN(const GenerationJob job, ReadJob(session, options));
  RF_ASSIGN_OR_RETURN(const auto generation, Generate(session, job, options.json ? TextSink() : TextSink(WriteText)));
  if (options.json) {
    PrintJson(ToJson(*generation));
    return {};
  }
  if (generation->text.empty() || generation->text.back() != '\n') WriteText("\n");
  if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "[{}]\n", DescribeTimings(generation->result));
  return {};
}

// On stderr: results go to stdout.
void PrintStats(const EngineStats& stats) {
  const ordered_json object = {{"steps", stats.n_steps},
                               {"prompt_tokens", stats.n_prompt_tokens},
                               {"cached_tokens", stats.n_cached_tokens},
                               {"generated_tokens", stats.n_generated_tokens},
                               {"preemptions", stats.n_preemptions},
                               {"pages", stats.n_pages},
                               {"free_pages", stats.n_free_pages}};
  fmt::print(stderr, "{}\n", object.dump());
}

Status Run(GenerateOptions options) {
  options.sampling.seed = SeedOf(options.model);
  if (options.jsonl) options.model.session.max_sequences = options.parallel;
  RF_ASSIGN_OR_RETURN(const auto grammar, ReadGrammar(options.grammar_flags));
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(options.model));
  RF_ASSIGN_OR_RETURN(options.grammar, CompileGrammar(*opened.session, grammar));
  RF_RETURN_IF_ERROR(options.jsonl ? GenerateLines(*opened.session, options) : GenerateOne(*opened.session, options));
  if (options.stats) PrintStats(opened.session->engine->stats());
  return {};
}

void AddPromptOptions(CLI::App& command, GenerateOptions& options) {
  CLI::App* prompt = command.add_option_group("prompt", "Where the prompt comes from (default: standard input)");
  prompt->add_option_function<std::string>(
      "-p,--prompt",
      [&options](const std::string& text) {
        options.prompt = text;
        options.has_prompt = true;
      },
      "the prompt");
  prompt->add_option("-f,--prompt-file", options.prompt_file, "a file that holds it");
  prompt->add_option("--tokens", options.tokens, "its token ids, separated by commas");
  prompt->add_option("--messages", options.messages_file, "a JSON file: [{\"role\", \"content\"}, …]");
  prompt->add_flag("--jsonl", options.jsonl,
                   "read {\"prompt\"}, {\"tokens\"} or {\"messages\"} lines (each may carry id, n, temp, seed, "
                   "json_schema, grammar, regex) and "
                   "print an object for each");
  prompt->require_option(0, 1);
  command.add_option("--system", options.system, "with --chat: the system message");
  command.add_flag("--chat", options.chat, "the prompt is a message to an assistant: use the chat template");
  command.add_flag("--parse-special", options.parse_special, "texts of control tokens become those tokens");
}

void AddOptions(CLI::App& command, GenerateOptions& options) {
  AddModelOptions(command, options.model);
  AddPromptOptions(command, options);
  command.add_option("-n", options.n, fmt::format("tokens to generate at most (default {})", options.n))
      ->check(AcceptIn(0, std::numeric_limits<int32_t>::max()));
  command.add_flag("--ignore-eos", options.ignore_eos, "go on after end-of-generation tokens");
  AddSamplingOptions(command, options.sampling);
  AddGrammarOptions(command, options.grammar_flags);
  command
      .add_option("--parallel", options.parallel,
                  fmt::format("with --jsonl: lines that run at once (default {})", options.parallel))
      ->check(AcceptIn(1, kMaxParallel));
  command.add_flag("--stats", options.stats, "print the engine's counters on stderr at the end");
  command.add_flag("--json", options.json, "print {\"prompt_ids\", \"ids\", \"text\", \"finish_reason\", \"timings\"}");
}

}  // namespace

void AddGenerateCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<GenerateOptions>(root, chosen, "generate", "Continue a prompt, or many at once", AddOptions, Run);
}

}  // namespace rf::app
