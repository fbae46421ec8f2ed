// The tokenizers against ids that llama.cpp and the vocabularies' original libraries gave for the same texts. Where
// those differ, the original library is right.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tokenizer_cases.h"

namespace rf::testing {
namespace {

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
  CheckEncode(*tokenizer_, GetParam(), Cases() + ".jsonl");
}
TEST_P(TokenizerGoldenTest, Decodes) {
  CheckDecode(*tokenizer_, Cases() + ".detok.jsonl");
}
TEST_P(TokenizerGoldenTest, Streams) {
  CheckStreaming(*tokenizer_, Cases() + ".jsonl");
}

TEST_P(TokenizerGoldenTest, StreamsAnyIds) {
  CheckRandomStreams(*tokenizer_);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerGoldenTest,
                         ::testing::Values("baichuan", "bert-bge", "deepseek-coder", "deepseek-llm", "deepseek-v3",
                                           "falcon", "gpt-2", "gpt-neox", "llama-bpe", "llama-spm", "mistral-v3-spm",
                                           "mpt", "phi-3", "qwen2", "refact", "starcoder", "tekken"),
                         [](const auto& vocabulary) {
                           std::string name = vocabulary.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace rf::testing
