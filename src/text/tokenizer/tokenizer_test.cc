#include "text/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "base/log.h"
#include "text/tokenizer/test_vocab.h"

namespace rf {
namespace {

using test_vocab::ByteLevel;
using test_vocab::kFirstPiece;
using test_vocab::MakeTokenizer;
using test_vocab::SentencePiece;
using Ids = std::vector<TokenId>;

VocabData Hello() {
  return SentencePiece({{"▁", -10},
                        {"h", -11},
                        {"e", -12},
                        {"l", -13},
                        {"o", -14},
                        {"he", -1},
                        {"ll", -2},
                        {"hell", -3},
                        {"hello", -4},
                        {"▁hello", -5},
                        {"▁h", -6},
                        {"é", -7}});
}

TEST(SpmTest, MergesByScoreAndAddsTheSpacePrefix) {
  const auto tokenizer = MakeTokenizer(Hello());
  EXPECT_EQ(tokenizer->Encode("hello", {}), (Ids{1, kFirstPiece + 9}));
  EXPECT_EQ(tokenizer->Encode("hello", {.add_special = false}), (Ids{kFirstPiece + 9}));
  EXPECT_EQ(tokenizer->Encode("hel", {.add_special = false}), (Ids{kFirstPiece, kFirstPiece + 5, kFirstPiece + 3}));
  EXPECT_EQ(tokenizer->Encode("", {}), (Ids{1}));
  EXPECT_EQ(tokenizer->Decode({1, kFirstPiece + 9}, {}), " hello");  // as llama_detokenize: BOS keeps the space
  EXPECT_EQ(tokenizer->Decode({kFirstPiece + 9}, {}), "hello");
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_TRUE(tokenizer->adds_space_prefix());
}

TEST(SpmTest, EqualScoresMergeFromTheLeft) {
  const auto tokenizer = MakeTokenizer(SentencePiece({{"▁", 0}, {"a", 0}, {"aa", -1}}));
  const TokenId a = kFirstPiece + 1, aa = kFirstPiece + 2;
  EXPECT_EQ(tokenizer->Encode("aaaaa", {.add_special = false}), (Ids{kFirstPiece, aa, aa, a}));
}

TEST(SpmTest, UnknownCharactersBecomeBytes) {
  const auto tokenizer = MakeTokenizer(Hello());
  EXPECT_EQ(tokenizer->Encode("é✓", {.add_special = false}),
            (Ids{kFirstPiece, kFirstPiece + 11, 3 + 0xE2, 3 + 0x9C, 3 + 0x93}));
  const std::string bytes = "he\xFFl\xC3 \x80";
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(bytes, {.add_special = false}), {}), bytes);
}

TEST(SpmTest, MissingByteTokensBecomeUnknown) {
  VocabData data = Hello();
  data.types[3 + 0x9C] = static_cast<int32_t>(TokenType::kUnused);
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("✓", {.add_special = false}), (Ids{kFirstPiece, 0}));
}

TEST(SpmTest, UserDefinedTokensAreAlwaysFound) {
  VocabData data = Hello();
  data.add_space_prefix = false;
  test_vocab::AddToken(data, "  ", TokenType::kUserDefined);
  test_vocab::AddToken(data, "   ", TokenType::kUserDefined);
  const auto two = static_cast<TokenId>(data.tokens.size() - 2);
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("h     h", {.add_special = false}),
            (Ids{kFirstPiece + 1, two + 1, two, kFirstPiece + 1}));
  EXPECT_EQ(tokenizer->Encode("▁▁", {.add_special = false}), (Ids{two}));
  EXPECT_EQ(tokenizer->Piece(two), "  ");
}

TEST(ByteBpeTest, MergesByRank) {
  const auto tokenizer = MakeTokenizer(ByteLevel("gpt-2", {{"b", "c"}, {"a", "b"}, {"ab", "c"}, {" ", "a"}}));
  EXPECT_EQ(tokenizer->Encode("abc", {}), (Ids{'a', 256}));
  EXPECT_EQ(tokenizer->Encode("abab a", {}), (Ids{257, 257, 259}));
  EXPECT_EQ(tokenizer->Decode({257, 259, 'x'}, {}), "ab ax");
}

