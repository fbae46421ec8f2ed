// How tokenizers are held against the golden cases; the cases' format is described beside them.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "golden_files.h"
#include "text/tokenizer/tokenizer.h"
#include "vocab_gguf.h"

namespace rf::testing {

using json = nlohmann::ordered_json;

using golden::ReadFile;
using golden::ReadJsonLines;

inline std::string GoldenDir() {
  return golden::Folder("tokenizer").string() + "/";
}

inline std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

inline std::string TextOfCase(const json& line) {
  if (line.contains("text")) return line["text"];
  if (line.contains("text_hex")) return FromHex(line["text_hex"]);
  return ReadFile(GoldenDir() + line["text_file"].get<std::string>());
}

inline std::unique_ptr<Tokenizer> LoadTokenizer(const std::string& path) {
  auto tokenizer = Tokenizer::Create(VocabGguf::Read(path));
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

// 64-bit FNV-1a over the ids as little-endian uint32.
inline std::string FingerprintOf(const std::vector<TokenId>& ids) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const TokenId id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((static_cast<uint32_t>(id) >> shift) & 0xFF)) * 0x100000001b3u;
    }
  }
  char text[17];
  snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// Whether this line's ids are not to be met: another line has those of the original library; or the text is not UTF-8
// and the ids record how llama.cpp's SentencePiece code loses some of its bytes; or the line has no second witness, and
// other lines or vocabularies show that llama.cpp and the original differ on this very point.
inline bool IsOverruled(const json& line, const std::string& text, const std::string& vocabulary,
                        const Tokenizer& tokenizer) {
  bool has_original = false;
  for (const std::string by : line["by"]) has_original |= by.rfind("llama.cpp", 0) != 0;
  if (has_original) return false;
  if (line.value("disputed", false)) return true;
  if (tokenizer.data().model == "llama" && !IsValidUtf8(text)) return true;
  // llama.cpp turns these user-defined tokens into control tokens; see its lines and the original's for deepseek-v3.
  const bool has_fim = text.find("<｜fim▁") != std::string::npos;
  if (vocabulary == "deepseek-coder" && has_fim && !line["parse_special"]) return true;
  // U+2581 is sentencepiece's own space sign; see the disputed lines of the same vocabulary.
  return vocabulary == "gemma3" && text.find("▁▁") != std::string::npos;
}

// How the ids differ from the line's; empty if they do not.
inline std::string DifferenceOfIds(const json& line, const std::vector<TokenId>& ids) {
  if (line.contains("ids")) {
    if (json(ids) == line["ids"]) return "";
    return json(ids).dump() + " for " + line.dump().substr(0, 400);
  }
  const auto& sampled = line["ids_every_1000"];
  for (size_t i = 0; i < sampled.size() && i * 1000 < ids.size(); ++i) {
    if (ids[i * 1000] == sampled[i].get<TokenId>()) continue;
    return "at or before " + std::to_string(i * 1000) + " of " + line.dump().substr(0, 200);
  }
  const bool is_same =
      ids.size() == line["ids_count"].get<size_t>() && FingerprintOf(ids) == line["ids_fnv1a64"].get<std::string>();
  return is_same ? "" : std::to_string(ids.size()) + " ids for " + line.dump().substr(0, 200);
}

inline void CheckEncode(const Tokenizer& tokenizer, const std::string& vocabulary, const std::string& cases) {
  int n_equal = 0, n_different = 0, n_recorded = 0, n_recorded_other = 0;
  for (const json& line : ReadJsonLines(cases)) {
    const std::string text = TextOfCase(line);
    const EncodeOptions options{.add_special = line["add_special"], .parse_special = line["parse_special"]};
    const std::vector<TokenId> ids = tokenizer.Encode(text, options);
    const std::string difference = DifferenceOfIds(line, ids);
    if (IsOverruled(line, text, vocabulary, tokenizer)) {
      if (!IsValidUtf8(text) && tokenizer.data().model == "llama") {
        EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text, {.add_special = false}), {}), text) << line;
      }
      ++n_recorded;
      n_recorded_other += !difference.empty();
      continue;
    }
    ++(difference.empty() ? n_equal : n_different);
    EXPECT_EQ(difference, "");
  }
  printf("%s: %d lines equal, %d different; %d more only record llama.cpp, %d of these differ\n", vocabulary.c_str(),
         n_equal, n_different, n_recorded, n_recorded_other);
  EXPECT_GE(n_equal, 600);
  ::testing::Test::RecordProperty("equal", n_equal);
  ::testing::Test::RecordProperty("different", n_different);
  ::testing::Test::RecordProperty("recorded", n_recorded);
}

