// BPE over raw text; the golden cases are in tests/golden/tokenizer_kinds_test.cc.
#include <gtest/gtest.h>

#include "base/log.h"
#include "text/tokenizer/test_vocab.h"

namespace rf {
namespace {

using test_vocab::kByte0;
using test_vocab::kFirstPiece;
using test_vocab::kPlain;
using test_vocab::MakeTokenizer;
using test_vocab::RawText;
using Ids = std::vector<TokenId>;

// ▁ a b é \n, then ab ▁a ▁ab \n\n ▁▁
enum : TokenId { kSpaceId = kFirstPiece, kA, kB, kE, kNewlineId, kAb, kSpaceA, kSpaceAb, kNewlines, kSpaces };

VocabData Small(const std::string& pre) {
  return RawText(pre, {"▁", "a", "b", "é", "\n"}, {{"a", "b"}, {"▁", "a"}, {"▁", "ab"}, {"\n", "\n"}, {"▁", "▁"}});
}

TEST(RawBpeTest, MergesCharactersByRank) {
  const auto tokenizer = MakeTokenizer(Small("sarvam-moe"));
  EXPECT_EQ(tokenizer->Encode("ab ab a", kPlain), (Ids{kAb, kSpaceAb, kSpaceA}));
  EXPECT_EQ(tokenizer->Encode("\n\n\n  b", kPlain), (Ids{kNewlines, kNewlineId, kSpaces, kB}));
  EXPECT_EQ(tokenizer->Encode("a▁b", kPlain), tokenizer->Encode("a b", kPlain));
  EXPECT_EQ(tokenizer->Decode({kAb, kSpaceAb, kNewlines, kSpaces}, {}), "ab ab\n\n  ");
}

TEST(RawBpeTest, UnknownCharactersBecomeBytes) {
  const auto tokenizer = MakeTokenizer(Small("sarvam-moe"));
  EXPECT_EQ(tokenizer->Encode("é✓", kPlain), (Ids{kE, kByte0 + 0xE2, kByte0 + 0x9C, kByte0 + 0x93}));
  const std::string bytes("a\xFF\xC3 \x80\0b", 7);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(bytes, kPlain), {}), bytes);
}

TEST(RawBpeTest, ByteTokensAreKnownByTheirText) {
  VocabData data = Small("sarvam-moe");
  for (TokenId id = kByte0; id < kByte0 + 256; ++id) {
    data.types[static_cast<size_t>(id)] = static_cast<int32_t>(TokenType::kNormal);
  }
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("x", kPlain), (Ids{kByte0 + 'x'}));
  EXPECT_EQ(tokenizer->Decode({kByte0 + 0xE2, kByte0 + 0x9C, kByte0 + 0x93}, {}), "✓");
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("<0x41>", kPlain), {}), "<0x41>");
}

TEST(RawBpeTest, WithoutAllBytesACharacterIsUnknown) {
  VocabData data = Small("sarvam-moe");
  data.types[kByte0 + 0x9C] = static_cast<int32_t>(TokenType::kUnused);
  EXPECT_EQ(MakeTokenizer(std::move(data))->Encode("✓a", kPlain), (Ids{0, kA}));
}

TEST(RawBpeTest, UserDefinedTokensAreFoundAndMayBeMerged) {
  VocabData data = Small("sarvam-moe");
  data.types[kNewlines] = static_cast<int32_t>(TokenType::kUserDefined);
  data.types[kAb] = static_cast<int32_t>(TokenType::kUserDefined);
  data.types[kSpaces] = static_cast<int32_t>(TokenType::kUserDefined);
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("a\n\n\na b", kPlain), (Ids{kA, kNewlines, kNewlineId, kA, kSpaceId, kB}));
  EXPECT_EQ(tokenizer->Encode("   a ab", kPlain), (Ids{kSpaces, kSpaceA, kSpaceId, kAb}));
  EXPECT_EQ(tokenizer->Piece(kSpaces), "  ");
}