TEST(ByteBpeTest, IgnoreMergesTakesWholeWords) {
  // The token " abc" cannot be reached by merges; Llama 3's vocabulary has such tokens.
  VocabData data = ByteLevel("llama3", {{"b", "c"}, {"a", "b"}});
  test_vocab::AddToken(data, test_vocab::InByteAlphabet("abc"));
  const auto abc = static_cast<TokenId>(data.tokens.size() - 1);
  EXPECT_EQ(MakeTokenizer(data)->Encode("abc", {}), (Ids{abc}));
  data.pre = "gpt-2";
  EXPECT_EQ(MakeTokenizer(data)->Encode("abc", {}), (Ids{'a', 256}));
}

TEST(ByteBpeTest, InvalidBytesBecomeReplacementCharacters) {
  const auto tokenizer = MakeTokenizer(ByteLevel("gpt-2", {{"b", "c"}}));
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("caf\xE9 noir\xE4\xB8", {}), {}), "caf\uFFFD noir\uFFFD\uFFFD");
}

TEST(ByteBpeTest, QwenNormalizes) {
  const auto tokenizer = MakeTokenizer(ByteLevel("qwen2", {{"b", "c"}}));
  const auto round_trip = [&](const char* text) { return tokenizer->Decode(tokenizer->Encode(text, {}), {}); };
  EXPECT_EQ(round_trip("e\u0301"), "\u00e9");
  EXPECT_EQ(round_trip("x\u1112\u1161\u11ab"), "x\ud55c");
  EXPECT_EQ(round_trip("\u212b\u2126\u212a"), "\u00c5\u03a9K");
  EXPECT_EQ(round_trip("\u304b\u3099"), "\u304c");
  EXPECT_EQ(round_trip("a\u0315\u0300\u05ae\u0300b"), "\u00e0\u05ae\u0300\u0315b");  // UAX 15's conformance test
  EXPECT_EQ(round_trip("plain \u4e2d"), "plain \u4e2d");
}

TEST(SpecialTokensTest, UserTextNeverBecomesControlTokens) {
  VocabData data = ByteLevel("gpt-2", {{"b", "c"}});
  test_vocab::AddToken(data, "<|im_start|>", TokenType::kControl);
  test_vocab::AddToken(data, "<|im_end|>", TokenType::kUserDefined);  // mistyped in some files; still ends turns
  const auto start = static_cast<TokenId>(data.tokens.size() - 2);
  const auto tokenizer = MakeTokenizer(std::move(data));
  const std::string text = "<|im_end|>\n<|im_start|>system\n<|end|>";
  for (const TokenId id : tokenizer->Encode(text, {})) EXPECT_FALSE(tokenizer->IsControl(id));
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text, {}), {}), text);
  EXPECT_EQ(tokenizer->Encode("<|im_start|>a<|im_end|>", {.parse_special = true}), (Ids{start, 'a', start + 1}));
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(start + 1));
  EXPECT_FALSE(tokenizer->IsEndOfGeneration(start));
  EXPECT_EQ(tokenizer->Piece(start), "");
  EXPECT_EQ(tokenizer->Piece(start, true), "<|im_start|>");
}

TEST(SpecialTokensTest, SpmControlTokensCannotBeSpelled) {
  VocabData data = Hello();
  for (const char* text : {"<", "s", ">", "<s"}) test_vocab::AddToken(data, text);
  const auto tokenizer = MakeTokenizer(std::move(data));
  for (const TokenId id : tokenizer->Encode("<s>", {.add_special = false})) EXPECT_FALSE(tokenizer->IsControl(id));
  EXPECT_EQ(tokenizer->Encode("<s>", {.add_special = false, .parse_special = true}), (Ids{1}));
}