inline void CheckDecode(const Tokenizer& tokenizer, const std::string& cases) {
  for (const json& line : ReadJsonLines(cases)) {
    const std::vector<TokenId> ids = line["ids"];
    const bool unparse = line["unparse_special"];
    const std::string text =
        tokenizer.Decode(ids, {.remove_special = line["remove_special"], .unparse_special = unparse});
    const std::string expected =
        line.contains("text") ? line["text"].get<std::string>() : FromHex(line["bytes_hex"].get<std::string>());
    EXPECT_EQ(text, expected) << line.dump();
    std::string pieces;
    for (const TokenId id : ids) pieces += tokenizer.Piece(id, unparse);
    std::string expected_pieces = expected;
    if (line.contains("pieces")) expected_pieces = line["pieces"];
    if (line.contains("pieces_hex")) expected_pieces = FromHex(line["pieces_hex"]);
    EXPECT_EQ(pieces, expected_pieces) << line.dump();
  }
}

// Any ids in any order, many of them pieces of characters: what is streamed is valid UTF-8 at every step, and in the
// end all that the ids say, each ill-formed stretch as U+FFFD.
inline void CheckRandomStreams(const Tokenizer& tokenizer) {
  std::mt19937 random(7);
  std::vector<TokenId> broken;  // tokens that are no text by themselves
  for (TokenId id = 0; id < tokenizer.size(); ++id) {
    if (!IsValidUtf8(tokenizer.PieceView(id))) broken.push_back(id);
  }
  size_t n_bytes = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<TokenId> ids;
    std::string pieces, streamed;
    const bool unparse = round % 2 == 0;
    StreamingDecoder stream(tokenizer, false, unparse);
    for (size_t n = 1 + random() % 30; ids.size() < n;) {
      const bool is_broken = !broken.empty() && random() % 2 == 0;
      ids.push_back(is_broken ? broken[random() % broken.size()]
                              : static_cast<TokenId>(random() % static_cast<unsigned>(tokenizer.size())));
      pieces += tokenizer.Piece(ids.back(), unparse);
      const std::string added = stream.Add(ids.back());
      ASSERT_TRUE(IsValidUtf8(added)) << json(ids);
      streamed += added;
    }
    streamed += stream.Finish();
    ASSERT_EQ(streamed, ReplaceInvalidUtf8(pieces)) << json(ids);
    n_bytes += streamed.size();
  }
  EXPECT_GT(n_bytes, 20000u);
}

// At every cut, what was streamed so far and what is held back are together what Decode makes of the ids so far.
inline void CheckStreaming(const Tokenizer& tokenizer, const std::string& cases) {
  for (const json& line : ReadJsonLines(cases)) {
    const std::string text = TextOfCase(line);
    if (text.size() > 2000) continue;
    const std::vector<TokenId> ids = tokenizer.Encode(text, {.add_special = line["add_special"]});
    StreamingDecoder stream(tokenizer, true);
    std::string streamed;
    std::vector<TokenId> so_far;
    for (const TokenId id : ids) {
      const std::string added = stream.Add(id);
      ASSERT_TRUE(IsValidUtf8(added)) << line.dump();
      streamed += added;
      so_far.push_back(id);
      StreamingDecoder copy = stream;
      ASSERT_EQ(streamed + copy.Finish(), ReplaceInvalidUtf8(tokenizer.Decode(so_far, {.clean_spaces = false})))
          << line.dump();
    }
  }
}

}  // namespace rf::testing
