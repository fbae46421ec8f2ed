// Truncation at every byte, random damage and splices of files, through memory. G03 and G61 of the acceptance
// catalogue.
#include <gtest/gtest.h>

#include <random>

#include "gguf/reader.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/test_util/refusal.h"
#include "gguf/writer.h"

namespace rf {
namespace {

std::vector<std::byte> AllBytes(const GgufFile& file) {
  std::vector<std::byte> out;
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    std::vector<std::byte> bytes(file.tensors()[i].n_bytes);
    EXPECT_TRUE(file.ReadTensor(i, bytes).has_value());
    if (file.is_mapped()) {
      const auto mapped = file.TensorBytes(i);
      EXPECT_TRUE(mapped.has_value());
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), mapped->begin(), mapped->end()));
    }
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

// Opens mapped and read; both must agree. Returns the message, or nothing if the bytes are accepted.
std::string OpenBoth(std::string_view bytes) {
  MemoryFiles files;
  files.Put("b.gguf", bytes);
  const auto mapped = GgufFile::Open("b.gguf", {.syscalls = &files.syscalls()});
  const auto read = GgufFile::Open("b.gguf", {.use_mmap = false, .syscalls = &files.syscalls()});
  EXPECT_EQ(mapped.has_value(), read.has_value());
  if (!mapped || !read) {
    EXPECT_EQ(mapped.error().ToString(), read.error().ToString());
    EXPECT_EQ(MessageFlaw(mapped.error().ToString()), "");
    EXPECT_TRUE(mapped.error().code == ErrorCode::kCorruptFile || mapped.error().code == ErrorCode::kUnsupported);
    return mapped.error().ToString();
  }
  EXPECT_EQ(AllBytes(*mapped), AllBytes(*read));
  return {};
}

TEST(GgufRandom, G03TruncatedAtEveryByte) {
  const RawImage image = RawBaseModel().Image();
  const size_t data = image.at.at("data");
  ASSERT_TRUE(OpenBoth(image.bytes).empty());
  const auto expect_refused = [&](size_t n) {
    const std::string message = OpenBoth(std::string_view(image.bytes).substr(0, n));
    EXPECT_NE(message.find(n == 0 ? "empty" : "truncated"), std::string::npos) << n << " bytes: " << message;
  };
  for (size_t n = 0; n < data + 1000; ++n) expect_refused(n);
  // From here on one check decides, the same for every length.
  for (size_t n = data + 1000; n < image.bytes.size(); n += 97) expect_refused(n);
  for (size_t n = image.bytes.size() - 1000; n < image.bytes.size(); ++n) expect_refused(n);
}

TEST(GgufRandom, G61BitFlips) {
  const RawImage image = RawBaseModel().Image();
  std::mt19937_64 random(61);
  int n_refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = image.bytes;
    // Mostly in the header, where something depends on it.
    const size_t end = round % 10 == 0 ? bytes.size() : image.at.at("data");
    const int n_flips = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < n_flips; ++i) bytes[random() % end] ^= static_cast<char>(1 << random() % 8);
    n_refused += !OpenBoth(bytes).empty();
  }
  EXPECT_GT(n_refused, 200);
  EXPECT_LT(n_refused, 1900);  // flips in texts and weights change nothing that a reader can see
}

TEST(GgufRandom, G61Splices) {
  const std::string one = RawBaseModel().Bytes();
  RawGguf raw = RawBaseModel();
  std::reverse(raw.kvs.begin(), raw.kvs.end());
  std::reverse(raw.tensors.begin(), raw.tensors.end());
  const std::string other = raw.Bytes();
  std::mt19937_64 random(62);
  for (int round = 0; round < 2000; ++round) {
    const size_t cut = random() % 9000, from = random() % 9000;
    OpenBoth(one.substr(0, cut) + other.substr(from));
  }
}

}  // namespace
}  // namespace rf