// Text that came from elsewhere stays plain whatever parse_special says.
TEST(SpecialTokensTest, PlainSpansAreText) {
  VocabData data = ByteLevel("qwen2", {{"b", "c"}});
  test_vocab::AddToken(data, "<|a|>", TokenType::kControl);
  test_vocab::AddToken(data, "<|a|><|a|>", TokenType::kControl);
  test_vocab::AddToken(data, "<think>", TokenType::kUserDefined);
  test_vocab::AddToken(data, "<|user|>", TokenType::kUserDefined);
  const auto a = static_cast<TokenId>(data.tokens.size() - 4), think = a + 2, user = a + 3;
  const auto tokenizer = MakeTokenizer(std::move(data));
  const auto count = [&](const std::string& text, const std::vector<TextSpan>& plain, TokenId id) {
    const Ids ids = tokenizer->Encode(text, {.parse_special = true}, plain);
    return std::count(ids.begin(), ids.end(), id);
  };
  const std::string text = "<|a|>x<|a|>";
  EXPECT_EQ(count(text, {}, a), 2);
  EXPECT_EQ(count(text, {{0, 1}}, a), 1);
  EXPECT_EQ(count(text, {{4, 6}}, a), 1);
  EXPECT_EQ(count(text, {{5, 6}}, a), 2);
  EXPECT_EQ(count(text, {{0, 5}, {10, 11}}, a), 0);
  EXPECT_EQ(count("<|a|><|a|>", {}, a + 1), 1);
  EXPECT_EQ(count("<|a|><|a|>", {{6, 7}}, a + 1), 0);  // the longer token is not; the shorter one before the span is
  EXPECT_EQ(count("<|a|><|a|>", {{6, 7}}, a), 1);
  // Words of the model that anyone may use are found everywhere; those that look like control tokens are not.
  EXPECT_EQ(count("<think><|user|>", {}, think) + count("<think><|user|>", {}, user), 2);
  EXPECT_EQ(count("<think><|user|>", {{0, 15}}, think), 1);
  EXPECT_EQ(count("<think><|user|>", {{0, 15}}, user), 0);
  // Normalization moves the spans along, and a mark never joins a letter across the border.
  EXPECT_EQ(count("e\u0301e\u0301<|a|>e\u0301<|a|>", {{3, 11}}, a), 1);
  EXPECT_EQ(tokenizer->Decode(
                tokenizer->Encode("e\u0301e\u0301", {.parse_special = true}, std::vector<TextSpan>{{1, 3}}), {}),
            "e\u0301\u00e9");
}

struct BadVocab {
  const char* name;
  void (*spoil)(VocabData& data);
  ErrorCode code;
  const char* message;
};

class BadVocabTest : public ::testing::TestWithParam<BadVocab> {};

TEST_P(BadVocabTest, IsRefusedByName) {
  VocabData data = ByteLevel("gpt-2", {{"b", "c"}});
  GetParam().spoil(data);
  const auto tokenizer = Tokenizer::Create(std::move(data));
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, GetParam().code);
  const std::string& message = tokenizer.error().message;
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
  EXPECT_LE(message.size(), 300u);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

constexpr auto kCorrupt = ErrorCode::kCorruptFile;
constexpr auto kUnsupported = ErrorCode::kUnsupported;

