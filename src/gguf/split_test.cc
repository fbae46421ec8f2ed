// Models of several files. G55 is the row of the acceptance catalogue.
#include <gtest/gtest.h>

#include <filesystem>

#include "gguf/reader.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/raw_gguf.h"
#include "gguf/test_util/refusal.h"
#include "gguf/test_util/temp_folder.h"

namespace rf {
namespace {

std::string Number(uint64_t value, size_t bytes) {
  return std::string(reinterpret_cast<const char*>(&value), bytes);
}

void SetSplit(RawGguf& raw, uint16_t number, uint16_t count, std::optional<uint32_t> n_tensors) {
  raw.kvs.push_back({"split.no", 2, Number(number, 2)});
  raw.kvs.push_back({"split.count", 2, Number(count, 2)});
  if (n_tensors) raw.kvs.push_back({"split.tensors.count", 5, Number(*n_tensors, 4)});
}

// The base model as three files: all metadata in the first, 0, 8 and 12 tensors.
std::vector<RawGguf> ThreeFiles() {
  const RawGguf base = RawBaseModel();
  std::vector<RawGguf> files(3);
  files[0].kvs = base.kvs;
  files[1].tensors.assign(base.tensors.begin(), base.tensors.begin() + 8);
  files[2].tensors.assign(base.tensors.begin() + 8, base.tensors.end());
  for (uint16_t i = 0; i < 3; ++i) SetSplit(files[i], i, 3, 20);
  return files;
}

std::string Name(size_t i, const std::string& stem = "m", size_t count = 3) {
  return stem + "-0000" + std::to_string(i + 1) + "-of-0000" + std::to_string(count) + ".gguf";
}

class GgufSplit : public testing::Test {
 protected:
  void Write(const std::vector<RawGguf>& files) {
    for (size_t i = 0; i < files.size(); ++i) folder_.Put(Name(i), files[i].Bytes());
  }
  std::string First() const { return folder_.Path(Name(0)); }
  // Writes the three files with one change and expects the refusal.
  void ExpectRefusedAfter(const std::function<void(std::vector<RawGguf>&)>& change,
                          const std::vector<std::string>& parts) {
    std::vector<RawGguf> files = ThreeFiles();
    change(files);
    Write(files);
    ExpectRefused(First(), parts);
  }
  TempFolder folder_;
};

TEST_F(GgufSplit, ThreeFilesAreOneModel) {
  Write(ThreeFiles());
  const RawGguf base = RawBaseModel();
  for (const bool use_mmap : {true, false}) {
    const auto file = GgufFile::Open(First(), {.use_mmap = use_mmap});
    ASSERT_TRUE(file.has_value()) << file.error().ToString();
    ASSERT_EQ(file->tensors().size(), 20u);
    EXPECT_EQ(file->shards().size(), 3u);
    EXPECT_EQ(file->is_mapped(), use_mmap);
    EXPECT_EQ(*file->metadata().GetString("general.architecture"), "llama");
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(file->tensors()[i].name, base.tensors[i].name);
      EXPECT_EQ(file->tensors()[i].shard, i < 8 ? 1 : 2);
      std::string bytes(file->tensors()[i].n_bytes, '\0');
      ASSERT_TRUE(file->ReadTensor(i, std::as_writable_bytes(std::span(bytes))).has_value());
      EXPECT_EQ(bytes, base.tensors[i].data);
      if (!use_mmap) continue;
      const auto mapped = file->TensorBytes(i);
      ASSERT_TRUE(mapped.has_value());
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped->data()), mapped->size()), bytes);
    }
  }
}

TEST_F(GgufSplit, ACountOfOneNeedsNoNamePattern) {
  RawGguf raw = RawBaseModel();
  SetSplit(raw, 0, 1, 20);
  ExpectAccepted(raw.Bytes());
}