TEST(RawBpeTest, BosAsTheModelWants) {
  const auto first = [](VocabData data) { return MakeTokenizer(std::move(data))->Encode("a", {}); };
  EXPECT_EQ(first(Small("sarvam-moe")), (Ids{kA}));
  EXPECT_EQ(first(Small("granite-embed-multi-311m")), (Ids{1, kA}));
  VocabData data = Small("granite-embed-multi-311m");
  data.add_bos = false;
  data.add_eos = true;
  EXPECT_EQ(first(data), (Ids{kA, 2}));
  data.model = "gemma4";  // here the file is known to be wrong
  std::string logged;
  SetLogSink([&logged](LogLevel level, std::string_view message) {
    if (level == LogLevel::kWarning) logged += message;
  });
  EXPECT_EQ(first(data), (Ids{1, kA, 2}));
  SetLogSink(nullptr);
  EXPECT_EQ(logged, "tokenizer.ggml.add_bos_token is false; taken as true, since Gemma 4 needs the BOS token");
}

TEST(RawBpeTest, SpacePrefixWhereTheFileWantsIt) {
  VocabData data = Small("sarvam-moe");
  data.add_space_prefix = true;
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("ab", kPlain), (Ids{kSpaceAb}));
  EXPECT_EQ(tokenizer->Encode("<s>ab", {.add_special = false, .parse_special = true}), (Ids{1, kSpaceAb}));
  EXPECT_EQ(tokenizer->Decode({kSpaceAb, kSpaceAb}, {}), "ab ab");
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("  b", kPlain), {}), "  b");
}

TEST(RawBpeTest, LinesBeginWithASpaceAndSpacesBeginWords) {
  const auto tokenizer = MakeTokenizer(Small("mmbert"));
  EXPECT_EQ(tokenizer->Encode("ab", kPlain), (Ids{kSpaceAb}));
  EXPECT_EQ(tokenizer->Encode(" ab", kPlain), (Ids{kSpaceAb}));
  EXPECT_EQ(tokenizer->Encode("a\n\nab\n", kPlain), (Ids{kSpaceA, kNewlines, kSpaceAb, kNewlineId}));
  EXPECT_EQ(tokenizer->Encode("   a", kPlain), (Ids{kSpaceId, kSpaceId, kSpaceA}));
  EXPECT_EQ(tokenizer->Encode("a<s>b", {.add_special = false, .parse_special = true}), (Ids{kSpaceA, 1, kSpaceId, kB}));
  EXPECT_EQ(tokenizer->Decode({kSpaceAb, kSpaceA}, {}), "ab a");
}

// Gemma 4 has tokens of its chat format that are no control tokens in the file, so that they are seen.
TEST(RawBpeTest, SpecialTokens) {
  VocabData data = Small("gemma4");
  data.model = "gemma4";
  data.pre.clear();
  test_vocab::AddToken(data, "<turn|>", TokenType::kControl);
  test_vocab::AddToken(data, "<|channel>", TokenType::kUserDefined);
  const auto turn = static_cast<TokenId>(data.tokens.size() - 2);
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("a<turn|><|channel>b", {.add_special = false, .parse_special = true}),
            (Ids{kA, turn, turn + 1, kB}));
  const Ids plain = tokenizer->Encode("a<turn|>", kPlain);
  for (const TokenId id : plain) EXPECT_FALSE(tokenizer->IsControl(id));
  EXPECT_EQ(tokenizer->Decode(plain, {}), "a<turn|>");
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(turn));
  EXPECT_EQ(tokenizer->Decode({turn, turn + 1}, {}), "<|channel>");
}

TEST(RawBpeTest, WordsDropWhiteSpaceAndCase) {
  VocabData data =
      RawText("whitespace", {"a", "b", "i", "\u0307", "▁", ","}, {{"a", "b"}, {"b", ","}, {"i", "\u0307"}});
  data.model = "whitespace";
  data.pre.clear();
  enum : TokenId { kWordA = kFirstPiece, kWordB, kWordI, kDot, kSign, kComma, kWordAb, kWordBComma, kDottedI };
  EXPECT_EQ(MakeTokenizer(data)->Encode("ab Ab\u3000\n▁", kPlain), (Ids{kWordAb, kByte0 + 'A', kWordB, kSign}));
  data.lowercase = true;
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("AB ab,\u0130", kPlain), (Ids{kWordAb, kWordAb, kComma, kDottedI}));
  EXPECT_EQ(tokenizer->Encode(" \n", kPlain), (Ids{}));
  EXPECT_EQ(tokenizer->Encode("\xFF", kPlain), tokenizer->Encode("\uFFFD", kPlain));
  EXPECT_EQ(tokenizer->Encode("<S>", {.add_special = false, .parse_special = true}),
            tokenizer->Encode("<s>", kPlain));  // special tokens are found as they are written only
}

}  // namespace
}  // namespace rf
