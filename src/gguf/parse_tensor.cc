#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/checked_math.h"
#include "base/utf8.h"
#include "gguf/message.h"
#include "gguf/parse.h"

namespace rf {
namespace {

Result<std::string> ParseTensorName(ByteReader& in, uint64_t index, const GgufLimits& limits) {
  const uint64_t begin = in.position();
  RF_ASSIGN_OR_RETURN(const uint64_t length, in.ReadNumber<uint64_t>("name length"));
  if (length == 0) return in.CorruptAtByte(begin, fmt::format("tensor #{} has an empty name", index));
  if (length > limits.tensor_name_bytes)
    return in.CorruptAtByte(
        begin, fmt::format("tensor #{} has a name of {} bytes (max {})", index, length, limits.tensor_name_bytes));
  std::string name(length, '\0');
  RF_RETURN_IF_ERROR(in.Read(name.data(), length, "name"));
  if (name.find('\0') != std::string::npos || !IsValidUtf8(name))
    return in.CorruptAtByte(
        begin, fmt::format("name of tensor #{} '{}' has a NUL byte or invalid UTF-8", index, NameForMessage(name)));
  return name;
}

// Reads the dimensions, which the file has innermost first, and sets shape and n_elements.
Status ParseShape(ByteReader& in, const GgufLimits& limits, GgufTensor& tensor) {
  const uint64_t begin = in.position();
  const std::string name = NameForMessage(tensor.name);
  RF_ASSIGN_OR_RETURN(const uint32_t n_dims, in.ReadNumber<uint32_t>("n_dims"));
  if (n_dims == 0)
    return in.CorruptAtByte(begin, fmt::format("tensor '{}' has 0 dimensions (min 1, max {})", name, kGgufMaxDims));
  if (n_dims > kGgufMaxDims)
    return in.CorruptAtByte(begin, fmt::format("tensor '{}' has {} dimensions (max {})", name, n_dims, kGgufMaxDims));
  tensor.shape.resize(n_dims);
  int64_t n_elements = 1;
  for (uint32_t i = 0; i < n_dims; ++i) {
    const uint64_t dim_begin = in.position();
    RF_ASSIGN_OR_RETURN(const uint64_t dim, in.ReadNumber<uint64_t>("dimension"));
    const auto corrupt = [&](std::string_view why) {
      return in.CorruptAtByte(
          dim_begin, fmt::format("size of tensor '{}' overflows: dimension {} is {}{}", name, i, AsSigned(dim), why));
    };
    if (AsSigned(dim) < 0) return corrupt(", negative");
    if (dim == 0) return in.CorruptAtByte(dim_begin, fmt::format("tensor '{}' has dimension {} of 0 (min 1)", name, i));
    if (dim > limits.dim) return corrupt(fmt::format(", over the limit of {}", limits.dim));
    const auto product = CheckedMul(n_elements, AsSigned(dim));
    if (!product) return corrupt(fmt::format(" and follows {} elements", n_elements));
    n_elements = *product;
    tensor.shape[n_dims - 1 - i] = AsSigned(dim);
  }
  tensor.n_elements = n_elements;
  return {};
}

// Reads the type and sets format and n_bytes.
Status ParseFormat(ByteReader& in, GgufTensor& tensor) {
  const uint64_t begin = in.position();
  const std::string name = NameForMessage(tensor.name);
  RF_ASSIGN_OR_RETURN(const uint32_t type_id, in.ReadNumber<uint32_t>("type"));
  // Formats that have no id of their own carry -1, which no file may name.
  const FormatInfo* info = type_id <= INT32_MAX ? FindFormatByGgmlId(type_id) : nullptr;
  if (!info) return in.CorruptAtByte(begin, fmt::format("tensor '{}' has unknown type id {}", name, type_id));
  const int64_t row = tensor.shape.back();
  if (row % info->block_elements != 0)
    return in.CorruptAtByte(begin, fmt::format("tensor '{}' of type {}: row of {} is not a multiple of block {}", name,
                                               info->name, row, info->block_elements));
  const auto n_bytes = CheckedMul<int64_t>(tensor.n_elements / info->block_elements, info->block_bytes);
  if (!n_bytes)
    return in.CorruptAtByte(begin, fmt::format("size of tensor '{}' overflows: {} elements of type {}", name,
                                               tensor.n_elements, info->name));
  tensor.format = info->format;
  tensor.n_bytes = static_cast<uint64_t>(*n_bytes);
  return {};
}

Status PlaceTensor(const std::string& source, const GgufShard& shard, GgufTensor& tensor) {
  const auto begin = CheckedAdd(shard.data_offset, tensor.file_offset);
  const auto end = begin ? CheckedAdd(*begin, tensor.n_bytes) : std::nullopt;
  if (!end || *end > shard.file_bytes)
    return CorruptAt(source, tensor.info_offset,
                     fmt::format("truncated at data of tensor '{}': offset {} + size {} after byte {} is past the file "
                                 "size of {}",
                                 NameForMessage(tensor.name, 48), tensor.file_offset, tensor.n_bytes, shard.data_offset,
                                 shard.file_bytes));
  tensor.file_offset = *begin;
  return {};
}

}  // namespace

Result<GgufTensor> ParseTensorInfo(ByteReader& in, uint64_t index, uint64_t alignment, const GgufLimits& limits) {
  GgufTensor tensor;
  tensor.info_offset = in.position();
  const auto place_index = static_cast<int64_t>(index);
  in.set_place(ReadPlace{"tensor", place_index, {}});
  RF_ASSIGN_OR_RETURN(tensor.name, ParseTensorName(in, index, limits));
  const std::string name = tensor.name;  // the reader's place must not point into what is moved out of here
  in.set_place(ReadPlace{"tensor", place_index, name});
  RF_RETURN_IF_ERROR(ParseShape(in, limits, tensor));
  RF_RETURN_IF_ERROR(ParseFormat(in, tensor));
  const uint64_t begin = in.position();
  RF_ASSIGN_OR_RETURN(tensor.file_offset, in.ReadNumber<uint64_t>("offset"));
  if (tensor.file_offset % alignment != 0)
    return in.CorruptAtByte(begin, fmt::format("tensor '{}': offset {} is not aligned to {}", NameForMessage(name),
                                               tensor.file_offset, alignment));
  in.set_place(ReadPlace{});
  return tensor;
}

Status PlaceTensors(const std::string& source, GgufHeader& header) {
  const GgufShard& shard = header.shard;
  std::vector<GgufTensor>& tensors = header.tensors;
  for (GgufTensor& tensor : tensors) RF_RETURN_IF_ERROR(PlaceTensor(source, shard, tensor));

  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(tensors[a].file_offset, a) < std::pair(tensors[b].file_offset, b);
  });
  uint64_t end = shard.data_offset;  // of the tensors before, with their padding
  uint64_t unused = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const GgufTensor& tensor = tensors[order[i]];
    if (tensor.file_offset < end) {
      const GgufTensor& before = tensors[order[i - 1]];
      return CorruptAt(source, tensor.info_offset,
                       fmt::format("tensors '{}' and '{}' overlap: {} bytes at byte {}, {} bytes at byte {}",
                                   NameForMessage(before.name, 32), NameForMessage(tensor.name, 32), before.n_bytes,
                                   before.file_offset, tensor.n_bytes, tensor.file_offset));
    }
    unused += tensor.file_offset - end;
    const auto padded = CheckedAlignUp(tensor.file_offset + tensor.n_bytes, shard.alignment);
    RF_CHECK(padded.has_value());  // the tensor lies inside the file
    end = *padded;
  }
  if (unused > 0) header.warnings.push_back(fmt::format("{}: {} bytes between tensors belong to none", source, unused));
  if (shard.file_bytes > end)
    header.warnings.push_back(
        fmt::format("{}: {} bytes after the last tensor are ignored", source, shard.file_bytes - end));
  return {};
}

}  // namespace rf