TEST_F(GgufSplit, G55MissingFile) {
  Write(ThreeFiles());
  std::filesystem::remove(folder_.Path(Name(2)));
  ExpectRefused(First(), {"file 3 of 3", Name(2), "No such file"});
  std::filesystem::remove(folder_.Path(Name(1)));
  ExpectRefused(First(), {"file 2 of 3", Name(1), "No such file"});
}

TEST_F(GgufSplit, G55FolderInPlaceOfAFile) {
  Write(ThreeFiles());
  std::filesystem::remove(folder_.Path(Name(1)));
  std::filesystem::create_directory(folder_.Path(Name(1)));
  ExpectRefused(First(), {Name(1), "is a folder"});
}

TEST_F(GgufSplit, G55BadNumbers) {
  const auto first_only = [](uint16_t number, uint16_t count) {
    RawGguf raw = RawBaseModel();
    SetSplit(raw, number, count, {});
    return raw.Bytes();
  };
  ExpectRefusedBytes(first_only(5, 3), {"split.no is 5, must be below split.count 3"});
  ExpectRefusedBytes(first_only(0, 0), {"split.count is 0"});
  ExpectRefusedBytes(first_only(0, 65'535), {"split.count 65535 is over the limit of 512"});
  ExpectRefusedBytes(first_only(0, 513), {"split.count 513 is over the limit of 512"});
  ExpectRefusedBytes(first_only(1, 3), {"this is file 2 of 3", "-00001-of-00003.gguf"});
  RawGguf raw = RawBaseModel();
  raw.kvs.push_back({"split.count", 8, Number(1, 8) + "3"});
  ExpectRefusedBytes(raw.Bytes(), {"key 'split.count' must be u64, is string"});
}

TEST_F(GgufSplit, G55WrongNamePattern) {
  const auto files = ThreeFiles();
  for (const char* name :
       {"m.gguf", "m-00002-of-00003.gguf", "m-00001-of-00004.gguf", "m-1-of-3.gguf", "m-00001-of-00003.gguf.bak"})
    ExpectRefused(folder_.Put(name, files[0].Bytes()),
                  {"split.count is 3", "the file's name does not end in '-00001-of-00003.gguf'"});
}

TEST_F(GgufSplit, G55DotsInTheNameStayInTheFolder) {
  const auto files = ThreeFiles();
  std::filesystem::create_directory(folder_.Path("a"));
  for (size_t i = 0; i < 3; ++i) folder_.Put(Name(i, "a/.."), files[i].Bytes());
  EXPECT_TRUE(GgufFile::Open(folder_.Path("a/../a/" + Name(0, ".."))).has_value());
}

TEST_F(GgufSplit, G55FilesOfAnotherModel) {
  ExpectRefusedAfter(
      [](auto& files) {
        std::string name;
        PutRawString(name, "qwen2");
        files[1].kvs.push_back({"general.architecture", 8, name});
      },
      {Name(1), "general.architecture is 'qwen2', the first file has 'llama'"});
  ExpectRefusedAfter([](auto& files) { files[2].kvs[0].value = Number(1, 2); }, {Name(2), "split.no is 1, must be 2"});
  ExpectRefusedAfter([](auto& files) { files[2].kvs[1].value = Number(4, 2); },
                     {Name(2), "split.count is 4, the first file has 3"});
  ExpectRefusedAfter([](auto& files) { files[2].kvs.clear(); }, {Name(2), "missing key 'split.no'"});
  ExpectRefusedAfter([](auto& files) { files[0].kvs.back().value = Number(21, 4); },
                     {"split.tensors.count is 21, the files have 20"});
}

TEST_F(GgufSplit, G55SameTensorTwice) {
  ExpectRefusedAfter([](auto& files) { files[2].tensors[3].name = files[1].tensors[2].name; },
                     {"duplicate tensor name 'blk.0.attn_q.weight' (#2 and #11)", "00003-of-00003"});
}

TEST_F(GgufSplit, G55DamagedFile) {
  Write(ThreeFiles());
  folder_.Put(Name(1), "");
  ExpectRefused(First(), {"file 2 of 3", "file is empty"});
}

}  // namespace
}  // namespace rf
