// `detokenize`: ids to text, with a model's or a vocabulary file's tokenizer.
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/token_list.h"
#include "app/tokenizer_file.h"
#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

struct DetokenizeOptions {
  std::string model;
  std::optional<std::string> tokens;
  DecodeOptions decode;
  bool json = false;
  bool jsonl = false;
};

std::string ToHex(const std::string& bytes) {
  std::string hex;
  for (const unsigned char c : bytes) hex += fmt::format("{:02x}", c);
  return hex;
}

ordered_json DecodedJson(const std::string& text) {
  if (IsValidUtf8(text)) return {{"text", text}};
  return {{"bytes_hex", ToHex(text)}};
}

Result<ordered_json> DetokenizeLine(const Tokenizer& tokenizer, const DecodeOptions& defaults,
                                    const ordered_json& line) {
  const char* key = line.contains("tokens") ? "tokens" : "ids";
  if (!line.contains(key)) return Error{ErrorCode::kInvalidArgument, "needs 'tokens'", ""};
  RF_ASSIGN_OR_RETURN(const auto ids, TokensFromJson(line[key], tokenizer, key));
  DecodeOptions options;
  RF_ASSIGN_OR_RETURN(options.remove_special, FlagOfLine(line, "remove_special", defaults.remove_special));
  RF_ASSIGN_OR_RETURN(options.unparse_special, FlagOfLine(line, "unparse_special", defaults.unparse_special));
  return DecodedJson(tokenizer.Decode(ids, options));
}

Status RunDetokenize(const DetokenizeOptions& options) {
  RF_ASSIGN_OR_RETURN(const auto tokenizer, OpenTokenizer(options.model));
  if (options.jsonl) {
    return ForEachJsonLine([&](const ordered_json& line) { return DetokenizeLine(*tokenizer, options.decode, line); });
  }
  if (!options.tokens) return Error{ErrorCode::kInvalidArgument, "needs --tokens 1,2,3 (or --jsonl)", ""};
  RF_ASSIGN_OR_RETURN(const auto ids, ParseTokenList(*options.tokens, *tokenizer));
  const std::string text = tokenizer->Decode(ids, options.decode);
  if (options.json) {
    PrintJson(DecodedJson(text));
  } else {
    fmt::print("{}\n", text);
  }
  return {};
}

}  // namespace

void AddDetokenizeCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<DetokenizeOptions>(
      root, chosen, "detokenize", "Turn token ids into text",
      [](CLI::App& command, DetokenizeOptions& options) {
        command.footer("Example:\n  rocmforge detokenize smollm2 --tokens 19556,905");
        command.add_option("MODEL", options.model, "GGUF file (a vocabulary-only one will do) or name")->required();
        auto* tokens = command.add_option("--tokens", options.tokens, "ids, separated by commas");
        command.add_flag("--remove-special", options.decode.remove_special,
                         "drop the BOS and EOS that tokenizing adds");
        command.add_flag("--unparse-special", options.decode.unparse_special, "show control tokens as their text");
        auto* json =
            command.add_flag("--json", options.json, "print {\"text\"}, or {\"bytes_hex\"} if it is not UTF-8");
        auto* jsonl = command.add_flag("--jsonl", options.jsonl, "read {\"tokens\"} lines, print objects as of --json");
        jsonl->excludes(tokens)->excludes(json);
      },
      RunDetokenize);
}

}  // namespace rf::app
