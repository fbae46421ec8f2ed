// The two published models that the project is tested with, from the folder that ROCMFORGE_TEST_MODELS names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gguf/test_util/temp_folder.h"
#include "gguf/writer.h"

namespace rf {
namespace {

std::string ModelPath(const std::string& name) {
  const char* folder = std::getenv("ROCMFORGE_TEST_MODELS");
  const std::string path = folder ? std::string(folder) + "/" + name : name;
  if (!folder || !std::filesystem::exists(path)) {
    ADD_FAILURE() << "ROCMFORGE_TEST_MODELS must name a folder with smollm2.gguf and gemma3.gguf";
    return {};
  }
  return path;
}

bool SameBytes(const std::string& a, const std::string& b) {
  if (std::filesystem::file_size(a) != std::filesystem::file_size(b)) return false;
  std::ifstream in_a(a, std::ios::binary), in_b(b, std::ios::binary);
  std::vector<char> bytes_a(1 << 20), bytes_b(1 << 20);
  while (in_a) {
    in_a.read(bytes_a.data(), static_cast<std::streamsize>(bytes_a.size()));
    in_b.read(bytes_b.data(), static_cast<std::streamsize>(bytes_b.size()));
    if (in_a.gcount() != in_b.gcount() || std::memcmp(bytes_a.data(), bytes_b.data(), in_a.gcount()) != 0) return false;
  }
  return true;
}

class GgufRealModel : public testing::TestWithParam<const char*> {};

TEST_P(GgufRealModel, RewritingGivesTheSameBytes) {
  const std::string path = ModelPath(GetParam());
  if (path.empty()) return;
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.has_value()) << file.error().ToString();
  EXPECT_TRUE(file->warnings().empty());
  const auto contents = ContentsOf(*file);
  ASSERT_TRUE(contents.has_value());
  const TempFolder folder;
  ASSERT_TRUE(WriteGguf(*contents, folder.Path("copy.gguf")).has_value());
  EXPECT_TRUE(SameBytes(path, folder.Path("copy.gguf")));
}

TEST_P(GgufRealModel, AllWeightsAreFinite) {
  const std::string path = ModelPath(GetParam());
  if (path.empty()) return;
  const auto file = GgufFile::Open(path, {.use_mmap = false, .verify = true});
  EXPECT_TRUE(file.has_value()) << file.error().ToString();
}

INSTANTIATE_TEST_SUITE_P(Models, GgufRealModel, testing::Values("smollm2.gguf", "gemma3.gguf"),
                         [](const auto& model) { return std::string(model.param).substr(0, 6); });

TEST(GgufRealModels, KnownFacts) {
  const std::string path = ModelPath("smollm2.gguf");
  if (path.empty()) return;
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.has_value()) << file.error().ToString();
  EXPECT_EQ(*file->metadata().GetString("general.architecture"), "llama");
  EXPECT_EQ(*file->metadata().GetU32("llama.block_count"), 30u);
  EXPECT_EQ((*file->metadata().GetStringArray("tokenizer.ggml.tokens"))->size(), 49152u);
  EXPECT_EQ(file->tensors().size(), 272u);
  const auto embedding = file->FindTensor("token_embd.weight");
  ASSERT_TRUE(embedding.has_value());
  EXPECT_EQ(file->tensors()[*embedding].shape, (std::vector<int64_t>{49152, 576}));
  EXPECT_EQ(file->tensors()[*embedding].format, Format::kQ8_0);
  EXPECT_EQ(file->tensors()[*embedding].file_offset, 1785664u);
}

}  // namespace
}  // namespace rf
