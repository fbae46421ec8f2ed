// PLaMo 2; the golden cases are in tests/golden/tokenizer_kinds_test.cc.
#include <gtest/gtest.h>

#include "text/tokenizer/test_vocab.h"

namespace rf {
namespace {

using test_vocab::kByte0;
using test_vocab::kFirstPiece;
using test_vocab::kPlain;
using test_vocab::MakeTokenizer;
using Ids = std::vector<TokenId>;

VocabData Vocabulary(const std::vector<std::pair<std::string, float>>& pieces) {
  return test_vocab::WithByteTokens("plamo2", pieces);
}

TEST(Plamo2Test, TheBestSumWins) {
  const auto tokenizer =
      MakeTokenizer(Vocabulary({{"a", -3}, {"b", -3}, {"c", -3}, {"ab", -4}, {"bc", -2}, {" a", -5}}));
  const TokenId a = kFirstPiece, ab = a + 3, bc = a + 4;
  EXPECT_EQ(tokenizer->Encode("abc", kPlain), (Ids{a, bc}));  // -5 against -7
  EXPECT_EQ(tokenizer->Encode("ab", kPlain), (Ids{ab}));
  EXPECT_EQ(tokenizer->Encode("ab abc", kPlain), (Ids{ab, a + 5, bc}));
  EXPECT_EQ(tokenizer->Encode("", kPlain), (Ids{}));
}

TEST(Plamo2Test, OfEqualSumsTheLongestFirstToken) {
  const auto tokenizer = MakeTokenizer(Vocabulary({{"a", -1}, {"aa", -2}, {"aaa", -3}}));
  EXPECT_EQ(tokenizer->Encode("aaaaa", kPlain), (Ids{kFirstPiece + 2, kFirstPiece + 1}));
}

TEST(Plamo2Test, ScoresAreWholeTenThousandths) {
  // -2.00004 is -2.0000; -0.03125 is a half, which goes to the even -312, so that two of them are better
  // than -0.0625 = -625.
  const auto tokenizer = MakeTokenizer(Vocabulary({{"a", -1}, {"aa", -2.00004f}, {"c", -0.03125f}, {"cc", -0.0625f}}));
  EXPECT_EQ(tokenizer->Encode("aa", kPlain), (Ids{kFirstPiece + 1}));
  EXPECT_EQ(tokenizer->Encode("cc", kPlain), (Ids{kFirstPiece + 2, kFirstPiece + 2}));
}

TEST(Plamo2Test, UnknownCharactersBecomeBytes) {
  const auto tokenizer = MakeTokenizer(Vocabulary({{"a", -1}, {"▁", -2}, {"never", -2000}, {"x", -1500}}));
  EXPECT_EQ(tokenizer->Encode("✓a▁", kPlain),
            (Ids{kByte0 + 0xE2, kByte0 + 0x9C, kByte0 + 0x93, kFirstPiece, kFirstPiece + 1}));
  EXPECT_EQ(tokenizer->Encode("never", kPlain).size(), 5u);
  EXPECT_EQ(tokenizer->Encode("x", kPlain), (Ids{kByte0 + 'x'}));  // bytes cost 1000
  const std::string bytes("a\xFF\xC3 \x80\0▁✓\xE2\x9C", 14);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(bytes, kPlain), {}), bytes);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("\uFEFFa", kPlain), {}), "\uFEFFa");
}

TEST(Plamo2Test, OddTokensDoNoHarm) {
  const auto tokenizer =
      MakeTokenizer(Vocabulary({{"a", -1}, {"", 0}, {"\xE2\x9C", 0}, {"a", -2}, {"b", 3e38f}, {"c", -3e38f}}));
  EXPECT_EQ(tokenizer->Encode("ab✓", kPlain),
            (Ids{kFirstPiece + 3, kFirstPiece + 4, kByte0 + 0xE2, kByte0 + 0x9C, kByte0 + 0x93}));
  EXPECT_EQ(tokenizer->Encode("c", kPlain), (Ids{kByte0 + 'c'}));
}

TEST(Plamo2Test, SpecialTokens) {
  VocabData data = Vocabulary({{"a", -1}, {"<", -1}, {"s", -1}, {">", -1}});
  EXPECT_EQ(MakeTokenizer(data)->Encode("a", {}), (Ids{kFirstPiece}));
  data.add_bos = true;
  data.add_eos = true;
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("a<s>", {.parse_special = true}), (Ids{1, kFirstPiece, 1, 2}));
  EXPECT_EQ(tokenizer->Encode("<s>", kPlain), (Ids{kFirstPiece + 1, kFirstPiece + 2, kFirstPiece + 3}));
  EXPECT_FALSE(tokenizer->adds_space_prefix());
}

}  // namespace
}  // namespace rf
