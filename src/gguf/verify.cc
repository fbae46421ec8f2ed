#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gguf/message.h"
#include "gguf/reader.h"

namespace rf {
namespace {

constexpr int64_t kChunkElements = 1 << 16;  // a multiple of every block

// Index of the first value of the blocks that is not finite in F32, in which kernels compute, or n_elements.
int64_t FirstNotFinite(const FormatInfo& info, const std::byte* blocks, int64_t n_elements,
                       std::vector<float>& values) {
  info.unpack(blocks, n_elements, values.data());
  const auto end = values.begin() + n_elements;
  return std::find_if(values.begin(), end, [](float value) { return !std::isfinite(value); }) - values.begin();
}

Status VerifyTensor(const GgufFile& file, size_t index, std::vector<std::byte>& bytes, std::vector<float>& values) {
  const GgufTensor& tensor = file.tensors()[index];
  const FormatInfo& info = GetFormatInfo(tensor.format);
  for (int64_t begin = 0; begin < tensor.n_elements; begin += kChunkElements) {
    const int64_t n = std::min(kChunkElements, tensor.n_elements - begin);
    const auto chunk = std::span(bytes).first(static_cast<size_t>(RowBytes(info, n)));
    RF_RETURN_IF_ERROR(file.ReadTensorRange(index, static_cast<uint64_t>(RowBytes(info, begin)), chunk));
    const int64_t found = FirstNotFinite(info, chunk.data(), n, values);
    if (found < n)
      return file.TensorError(index, ErrorCode::kCorruptFile,
                              fmt::format("tensor '{}' has a value that is not finite in row {}",
                                          NameForMessage(tensor.name), (begin + found) / tensor.shape.back()));
  }
  return {};
}

}  // namespace

Status VerifyTensors(const GgufFile& file) {
  int64_t n_elements = 0;  // of the largest chunk
  for (const GgufTensor& tensor : file.tensors()) n_elements = std::max(n_elements, tensor.n_elements);
  n_elements = std::min(n_elements, kChunkElements);
  std::vector<std::byte> bytes(static_cast<size_t>(n_elements) * sizeof(double));  // no format has larger elements
  std::vector<float> values(static_cast<size_t>(n_elements));
  for (size_t i = 0; i < file.tensors().size(); ++i) RF_RETURN_IF_ERROR(VerifyTensor(file, i, bytes, values));
  return {};
}

}  // namespace rf
