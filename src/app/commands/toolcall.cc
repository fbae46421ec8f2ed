// `toolcall`: takes a model's reply apart into text, reasoning and tool calls.
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/store/model_store.h"
#include "base/log.h"
#include "base/utf8.h"
#include "gguf/reader.h"
#include "text/toolcall/detect.h"
#include "text/toolcall/reply_parser.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string source;
  std::string template_file;
  std::string tools;
  std::string prompt_suffix;
  bool truncated = false;
  bool list = false;
  bool json = false;
  bool jsonl = false;
};

Result<ReplyStyle> StyleOfTemplate(std::string source, const std::string& name) {
  RF_ASSIGN_OR_RETURN(const ChatTemplate chat, ChatTemplate::Create(std::move(source)));
  const ReplyStyle style = DetectReplyStyle(chat);
  Log(LogLevel::kInfo, fmt::format("{} writes tool calls as {}", EscapeForMessage(name, 80), style.format->name));
  return style;
}

Result<ReplyStyle> StyleOfModel(const std::string& name) {
  RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(name));
  GgufOptions open;
  open.vocab_only_ok = true;
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path.string(), open));
  RF_ASSIGN_OR_RETURN(const auto text, file.metadata().FindString("tokenizer.chat_template"));
  return text ? StyleOfTemplate(std::string(*text), name) : DefaultReplyStyle();
}

Result<ReplyStyle> StyleOfFormat(const std::string& name) {
  if (const toolcall::ToolFormat* format = toolcall::FindFormat(name)) {
    return ReplyStyle{format, format->reasoning, /*needs_instructions=*/false};
  }
  return Error{ErrorCode::kNotFound,
               fmt::format("no format of tool calls is called '{}'; 'rocmforge toolcall --list' shows them",
                           EscapeForMessage(name, 60)),
               ""};
}

// Formats come first: a model file can always be named by its path.
Result<ReplyStyle> StyleOf(const std::string& name) {
  if (toolcall::FindFormat(name) != nullptr) return StyleOfFormat(name);
  auto style = StyleOfModel(name);
  if (!style && style.error().code == ErrorCode::kNotFound) {
    style.error().message += "; nor is it a format of tool calls (`rocmforge toolcall --list`)";
  }
  return style;
}

ordered_json ToJson(const ParsedReply& reply, bool is_truncated) {
  ordered_json calls = ordered_json::array();
  for (const ToolCall& call : reply.calls) {
    ordered_json one = {{"name", call.name},
                        {"arguments", ordered_json::parse(ReplaceInvalidUtf8(call.arguments), nullptr, false)}};
    if (!call.id.empty()) one["id"] = call.id;
    calls.push_back(std::move(one));
  }
  ordered_json json = {{"content", reply.content},
                       {"reasoning_content", reply.reasoning.empty() ? ordered_json() : ordered_json(reply.reasoning)},
                       {"tool_calls", std::move(calls)}};
  if (is_truncated) {
    json["pending"] = reply.pending_name ? ordered_json{{"name", *reply.pending_name}} : ordered_json();
  }
  if (!reply.warnings.empty()) json["warnings"] = reply.warnings;
  return json;
}

ordered_json Parse(const ReplyStyle& style, const ordered_json& tools, const std::string& prompt_end,
                   const std::string& text, bool is_truncated) {
  ReplyParserOptions options{
      .tools = toolcall::ToolSchemas(tools), .reasoning = style.reasoning, .prompt_end = prompt_end};
  return ToJson(ParseReply(*style.format, std::move(options), text, is_truncated), is_truncated);
}

// The lines of --jsonl; a model's template is looked at once.
class Lines {
 public:
  Result<ordered_json> Run(const ordered_json& line) {
    RF_ASSIGN_OR_RETURN(const std::string text, String(line, "text"));
    RF_ASSIGN_OR_RETURN(const std::string prompt_end, String(line, "prompt_suffix"));
    RF_ASSIGN_OR_RETURN(const ReplyStyle style, Style(line));
    const ordered_json truncated = line.value("truncated", ordered_json(false));
    if (!truncated.is_boolean()) return Error{ErrorCode::kInvalidArgument, "must be true or false", "truncated"};
    const ordered_json tools = line.value("tools", ordered_json::array());
    if (!tools.is_array()) return Error{ErrorCode::kInvalidArgument, "must be a list of tool schemas", "tools"};
    return Parse(style, tools, prompt_end, text, truncated.get<bool>());
  }

