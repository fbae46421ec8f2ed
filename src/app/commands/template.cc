// `template`: shows the prompt that a chat template makes of messages.
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/store/model_store.h"
#include "base/utf8.h"
#include "gguf/reader.h"
#include "model/vocab.h"
#include "text/template/chat.h"
#include "text/template/template.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string model;
  std::string template_file;
  std::string messages;
  std::string tools;
  std::string kwargs;
  std::string bos;
  std::string eos;
  std::string now;
  bool no_generation_prompt = false;
  bool json = false;
  bool jsonl = false;
};

// "2026-01-15T12:00:00", taken as UTC.
Result<std::optional<std::chrono::sys_seconds>> ParseTime(const std::string& text) {
  if (text.empty()) return std::optional<std::chrono::sys_seconds>();
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  char rest = 0;
  const int n =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c", &year, &month, &day, &hour, &minute, &second, &rest);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (n != 6 || !date.ok() || hour > 23 || minute > 59 || second > 59 || hour < 0 || minute < 0 || second < 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--now takes a time like 2026-01-15T12:00:00, not '{}'", EscapeForMessage(text, 40)), ""};
  }
  return std::optional(std::chrono::sys_seconds(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
                       std::chrono::minutes(minute) + std::chrono::seconds(second));
}

// The template with the tokens that it may print.
struct Source {
  std::string text;
  std::string bos;
  std::string eos;
};

std::string TokenText(const VocabData& vocab, const std::optional<TokenId>& id) {
  return id && *id >= 0 && static_cast<size_t>(*id) < vocab.tokens.size() ? vocab.tokens[*id] : "";
}

Result<Source> ReadSource(const Options& options) {
  Source source;
  if (!options.template_file.empty()) {
    RF_ASSIGN_OR_RETURN(source.text, ReadTextFile(options.template_file));
  } else {
    if (options.model.empty()) return Error{ErrorCode::kInvalidArgument, "needs MODEL or --template-file", ""};
    RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(options.model));
    GgufOptions open;
    open.vocab_only_ok = true;
    RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path.string(), open));
    RF_ASSIGN_OR_RETURN(const VocabData vocab, ReadVocab(file));
    RF_ASSIGN_OR_RETURN(const auto text, file.metadata().FindString("tokenizer.chat_template"));
    if (!text) {
      return Error{ErrorCode::kInvalidArgument, "this model has no chat template; give one with --template-file",
                   path.string()};
    }
    source = Source{std::string(*text), TokenText(vocab, vocab.bos), TokenText(vocab, vocab.eos)};
  }
  if (!options.bos.empty()) source.bos = options.bos;
  if (!options.eos.empty()) source.eos = options.eos;
  return source;
}

Result<ordered_json> ReadJsonFile(const std::string& path) {
  RF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  return ParseJson(text, EscapeForMessage(path, 160));
}

Result<ChatTemplateInput> ReadInput(const Options& options, const Source& source) {
  ChatTemplateInput input;
  if (options.messages.empty()) return Error{ErrorCode::kInvalidArgument, "needs --messages FILE", ""};
  RF_ASSIGN_OR_RETURN(input.messages, ReadJsonFile(options.messages));
  if (!options.tools.empty()) {
    RF_ASSIGN_OR_RETURN(input.tools, ReadJsonFile(options.tools));
  }
  if (!options.kwargs.empty()) {
    RF_ASSIGN_OR_RETURN(input.kwargs, ParseJson(options.kwargs, "--kwargs"));
    if (!input.kwargs.is_object()) return Error{ErrorCode::kInvalidArgument, "must be a JSON object", "--kwargs"};
  }
  input.add_generation_prompt = !options.no_generation_prompt;
  input.bos = source.bos;
  input.eos = source.eos;
  return input;
}

Result<ordered_json> RenderLine(const Options& options, const RenderOptions& render, const ordered_json& line) {
  std::string text;
  if (line.contains("template") && line["template"].is_string()) {
    text = line["template"].get<std::string>();
  } else if (line.contains("template_file") && line["template_file"].is_string()) {
    RF_ASSIGN_OR_RETURN(text, ReadTextFile(line["template_file"].get<std::string>()));
  } else {
    RF_ASSIGN_OR_RETURN(const Source source, ReadSource(options));
    text = source.text;
  }
  const ordered_json context = line.value("context", ordered_json::object());
  auto parsed = Template::Parse(std::move(text));
  if (!parsed) return ordered_json{{"error", parsed.error().ToString()}};
  auto output = parsed->Render(context, render);
  if (!output) return ordered_json{{"error", output.error().message}};
  return ordered_json{{"output", *output}};
}

Result<std::string> Apply(const std::string& source, const ChatTemplateInput& input) {
  RF_ASSIGN_OR_RETURN(const ChatTemplate chat, ChatTemplate::Create(source));
  return chat.Apply(input);
}

Status Run(const Options& options) {
  RenderOptions render;
  RF_ASSIGN_OR_RETURN(render.now, ParseTime(options.now));
  if (options.jsonl) {
    return ForEachJsonLine([&](const ordered_json& line) { return RenderLine(options, render, line); });
  }
  RF_ASSIGN_OR_RETURN(const Source source, ReadSource(options));
  RF_ASSIGN_OR_RETURN(ChatTemplateInput input, ReadInput(options, source));
  input.now = render.now;
  auto output = Apply(source.text, input);
  if (options.json)
    PrintJson(output ? ordered_json{{"output", *output}} : ordered_json{{"error", output.error().message}});
  // Whatever the template did: it is the input of this command, not its usage.
  if (!output) return Error{ErrorCode::kRejected, output.error().message, output.error().where};
  if (!options.json) std::fwrite(output->data(), 1, output->size(), stdout);
  return {};
}

}  // namespace

void AddTemplateCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "template", "Show the prompt that a chat template makes",
      [](CLI::App& command, Options& options) {
        command.footer(
            "Examples:\n"
            "  echo '[{\"role\": \"user\", \"content\": \"Hello\"}]' > messages.json\n"
            "  rocmforge template smollm2 --messages messages.json\n"
            "  rocmforge template --template-file chat.jinja --messages messages.json --tools tools.json");
        auto* model = command.add_option("MODEL", options.model, "take the template of this model");
        auto* file = command.add_option("--template-file", options.template_file, "take the template of this file");
        auto* messages = command.add_option("--messages", options.messages, "JSON file: [{\"role\", \"content\"}, …]");
        auto* tools = command.add_option("--tools", options.tools, "JSON file: a list of tool schemas");
        auto* kwargs = command.add_option("--kwargs", options.kwargs, "JSON object of further variables");
        command.add_flag("--no-generation-prompt", options.no_generation_prompt, "end after the last message");
        command.add_option("--bos", options.bos, "text of the BOS token");
        command.add_option("--eos", options.eos, "text of the EOS token");
        command.add_option("--now", options.now, "the time that the template sees, e.g. 2026-01-15T12:00:00");
        auto* json = command.add_flag("--json", options.json, "print {\"output\"} or {\"error\"}");
        auto* jsonl =
            command.add_flag("--jsonl", options.jsonl,
                             "read {\"template\" or \"template_file\", \"context\"} lines, print objects as of "
                             "--json; the context has every variable (messages, add_generation_prompt, …)");
        model->excludes(file);
        for (auto* option : {messages, tools, kwargs, json}) jsonl->excludes(option);
      },
      Run);
}

}  // namespace rf::app
