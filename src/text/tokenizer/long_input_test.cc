// A megabyte of anything takes well under a second and little stack, for every pre-tokenizer and for SentencePiece.
#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <functional>

#include "base/sanitizers.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/test_vocab.h"

namespace rf {
namespace {

// Sanitizers look for bad reads and overflows, not for seconds, and make everything several times slower: they get an
// eighth of the text, and a limit that only quadratic time goes beyond.
constexpr size_t kTextBytes = (size_t{1} << 20) / (kIsSanitized ? 8 : 1);
constexpr double kMaxSeconds = kIsSanitized ? 10.0 : 1.0;

// What is repeated: letters, white space, digits, East Asian characters, marks, joined emoji, half matches.
const std::vector<std::string> kUnits = {"A", " ", "\n", "1", "中", "\u0301\u0323", "👩\u200d", "<|en", "ªA", "\x80"};

// A vocabulary that merges each unit with itself, over and over.
std::vector<std::pair<std::string, std::string>> DoublingMerges() {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& unit : kUnits) {
    std::string left = unit.substr(0, 1);
    for (size_t i = 1; i < unit.size(); ++i) {
      pairs.emplace_back(left, unit.substr(i, 1));
      left += unit[i];
    }
    for (int i = 0; i < 12; ++i) {
      pairs.emplace_back(left, left);
      left += left;
    }
  }
  return pairs;
}

std::string Repeat(const std::string& unit, size_t n_bytes) {
  std::string text;
  while (text.size() < n_bytes) text += unit;
  return text;
}

std::string RandomBytes(size_t n_bytes, unsigned n_values, char first) {
  std::string text;
  uint32_t state = 1;
  while (text.size() < n_bytes) {
    state = state * 1664525u + 1013904223u;
    text += static_cast<char>(first + static_cast<char>((state >> 24) % n_values));
  }
  return text;
}

// Runs `work` on a thread with a stack of 256 KiB; seconds it took.
double TimeOnSmallStack(std::function<void()> work) {
  const auto begin = std::chrono::steady_clock::now();
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  const auto start = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  EXPECT_EQ(pthread_create(&thread, &attributes, start, &work), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void ExpectFast(const Tokenizer& tokenizer, const std::string& text, const std::string& what,
                bool may_be_empty = false) {
  std::vector<TokenId> ids;
  const EncodeOptions options{.add_special = false, .parse_special = true};
  EXPECT_LE(TimeOnSmallStack([&] { ids = tokenizer.Encode(text, options); }), kMaxSeconds) << what;
  EXPECT_TRUE(may_be_empty || !ids.empty());
}

// `drops_text`: WordPiece gives nothing for white space, for instance.
void ExpectFastOnEverything(const Tokenizer& tokenizer, const std::string& name, bool drops_text = false) {
  for (const std::string& unit : kUnits) {
    const bool may_be_empty = drops_text || unit == " ";  // Unigram collapses spaces
    ExpectFast(tokenizer, Repeat(unit, kTextBytes), name + " " + EscapeForMessage(unit), may_be_empty);
  }
  ExpectFast(tokenizer, RandomBytes(kTextBytes, 256, 0), name + " random bytes");
  ExpectFast(tokenizer, RandomBytes(kTextBytes, 26, 'a'), name + " random letters");
  ExpectFast(tokenizer, RandomBytes(kTextBytes, 96, ' '), name + " random ASCII");
}

class LongInputPreTokenizerTest : public ::testing::TestWithParam<const char*> {};

TEST_P(LongInputPreTokenizerTest, AnyMegabyte) {
  const auto tokenizer = test_vocab::MakeTokenizer(test_vocab::ByteLevel(GetParam(), DoublingMerges()));
  ExpectFastOnEverything(*tokenizer, GetParam());
}

// Eight times as much takes no more stack, and no more than eight times as long.
TEST_P(LongInputPreTokenizerTest, EightMegabytes) {
  const auto tokenizer = test_vocab::MakeTokenizer(test_vocab::ByteLevel(GetParam(), DoublingMerges()));
  for (const char* unit : {"A", "\u0301"}) {
    const std::string text = Repeat(unit, 8 * kTextBytes);
    EXPECT_LE(TimeOnSmallStack([&] { tokenizer->Encode(text, {}); }), 8 * kMaxSeconds) << EscapeForMessage(unit);
  }
}

// Twice the text takes twice the time, give or take the machine's noise.
TEST_P(LongInputPreTokenizerTest, TwiceTheTextTwiceTheTime) {
  const auto tokenizer = test_vocab::MakeTokenizer(test_vocab::ByteLevel(GetParam(), DoublingMerges()));
  for (const char* unit : {"A", " ", "1", "\u0301"}) {
    const std::string text = Repeat(unit, kTextBytes);
    const std::string_view half = std::string_view(text).substr(0, kTextBytes / 2);
    double once = 1e9, twice = 1e9;
    for (int i = 0; i < 6; ++i) {
      once = std::min(once, TimeOnSmallStack([&] { tokenizer->Encode(half, {}); }));
      twice = std::min(twice, TimeOnSmallStack([&] { tokenizer->Encode(text, {}); }));
      if (twice <= 2.3 * once) break;
    }
    EXPECT_LE(twice, 3.0 * once + 0.03) << EscapeForMessage(unit);
  }
}

// One of each set of stages.
INSTANTIATE_TEST_SUITE_P(All, LongInputPreTokenizerTest,
                         ::testing::Values("gpt-2", "smollm", "default", "falcon", "llama3", "qwen2", "qwen35",
                                           "ufakzeka", "seed-coder", "minicpm5", "tekken", "gpt-4o", "deepseek-llm",
                                           "deepseek-coder", "deepseek-v3", "bloom", "viking", "jais-2", "laguna",
                                           "exaone-moe", "tiny_aya", "youtu", "kimi-k2", "spark2_5", "afmoe",
                                           "superbpe", "chameleon"));

TEST(LongInputTest, SentencePiece) {
  std::vector<std::pair<std::string, float>> pieces = {{"▁", 0}};
  float score = 0;
  for (const std::string& unit : kUnits) {
    for (size_t n = 1; n <= 16; n *= 2) {
      std::string piece;
      for (size_t i = 0; i < n; ++i) piece += unit == " " ? "▁" : unit;
      pieces.emplace_back(piece, score -= 1);
    }
  }
  ExpectFastOnEverything(*test_vocab::MakeTokenizer(test_vocab::SentencePiece(pieces)), "llama");
}

// BPE over raw text: the units' characters (those of ill-formed ones are byte tokens) and merges of each unit with
// itself.
VocabData RawUnits(const std::string& pre) {
  std::vector<std::string> characters;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& unit : kUnits) {
    const std::string spelled = unit == " " ? "▁" : unit;
    std::string left;
    const char* const end = spelled.data() + spelled.size();
    for (const char* p = spelled.data(); p != end;) {
      const Utf8Step step = DecodeUtf8(p, end);
      if (!step.valid) break;
      const std::string character(p, step.length);
      if (std::find(characters.begin(), characters.end(), character) == characters.end())
        characters.push_back(character);
      if (!left.empty()) pairs.emplace_back(left, character);
      left += character;
      p += step.length;
    }
    for (int i = 0; i < 10 && !left.empty(); ++i, left += left) pairs.emplace_back(left, left);
  }
  return test_vocab::RawText(pre, characters, pairs);
}

TEST(LongInputTest, RawBpe) {
  for (const char* pre : {"gemma4", "mmbert", "whitespace"}) {
    ExpectFastOnEverything(*test_vocab::MakeTokenizer(RawUnits(pre)), pre, pre == std::string("whitespace"));
  }
}

// Tokens of each unit, doubled again and again.
std::vector<std::string> DoubledUnits() {
  std::vector<std::string> pieces;
  for (const std::string& unit : kUnits) {
    for (size_t n = 1; n <= 16; n *= 2) pieces.push_back(Repeat(unit, n * unit.size()));
  }
  return pieces;
}

TEST(LongInputTest, Unigram) {
  VocabData data = test_vocab::SentencePiece({});
  data.model = "t5";
  float score = 0;
  for (const std::string& piece : DoubledUnits()) {
    test_vocab::AddToken(data, piece);
    data.scores.resize(data.tokens.size(), score -= 1);
  }
  ExpectFastOnEverything(*test_vocab::MakeTokenizer(data), "t5");
  data.remove_extra_whitespaces = false;
  ExpectFastOnEverything(*test_vocab::MakeTokenizer(std::move(data)), "t5 with all spaces");
}

TEST(LongInputTest, WordPiece) {
  VocabData data;
  data.model = "bert";
  for (const char* text : {"[UNK]", "[CLS]", "[SEP]"}) test_vocab::AddToken(data, text, TokenType::kControl);
  for (const std::string& piece : DoubledUnits()) {
    test_vocab::AddToken(data, piece);
    test_vocab::AddToken(data, "▁" + piece);
  }
  ExpectFastOnEverything(*test_vocab::MakeTokenizer(std::move(data)), "bert", true);
}

TEST(LongInputTest, Rwkv) {
  VocabData data;
  data.model = "rwkv";
  for (unsigned byte = 0; byte < 256; ++byte) {
    char text[8];
    snprintf(text, sizeof(text), "\\x%02x", byte);
    test_vocab::AddToken(data, text);
  }
  for (const std::string& piece : DoubledUnits()) test_vocab::AddToken(data, piece);
  ExpectFastOnEverything(*test_vocab::MakeTokenizer(std::move(data)), "rwkv");
}

TEST(LongInputTest, Plamo2) {
  std::vector<std::pair<std::string, float>> pieces;
  float score = 0;
  for (const std::string& piece : DoubledUnits()) pieces.emplace_back(piece, score -= 1);
  ExpectFastOnEverything(*test_vocab::MakeTokenizer(test_vocab::WithByteTokens("plamo2", pieces)), "plamo2");
}

// A token that is nearly everywhere, but never to the end: a walk from each place must not be long.
TEST(LongInputTest, TokensThatNearlyMatch) {
  VocabData data;
  data.model = "rwkv";
  test_vocab::AddToken(data, "a");
  test_vocab::AddToken(data, std::string(60000, 'a') + "b");
  ExpectFast(*test_vocab::MakeTokenizer(std::move(data)), Repeat("a", kTextBytes), "nearly matching tokens");
}

TEST(LongInputTest, EqualScoresEverywhere) {
  std::vector<std::pair<std::string, float>> pieces;
  for (std::string piece = "a"; piece.size() <= 64; piece += "a") pieces.emplace_back(piece, 0.0f);
  const auto tokenizer = test_vocab::MakeTokenizer(test_vocab::SentencePiece(pieces));
  ExpectFast(*tokenizer, Repeat("a", kTextBytes), "equal scores");
}

TEST(LongInputTest, TimeGrowsLinearly) {
  const auto tokenizer = test_vocab::MakeTokenizer(test_vocab::ByteLevel("llama3", DoublingMerges()));
  for (const char* unit : {"A", " ", "中", "\u0301"}) {
    const std::string text = Repeat(unit, 4 * kTextBytes);
    double shortest = 1e9, longest = 1e9;
    for (int i = 0; i < 2; ++i) {
      const EncodeOptions options{};
      shortest =
          std::min(shortest, TimeOnSmallStack([&] { tokenizer->Encode(text.substr(0, kTextBytes / 2), options); }));
      longest = std::min(longest, TimeOnSmallStack([&] { tokenizer->Encode(text, options); }));
    }
    EXPECT_LE(longest, shortest * 8 * 1.5 + 0.05) << EscapeForMessage(unit);
  }
}

}  // namespace
}  // namespace rf
