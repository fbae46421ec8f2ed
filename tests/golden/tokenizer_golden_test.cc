// The tokenizers against ids that llama.cpp and the vocabularies' original libraries gave for the same texts. Where
// those differ, the original library is right.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"
#include "vocab_gguf.h"

namespace rf {
namespace {

using nlohmann::json;

std::string GoldenDir() {
  const char* dir = std::getenv("ROCMFORGE_GOLDEN");
  return std::string(dir != nullptr ? dir : RF_SOURCE_DIR "/../shared/golden") + "/tokenizer/";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<json> ReadJsonLines(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string TextOfCase(const json& line) {
  if (line.contains("text")) return line["text"];
  if (line.contains("text_hex")) return FromHex(line["text_hex"]);
  return ReadFile(GoldenDir() + line["text_file"].get<std::string>());
}

std::unique_ptr<Tokenizer> LoadTokenizer(const std::string& path) {
  auto tokenizer = Tokenizer::Create(testing::VocabGguf::Read(path));
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

// 64-bit FNV-1a over the ids as little-endian uint32.
std::string FingerprintOf(const std::vector<TokenId>& ids) {
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

// Whether this line's ids are not to be met: another line has those of the original library, or the text is not UTF-8
// and the ids merely record how llama.cpp's SentencePiece code loses some of its bytes.
bool IsOverruled(const json& line, const std::string& text, const Tokenizer& tokenizer) {
  bool has_original = false;
  for (const std::string by : line["by"]) has_original |= by.rfind("llama.cpp", 0) != 0;
  if (line.value("disputed", false) && !has_original) return true;
  return tokenizer.data().model == "llama" && !IsValidUtf8(text);
}

void ExpectIds(const json& line, const std::vector<TokenId>& ids) {
  if (line.contains("ids")) {
    EXPECT_EQ(json(ids).dump(), line["ids"].dump()) << line.dump().substr(0, 400);
    return;
  }
  EXPECT_EQ(ids.size(), line["ids_count"].get<size_t>()) << line.dump().substr(0, 200);
  const auto& sampled = line["ids_every_1000"];
  for (size_t i = 0; i < sampled.size() && i * 1000 < ids.size(); ++i) {
    ASSERT_EQ(ids[i * 1000], sampled[i].get<TokenId>()) << "at " << i * 1000 << " of " << line.dump().substr(0, 200);
  }
  EXPECT_EQ(FingerprintOf(ids), line["ids_fnv1a64"].get<std::string>());
}

void CheckEncode(const Tokenizer& tokenizer, const std::string& cases) {
  int n_checked = 0, n_overruled = 0;
  for (const json& line : ReadJsonLines(cases)) {
    const std::string text = TextOfCase(line);
    const EncodeOptions options{.add_special = line["add_special"], .parse_special = line["parse_special"]};
    const std::vector<TokenId> ids = tokenizer.Encode(text, options);
    if (IsOverruled(line, text, tokenizer)) {
      ++n_overruled;
      continue;
    }
    ++n_checked;
    ExpectIds(line, ids);
  }
  EXPECT_GE(n_checked, 600);
  ::testing::Test::RecordProperty("cases", n_checked);
  ::testing::Test::RecordProperty("overruled", n_overruled);
}

void CheckDecode(const Tokenizer& tokenizer, const std::string& cases) {
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

// At every cut, what was streamed so far and what is held back are together what Decode makes of the ids so far.
void CheckStreaming(const Tokenizer& tokenizer, const std::string& cases) {
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

class TokenizerGoldenTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(GoldenDir())) GTEST_SKIP() << "no golden data at " << GoldenDir();
    tokenizer_ = LoadTokenizer(GoldenDir() + "vocab/" + GetParam() + ".gguf");
    ASSERT_NE(tokenizer_, nullptr);
  }
  std::string Cases() const { return GoldenDir() + "cases/" + GetParam(); }
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizerGoldenTest, Encodes) {
  CheckEncode(*tokenizer_, Cases() + ".jsonl");
}
TEST_P(TokenizerGoldenTest, Decodes) {
  CheckDecode(*tokenizer_, Cases() + ".detok.jsonl");
}
TEST_P(TokenizerGoldenTest, Streams) {
  CheckStreaming(*tokenizer_, Cases() + ".jsonl");
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerGoldenTest,
                         ::testing::Values("baichuan", "deepseek-coder", "deepseek-llm", "deepseek-v3", "falcon",
                                           "gpt-2", "gpt-neox", "llama-bpe", "llama-spm", "mistral-v3-spm", "mpt",
                                           "phi-3", "qwen2", "refact", "starcoder", "tekken"),
                         [](const auto& vocabulary) {
                           std::string name = vocabulary.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

class TokenizerModelGoldenTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* models = std::getenv("ROCMFORGE_TEST_MODELS");
    ASSERT_NE(models, nullptr) << "ROCMFORGE_TEST_MODELS must name a folder with smollm2.gguf and gemma3.gguf";
    if (!std::filesystem::exists(GoldenDir())) GTEST_SKIP() << "no golden data at " << GoldenDir();
    tokenizer_ = LoadTokenizer(std::string(models) + "/" + GetParam() + ".gguf");
    ASSERT_NE(tokenizer_, nullptr);
  }
  std::string Cases() const { return GoldenDir() + "cases/model-" + GetParam(); }
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizerModelGoldenTest, Encodes) {
  CheckEncode(*tokenizer_, Cases() + ".jsonl");
}
TEST_P(TokenizerModelGoldenTest, Decodes) {
  CheckDecode(*tokenizer_, Cases() + ".detok.jsonl");
}
TEST_P(TokenizerModelGoldenTest, Streams) {
  CheckStreaming(*tokenizer_, Cases() + ".jsonl");
}

INSTANTIATE_TEST_SUITE_P(Models, TokenizerModelGoldenTest, ::testing::Values("smollm2", "gemma3"));

}  // namespace
}  // namespace rf