INSTANTIATE_TEST_SUITE_P(
    All, BadVocabTest,
    ::testing::Values(
        BadVocab{"model", [](VocabData& d) { d.model = "nope\n"; }, kUnsupported,
                 "tokenizer.ggml.model 'nope\\n' is unknown; supported: llama (SentencePiece BPE), gpt2"},
        BadVocab{"plamo_scores", [](VocabData& d) { d.model = "plamo2"; }, kCorrupt,
                 "scores is missing; model 'plamo2' needs it"},
        BadVocab{"plamo_bytes",
                 [](VocabData& d) {
                   d.model = "plamo2";
                   d.scores.assign(d.tokens.size(), -1);
                 },
                 kCorrupt, "has no byte token <0x00>; model 'plamo2' needs all 256"},
        BadVocab{"raw_text",
                 [](VocabData& d) {
                   d.model = "gemma4";
                   d.merges.clear();
                 },
                 kCorrupt, "merges is missing or empty; model 'gemma4' needs it"},
        BadVocab{"wordpiece", [](VocabData& d) { d.model = "bert"; }, kCorrupt, "unknown_token_id is missing"},
        BadVocab{"unigram", [](VocabData& d) { d.model = "t5"; }, kCorrupt, "scores is missing; model 't5' needs it"},
        BadVocab{"charsmap",
                 [](VocabData& d) {
                   d.model = "t5";
                   d.scores.assign(d.tokens.size(), -1);
                   d.precompiled_charsmap = std::string("\xFF\xFF\xFF\x7F", 4);
                 },
                 kCorrupt, "precompiled_charsmap of 4 bytes does not hold the trie"},
        BadVocab{"empty", [](VocabData& d) { d.tokens.clear(); }, kCorrupt,
                 "tokenizer.ggml.tokens is missing or empty"},
        BadVocab{"scores", [](VocabData& d) { d.scores.resize(7); }, kCorrupt, "scores has 7 entries for 258 tokens"},
        BadVocab{"types", [](VocabData& d) { d.types.pop_back(); }, kCorrupt,
                 "token_type has 257 entries for 258 tokens"},
        BadVocab{"bos", [](VocabData& d) { d.bos = 258; }, kCorrupt, "bos_token_id 258 outside vocabulary of 258"},
        BadVocab{"eos", [](VocabData& d) { d.eos = -1; }, kCorrupt, "eos_token_id 4294967295 outside vocabulary"},
        BadVocab{"unk", [](VocabData& d) { d.unk = 1 << 30; }, kCorrupt, "unknown_token_id 1073741824 outside"},
        BadVocab{"eog",
                 [](VocabData& d) {
                   d.eog = {0, 300};
                 },
                 kCorrupt, "end-of-generation id #1 is 300"},
        BadVocab{"no_bos", [](VocabData& d) { d.add_bos = true; }, kCorrupt, "bos_token_id is missing"},
        BadVocab{"no_eos", [](VocabData& d) { d.add_eos = true; }, kCorrupt, "eos_token_id is missing"},
        BadVocab{"nan", [](VocabData& d) { d.scores.assign(258, std::numeric_limits<float>::quiet_NaN()); }, kCorrupt,
                 "scores[0] is not a number"},
        BadVocab{"long", [](VocabData& d) { d.tokens[5].assign(16u << 20, 'x'); }, kCorrupt,
                 "tokens[5] 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is 16777216 bytes long (max 65536)"},
        BadVocab{"no_merges", [](VocabData& d) { d.merges.clear(); }, kCorrupt, "merges is missing or empty"},
        BadVocab{"no_scores", [](VocabData& d) { d.model = "llama"; }, kCorrupt, "scores is missing"}),
    [](const auto& row) { return row.param.name; });

TEST(VocabTest, AnUnknownPreTokenizerIsAWarning) {
  std::string logged;
  SetLogSink([&logged](LogLevel level, std::string_view message) {
    if (level == LogLevel::kWarning) logged += message;
  });
  const auto tokenizer = Tokenizer::Create(ByteLevel("no-such\n", {{"b", "c"}}));
  SetLogSink(nullptr);
  ASSERT_TRUE(tokenizer);
  EXPECT_NE(logged.find("tokenizer.ggml.pre 'no-such\\n' is unknown; taken as 'dbrx'"), std::string::npos) << logged;
  EXPECT_EQ((*tokenizer)->Encode("bc", {}), (Ids{256}));
}

TEST(VocabTest, ByteTokensAreParsedStrictly) {
  for (const char* text : {"<0x-1>", "<0xZZ>", "<0x100>", "<0x>", "<0x1>", "0x41", "", "<0x 1>", "<0X41>"}) {
    VocabData data = Hello();
    data.tokens[10] = text;
    const auto tokenizer = Tokenizer::Create(std::move(data));
    ASSERT_FALSE(tokenizer) << text;
    EXPECT_NE(tokenizer.error().message.find("tokens[10] '" + std::string(text) + "' is a byte token"),
              std::string::npos)
        << tokenizer.error().message;
  }
}

TEST(VocabTest, BadMergesAreSkipped) {
  VocabData data = ByteLevel("gpt-2", {{"b", "c"}});
  for (const char* merge :
       {"", " ", "bc", "b c d", "b zz", "zz b", "b c", "b ", " c", "b d", "\xFF\xFF \xFF", "bc bc"}) {
    data.merges.emplace_back(merge);
  }
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("bcbc", {}), (Ids{256, 256}));
}

