#include "text/tokenizer/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rf {
namespace {

using Words = std::vector<std::string>;

Words SplitWith(const char* name, const std::string& text) {
  const PreTokenizer* row = FindPreTokenizer(name);
  if (row == nullptr) return {"no such pre-tokenizer"};
  Words words;
  scan::Split(row->stages, text.data(), text.data() + text.size(),
              [&words](const char* begin, const char* end) { words.emplace_back(begin, end); });
  return words;
}

// Random texts as the published expressions split them, run by an independent regular expression engine
// (tools/make_pre_tokenizer_splits.py).
TEST(PreTokenizerTest, SplitsAsTheExpressionsDo) {
  std::ifstream file(RF_SOURCE_DIR "/tests/data/pre_tokenizer_splits.jsonl");
  ASSERT_TRUE(file);
  int n_texts = 0;
  for (std::string line; std::getline(file, line); ++n_texts) {
    const auto expected = nlohmann::json::parse(line);
    std::string text;
    for (const std::string word : expected["words"]) text += word;
    const Words words = SplitWith(expected["pre"].get<std::string>().c_str(), text);
    EXPECT_EQ(nlohmann::json(words), expected["words"]) << line;
  }
  EXPECT_GE(n_texts, 1000);
}

TEST(PreTokenizerTest, ContractionsAndCase) {
  EXPECT_EQ(SplitWith("gpt-2", "it's IT'S"), (Words{"it", "'s", " IT", "'", "S"}));
  EXPECT_EQ(SplitWith("llama3", "it's IT'S"), (Words{"it", "'s", " IT", "'S"}));
  EXPECT_EQ(SplitWith("gpt-4o", "it's IT'S myHTTPServer"), (Words{"it's", " IT'S", " my", "HTTPServer"}));
  EXPECT_EQ(SplitWith("tekken", "it's camelCase"), (Words{"it", "'s", " camel", "Case"}));
}

TEST(PreTokenizerTest, SpacesStayWithTheWordBehind) {
  EXPECT_EQ(SplitWith("gpt-2", "a   b\n\nc  "), (Words{"a", "  ", " b", "\n", "\n", "c", "  "}));
  EXPECT_EQ(SplitWith("llama3", "a   b\n\nc \n d"), (Words{"a", "  ", " b", "\n\n", "c", " \n", " d"}));
}

TEST(PreTokenizerTest, Digits) {
  EXPECT_EQ(SplitWith("gpt-2", "12345"), (Words{"12345"}));
  EXPECT_EQ(SplitWith("smollm", "a 123"), (Words{"a", " ", "1", "2", "3"}));
  EXPECT_EQ(SplitWith("llama3", "12345"), (Words{"123", "45"}));
  EXPECT_EQ(SplitWith("qwen2", "123"), (Words{"1", "2", "3"}));
  EXPECT_EQ(SplitWith("falcon", "12345"), (Words{"123", "45"}));
}

TEST(PreTokenizerTest, DeepSeekLlmListsItsCharacters) {
  EXPECT_EQ(SplitWith("deepseek-llm", "Hello, world! 123\n你好。"),
            (Words{"Hello", ",", " world", "!", " ", "123", "\n", "你好", "。"}));
  EXPECT_EQ(SplitWith("deepseek-llm", "ƻ a\u0301  "), (Words{"ƻ", " a", "\u0301", "  "}));
}

TEST(PreTokenizerTest, NamesAreListedOnce) {
  const std::string names = PreTokenizerNames();
  for (const char* name : {"default", "smollm", "llama-bpe", "qwen2", "tekken", "deepseek-v3", "command-r", "dbrx"}) {
    EXPECT_NE(FindPreTokenizer(name), nullptr) << name;
    EXPECT_NE(names.find(name), std::string::npos) << name;
  }
  EXPECT_NE(FindPreTokenizer(kFallbackPreTokenizer), nullptr);
  EXPECT_EQ(FindPreTokenizer("no-such"), nullptr);
  EXPECT_EQ(FindPreTokenizer(""), nullptr);
}

}  // namespace
}  // namespace rf
