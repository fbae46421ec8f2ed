// As tokenizer_golden_test.cc, with the vocabularies of the two default models.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "tokenizer_cases.h"

namespace rf::testing {
namespace {

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
  CheckEncode(*tokenizer_, GetParam(), Cases() + ".jsonl");
}
TEST_P(TokenizerModelGoldenTest, Decodes) {
  CheckDecode(*tokenizer_, Cases() + ".detok.jsonl");
}
TEST_P(TokenizerModelGoldenTest, Streams) {
  CheckStreaming(*tokenizer_, Cases() + ".jsonl");
}

TEST_P(TokenizerModelGoldenTest, StreamsAnyIds) {
  CheckRandomStreams(*tokenizer_);
}

INSTANTIATE_TEST_SUITE_P(Models, TokenizerModelGoldenTest, ::testing::Values("smollm2", "gemma3"));

}  // namespace
}  // namespace rf::testing
