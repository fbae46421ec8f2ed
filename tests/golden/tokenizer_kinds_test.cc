// Every kind of tokenizer with a small vocabulary, against the ids that other implementations gave
// (tools/make_tokenizer_golden.py; the data is part of this repository).
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "text/tokenizer/space_sign.h"
#include "tokenizer_cases.h"

namespace rf::testing {
namespace {

class TokenizerKindsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    tokenizer_ = LoadTokenizer(Path() + ".gguf");
    ASSERT_NE(tokenizer_, nullptr);
  }
  static std::string Path() { return std::string(RF_SOURCE_DIR "/tests/data/tokenizer/") + GetParam(); }
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizerKindsTest, Encodes) {
  int n_lines = 0;
  for (const json& line : ReadJsonLines(Path() + ".jsonl")) {
    EXPECT_EQ(DifferenceOfIds(line, tokenizer_->Encode(TextOfCase(line), {.add_special = false})), "");
    ++n_lines;
  }
  EXPECT_GE(n_lines, 350);
}

TEST_P(TokenizerKindsTest, Streams) {
  int n_lines = 0;
  for (const json& line : ReadJsonLines(Path() + ".jsonl")) {
    const std::vector<TokenId> ids = line["ids"];
    StreamingDecoder stream(*tokenizer_, true);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.Add(id);
    streamed += stream.Finish();
    EXPECT_EQ(streamed, ReplaceInvalidUtf8(tokenizer_->Decode(ids, {.clean_spaces = false}))) << line;
    ++n_lines;
  }
  EXPECT_GE(n_lines, 350);
}

// Kinds that keep every byte give the text back, apart from the sign that stands for a space.
TEST_P(TokenizerKindsTest, DecodesToTheText) {
  const std::string name = GetParam();
  if (name != "bpe" && name != "rwkv" && name != "plamo2" && name != "raw-bpe") return;
  for (const json& line : ReadJsonLines(Path() + ".jsonl")) {
    const std::string text = TextOfCase(line);
    std::string spaced;
    const bool has_signs = name == "raw-bpe" && ReplaceSpaceSigns(text, spaced);
    EXPECT_EQ(tokenizer_->Decode(line["ids"], {.clean_spaces = false}), has_signs ? spaced : text) << line;
  }
}

TEST_P(TokenizerKindsTest, SpecialTokens) {
  const Tokenizer& t = *tokenizer_;
  const std::vector<TokenId> plain = t.Encode("a", {.add_special = false});
  std::vector<TokenId> expected = plain;
  if (t.adds_bos()) expected.insert(expected.begin(), *t.data().bos);
  if (t.adds_eos()) expected.push_back(t.data().model == "bert" ? *t.data().sep : *t.data().eos);
  EXPECT_EQ(t.Encode("a", {}), expected);
  EXPECT_EQ(t.adds_bos(), t.data().model == "bert" || t.data().model == "gemma4");
  EXPECT_EQ(t.adds_eos(), t.data().model == "bert" || t.data().model == "t5");
  for (TokenId id = 0; id < t.size(); ++id) {
    if (!t.IsControl(id) || id == t.data().unk) continue;  // the unknown token stands for any text
    const std::string text = t.Piece(id, true);
    EXPECT_EQ(t.Encode(text, {.add_special = false, .parse_special = true}), std::vector<TokenId>{id}) << text;
    for (const TokenId part : t.Encode(text, {.add_special = false}))
      EXPECT_FALSE(t.IsControl(part) && part == id) << text;
  }
}

TEST_P(TokenizerKindsTest, StreamsAnyIds) {
  CheckRandomStreams(*tokenizer_);
}

INSTANTIATE_TEST_SUITE_P(Small, TokenizerKindsTest,
                         ::testing::Values("unigram", "unigram-bytes", "wordpiece", "wordpiece-cased", "bpe", "rwkv",
                                           "raw-bpe", "raw-bpe-lines", "raw-bpe-words", "plamo2"),
                         [](const auto& vocabulary) {
                           std::string name = vocabulary.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace rf::testing
