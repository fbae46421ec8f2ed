// rf_unpack_tensors FILE: writes every tensor of a GGUF file to standard output, unpacked: a line
// "name<TAB>format<TAB>elements", then the values as F32. For tests/e2e/unpack_test.py; not installed.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "gguf/reader.h"

namespace rf {
namespace {

constexpr int64_t kChunkElements = 1 << 20;  // a multiple of every block

bool WriteValues(const GgufFile& file, size_t index) {
  const GgufTensor& tensor = file.tensors()[index];
  const FormatInfo& info = GetFormatInfo(tensor.format);
  std::vector<std::byte> blocks;
  std::vector<float> values;
  for (int64_t begin = 0; begin < tensor.n_elements; begin += kChunkElements) {
    const int64_t n = std::min(kChunkElements, tensor.n_elements - begin);
    blocks.resize(static_cast<size_t>(RowBytes(info, n)));
    values.resize(static_cast<size_t>(n));
    if (!file.ReadTensorRange(index, static_cast<uint64_t>(RowBytes(info, begin)), blocks)) return false;
    info.unpack(blocks.data(), n, values.data());
    if (fwrite(values.data(), sizeof(float), values.size(), stdout) != values.size()) return false;
  }
  return true;
}

int Run(const char* path) {
  auto file = GgufFile::Open(path);
  if (!file) {
    fprintf(stderr, "%s\n", file.error().message.c_str());
    return 1;
  }
  for (size_t i = 0; i < file->tensors().size(); ++i) {
    const GgufTensor& tensor = file->tensors()[i];
    printf("%s\t%s\t%lld\n", tensor.name.c_str(), std::string(GetFormatInfo(tensor.format).name).c_str(),
           static_cast<long long>(tensor.n_elements));
    if (!WriteValues(*file, i)) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace rf

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: rf_unpack_tensors FILE\n");
    return 2;
  }
  return rf::Run(argv[1]);
}