TEST(VocabTest, OddTokensDoNoHarm) {
  VocabData data = Hello();
  test_vocab::AddToken(data, "");
  test_vocab::AddToken(data, "", TokenType::kUserDefined);
  test_vocab::AddToken(data, "hello");     // a second time
  test_vocab::AddToken(data, "\xFF\xFE");  // not UTF-8
  test_vocab::AddToken(data, "x", static_cast<TokenType>(99));
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->Encode("hello", {.add_special = false}), (Ids{kFirstPiece + 9}));
}

TEST(EndOfGenerationTest, HarmonysEndIsNotTheEnd) {
  VocabData data = ByteLevel("gpt-4o", {{"b", "c"}});
  const auto end = static_cast<TokenId>(data.tokens.size() - 1);
  EXPECT_TRUE(MakeTokenizer(data)->IsEndOfGeneration(end));
  test_vocab::AddToken(data, "<|return|>", TokenType::kControl);
  test_vocab::AddToken(data, "<|call|>", TokenType::kControl);
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->end_of_generation_ids(), (Ids{end + 1, end + 2}));
}

TEST(EndOfGenerationTest, HtmlIsNotTheEnd) {
  VocabData data = Hello();
  data.eos.reset();
  data.tokens[2] = "<eos>";
  test_vocab::AddToken(data, "</s>", TokenType::kUserDefined);
  const auto tokenizer = MakeTokenizer(std::move(data));
  EXPECT_EQ(tokenizer->end_of_generation_ids(), (Ids{2}));
}

TEST(StreamingDecoderTest, HoldsBackUnfinishedCharacters) {
  const auto tokenizer = MakeTokenizer(ByteLevel("gpt-2", {{"b", "c"}}));
  StreamingDecoder stream(*tokenizer, false);
  EXPECT_EQ(stream.Add(0xF0), "");
  EXPECT_EQ(stream.Add(0x9F), "");
  EXPECT_EQ(stream.Add(0x98), "");
  EXPECT_EQ(stream.Add(0x80), "\xF0\x9F\x98\x80");
  EXPECT_EQ(stream.Add(0xE4), "");
  EXPECT_EQ(stream.Add('a'), "\uFFFDa");
  EXPECT_EQ(stream.Add(0xFF), "\uFFFD");
  EXPECT_EQ(stream.Add(0xE4), "");
  EXPECT_EQ(stream.Add(0xB8), "");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(StreamingDecoderTest, StripsTheSpaceOnlyAtTheStart) {
  const auto tokenizer = MakeTokenizer(Hello());
  StreamingDecoder start(*tokenizer, true);
  EXPECT_EQ(start.Add(kFirstPiece + 9), "hello");
  EXPECT_EQ(start.Add(kFirstPiece + 9), " hello");
  StreamingDecoder middle(*tokenizer, false);
  EXPECT_EQ(middle.Add(kFirstPiece + 9), " hello");
}

TEST(DecodeTest, CleansSpacesWhereThePublisherDoes) {
  const auto tokenizer = MakeTokenizer(ByteLevel("gpt-2", {{"b", "c"}}));
  const std::string text = "a , b . c ' d ' ' e 's it 've we 're I 'm you 'll ?";
  const Ids ids = tokenizer->Encode(text, {});
  EXPECT_EQ(tokenizer->Decode(ids, {}), "a, b. c'd'' e's it've we're I'm you 'll?");
  EXPECT_EQ(tokenizer->Decode(ids, {.clean_spaces = false}), text);
}

TEST(TokenizerTest, SeveralThreadsAtOnce) {
  const auto tokenizer = MakeTokenizer(ByteLevel("gpt-2", {{"b", "c"}, {"a", "b"}, {" ", "a"}}));
  std::string text;
  for (int i = 0; i < 2000; ++i) text += " ab" + std::to_string(i * 7919 % 1000) + "bc";
  const Ids expected = tokenizer->Encode(text, {});
  std::vector<std::thread> threads;
  std::vector<int> n_equal(4);
  for (size_t t = 0; t < n_equal.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) n_equal[t] += tokenizer->Encode(text, {}) == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n_equal, std::vector<int>(4, 20));
}

}  // namespace
}  // namespace rf