 private:
  static Result<std::string> String(const ordered_json& line, const char* key) {
    if (!line.contains(key)) return std::string();
    if (!line[key].is_string()) return Error{ErrorCode::kInvalidArgument, "must be a string", key};
    return line[key].get<std::string>();
  }

  Result<ReplyStyle> Style(const ordered_json& line) {
    RF_ASSIGN_OR_RETURN(const std::string format, String(line, "format"));
    if (!format.empty()) return StyleOfFormat(format);
    RF_ASSIGN_OR_RETURN(const std::string model, String(line, "model"));
    if (model.empty()) return Error{ErrorCode::kInvalidArgument, "needs \"format\" or \"model\"", ""};
    const auto known = models_.find(model);
    if (known != models_.end()) return known->second;
    RF_ASSIGN_OR_RETURN(const ReplyStyle style, StyleOfModel(model));
    models_.emplace(model, style);
    return style;
  }

  std::map<std::string, ReplyStyle> models_;
};

Status ListFormats() {
  for (const toolcall::ToolFormat& format : toolcall::AllFormats()) fmt::print("{}\n", format.name);
  return {};
}

Result<ReplyStyle> ChooseStyle(const Options& options) {
  if (!options.template_file.empty()) {
    RF_ASSIGN_OR_RETURN(std::string source, ReadTextFile(options.template_file));
    return StyleOfTemplate(std::move(source), options.template_file);
  }
  if (options.source.empty()) return Error{ErrorCode::kInvalidArgument, "needs FORMAT, MODEL or --template-file", ""};
  return StyleOf(options.source);
}

Status Run(const Options& options) {
  if (options.list) return ListFormats();
  if (options.jsonl) {
    Lines lines;
    return ForEachJsonLine([&lines](const ordered_json& line) { return lines.Run(line); });
  }
  RF_ASSIGN_OR_RETURN(const ReplyStyle style, ChooseStyle(options));
  if (options.tools.empty()) return Error{ErrorCode::kInvalidArgument, "needs --tools FILE", ""};
  RF_ASSIGN_OR_RETURN(const std::string schemas, ReadTextFile(options.tools));
  RF_ASSIGN_OR_RETURN(const ordered_json tools, ParseJson(schemas, EscapeForMessage(options.tools, 160)));
  if (!tools.is_array()) {
    return Error{ErrorCode::kInvalidArgument, "must be a list of tool schemas", EscapeForMessage(options.tools, 160)};
  }
  RF_ASSIGN_OR_RETURN(const std::string text, ReadStdin());
  PrintJson(Parse(style, tools, options.prompt_suffix, text, options.truncated));
  return {};
}

}  // namespace

void AddToolcallCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "toolcall", "Take a model's reply apart: text, reasoning, tool calls",
      [](CLI::App& command, Options& options) {
        command.footer(
            "Reads the reply from standard input and prints {\"content\", \"reasoning_content\", \"tool_calls\"}.\n"
            "Examples:\n"
            "  echo '<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>' |\n"
            "    rocmforge toolcall hermes --tools tools.json\n"
            "  rocmforge toolcall --list");
        auto* source = command.add_option("FORMAT|MODEL", options.source,
                                          "a format's name, or the model whose template tells the format");
        auto* file = command.add_option("--template-file", options.template_file, "find the format of this template");
        auto* tools = command.add_option("--tools", options.tools, "JSON file: a list of tool schemas");
        auto* suffix = command.add_option("--prompt-suffix", options.prompt_suffix,
                                          "the end of the prompt, which the reply continues, e.g. '<think>'");
        auto* truncated =
            command.add_flag("--truncated", options.truncated, "the reply stops in the middle; adds \"pending\"");
        command.add_flag("--json", options.json, "as other commands have it; the output is JSON in any case");
        auto* list = command.add_flag("--list", options.list, "print the names of all formats");
        auto* jsonl = command.add_flag(
            "--jsonl", options.jsonl,
            "read {\"format\" or \"model\", \"tools\", \"text\", \"prompt_suffix\", \"truncated\"} lines");
        source->excludes(file);
        for (auto* option : {source, file, tools, suffix, truncated}) {
          jsonl->excludes(option);
          list->excludes(option);
        }
        list->excludes(jsonl);
      },
      Run);
}

}  // namespace rf::app
