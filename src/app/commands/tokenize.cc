// `tokenize`: text to ids, with a model's or a vocabulary file's tokenizer.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/tokenizer_file.h"
#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

struct TokenizeOptions {
  std::string model;
  std::optional<std::string> text;
  std::string text_file;
  EncodeOptions encode;
  bool json = false;
  bool jsonl = false;
};

Result<std::string> FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    int value = 0;
    const char* end = hex.data() + std::min(i + 2, hex.size());
    const auto [stopped, failed] = std::from_chars(hex.data() + i, end, value, 16);
    if (failed != std::errc() || stopped != hex.data() + i + 2) {
      return Error{ErrorCode::kInvalidArgument, "'text_hex' must be pairs of hexadecimal digits", ""};
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

Result<std::string> TextOfLine(const ordered_json& line) {
  if (line.contains("text") && line["text"].is_string()) return line["text"].get<std::string>();
  if (line.contains("text_hex") && line["text_hex"].is_string()) return FromHex(line["text_hex"].get<std::string>());
  return Error{ErrorCode::kInvalidArgument, "needs a string 'text' (or 'text_hex')", ""};
}

Result<ordered_json> TokenizeLine(const Tokenizer& tokenizer, const EncodeOptions& defaults, const ordered_json& line) {
  RF_ASSIGN_OR_RETURN(const std::string text, TextOfLine(line));
  EncodeOptions options;
  RF_ASSIGN_OR_RETURN(options.add_special, FlagOfLine(line, "add_special", defaults.add_special));
  RF_ASSIGN_OR_RETURN(options.parse_special, FlagOfLine(line, "parse_special", defaults.parse_special));
  return ordered_json{{"ids", tokenizer.Encode(text, options)}};
}

Result<std::string> InputText(const TokenizeOptions& options) {
  if (!options.text_file.empty()) return ReadTextFile(options.text_file);
  if (options.text) return *options.text;
  return ReadStdin();
}

Status RunTokenize(const TokenizeOptions& options) {
  RF_ASSIGN_OR_RETURN(const auto tokenizer, OpenTokenizer(options.model));
  if (options.jsonl) {
    return ForEachJsonLine([&](const ordered_json& line) { return TokenizeLine(*tokenizer, options.encode, line); });
  }
  RF_ASSIGN_OR_RETURN(const std::string text, InputText(options));
  const std::vector<TokenId> ids = tokenizer->Encode(text, options.encode);
  if (options.json) {
    auto pieces = ordered_json::array();
    for (const TokenId id : ids) pieces.push_back(tokenizer->Piece(id, /*unparse_special=*/true));
    PrintJson({{"ids", ids}, {"pieces", pieces}});
    return {};
  }
  for (const TokenId id : ids) fmt::print("{:>8}  '{}'\n", id, EscapeForMessage(tokenizer->Piece(id, true), 120));
  return {};
}

}  // namespace

void AddTokenizeCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<TokenizeOptions>(
      root, chosen, "tokenize", "Show the tokens of a text",
      [](CLI::App& command, TokenizeOptions& options) {
        command.footer(
            "Examples:\n"
            "  rocmforge tokenize smollm2 \"Hello world\"\n"
            "  rocmforge tokenize smollm2 --json < letter.txt\n"
            "  rocmforge tokenize smollm2 --parse-special --no-add-special \"<|im_start|>user\"");
        command.add_option("MODEL", options.model, "GGUF file (a vocabulary-only one will do) or name")->required();
        auto* text = command.add_option("TEXT", options.text, "the text; without it and --text-file, standard input");
        auto* file = command.add_option("--text-file", options.text_file, "read the text from this file");
        command.add_flag("--add-special,!--no-add-special", options.encode.add_special,
                         "add BOS and EOS as the model wants (default)");
        command.add_flag("--parse-special", options.encode.parse_special,
                         "texts of control tokens become those tokens");
        auto* json = command.add_flag("--json", options.json, "print {\"ids\", \"pieces\"}");
        auto* jsonl =
            command.add_flag("--jsonl", options.jsonl,
                             "read {\"text\", \"add_special\", \"parse_special\"} lines, print {\"ids\"} lines");
        text->excludes(file)->excludes(jsonl);
        jsonl->excludes(file)->excludes(json);
      },
      RunTokenize);
}

}  // namespace rf::app
