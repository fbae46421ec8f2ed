// Any bytes as a GGUF file: mapped and read they must give the same model or the same error, and what is accepted must
// survive being written and read again. After the marker below, the bytes are the second file of a split model.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/reader.h"
#include "gguf/test_util/fake_files.h"
#include "gguf/test_util/message_check.h"
#include "gguf/writer.h"

namespace rf {
namespace {

constexpr std::string_view kMarker = "--second file--";
const std::string kFirst = "m-00001-of-00002.gguf";
const std::string kSecond = "m-00002-of-00002.gguf";

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what.c_str());
  std::abort();
}

void RequireGoodMessage(const Error& error) {
  const std::string message = error.ToString();
  Require(MessageFlaw(message).empty(), "message is " + MessageFlaw(message) + ": " + message);
}

// Asks for every key as everything.
void ReadMetadata(const GgufMetadata& metadata) {
  for (const auto& [key, value, offset] : metadata.entries()) {
    const auto check = [](const auto& result) {
      if (!result) RequireGoodMessage(result.error());
    };
    check(metadata.GetU32(key)), check(metadata.GetI64(key)), check(metadata.GetF32(key)), check(metadata.GetBool(key));
    check(metadata.GetString(key)), check(metadata.GetU32Array(key)), check(metadata.GetF32Array(key));
    check(metadata.GetStringArray(key)), check(metadata.FindU64(key));
    for (size_t i = 0; i < std::min<size_t>(value.size(), 10); ++i) value.ElementToString(i);
  }
}

std::vector<std::byte> Copy(const GgufFile& file, size_t i) {
  std::vector<std::byte> bytes(file.tensors()[i].n_bytes);
  Require(file.ReadTensor(i, bytes).has_value(), "an accepted tensor can be read");
  return bytes;
}

void RequireSameTensors(const GgufFile& a, const GgufFile& b) {
  Require(a.tensors().size() == b.tensors().size(), "same number of tensors");
  for (size_t i = 0; i < a.tensors().size(); ++i) {
    const GgufTensor &one = a.tensors()[i], &other = b.tensors()[i];
    Require(one.name == other.name && one.format == other.format && one.shape == other.shape, "same tensor records");
    Require(one.n_bytes == other.n_bytes && a.FindTensor(one.name) == i, "same sizes and names");
    const std::vector<std::byte> bytes = Copy(a, i);
    Require(bytes == Copy(b, i), "same tensor data");
    if (!a.is_mapped()) continue;
    const auto mapped = a.TensorBytes(i);
    Require(mapped && std::equal(bytes.begin(), bytes.end(), mapped->begin(), mapped->end()), "mapping and copy agree");
  }
}

void RequireRoundTrip(const GgufFile& file) {
  if (file.shards().size() != 1 || !file.is_mapped()) return;
  const auto contents = ContentsOf(file);
  Require(contents.has_value(), "contents of an accepted file");
  const auto bytes = SerializeGguf(*contents);
  Require(bytes.has_value(), "an accepted file can be written");
  MemoryFiles files;
  files.Put("again.gguf", {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  const auto again = GgufFile::Open("again.gguf", {.vocab_only_ok = true, .syscalls = &files.syscalls()});
  Require(again.has_value(), "what was written is accepted");
  Require(again->warnings().empty(), "and is tidy");
  RequireSameTensors(file, *again);
  const auto &before = file.metadata().entries(), &after = again->metadata().entries();
  Require(before.size() == after.size(), "same number of keys");
  for (size_t i = 0; i < before.size(); ++i)
    Require(before[i].key == after[i].key && before[i].value == after[i].value, "same keys and values");
}

void Run(std::string_view bytes) {
  MemoryFiles files;
  const size_t marker = bytes.find(kMarker);
  files.Put(kFirst, bytes.substr(0, marker));
  if (marker != std::string_view::npos) files.Put(kSecond, bytes.substr(marker + kMarker.size()));
  GgufOptions options{.vocab_only_ok = true, .syscalls = &files.syscalls()};
  const auto mapped = GgufFile::Open(kFirst, options);
  options.use_mmap = false;
  const auto read = GgufFile::Open(kFirst, options);
  Require(mapped.has_value() == read.has_value(), "mapped and read agree");
  if (!mapped || !read) {
    RequireGoodMessage(mapped.error());
    Require(mapped.error().ToString() == read.error().ToString(), "mapped and read give the same message");
    return;
  }
  ReadMetadata(mapped->metadata());
  RequireSameTensors(*mapped, *read);
  RequireRoundTrip(*mapped);
  if (const Status verified = VerifyTensors(*read); !verified) RequireGoodMessage(verified.error());
}

}  // namespace
}  // namespace rf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rf::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
