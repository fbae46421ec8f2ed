// `tokenize` and `detokenize`: text to ids and back, with a model's or a vocabulary file's tokenizer.
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/input.h"
#include "app/store/model_store.h"
#include "app/token_list.h"
#include "base/utf8.h"
#include "gguf/reader.h"
#include "model/vocab.h"
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

struct DetokenizeOptions {
  std::string model;
  std::optional<std::string> tokens;
  DecodeOptions decode;
  bool json = false;
  bool jsonl = false;
};

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::string& model) {
  RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(model));
  GgufOptions options;
  options.vocab_only_ok = true;
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path.string(), options));
  RF_ASSIGN_OR_RETURN(VocabData vocab, ReadVocab(file));
  return Tokenizer::Create(std::move(vocab));
}

std::string ToHex(const std::string& bytes) {
  std::string hex;
  for (const unsigned char c : bytes) hex += fmt::format("{:02x}", c);
  return hex;
}

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

Result<bool> FlagOfLine(const ordered_json& line, const char* key, bool fallback) {
  if (!line.contains(key)) return fallback;
  if (!line[key].is_boolean())
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' must be true or false", key), ""};
  return line[key].get<bool>();
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
