#include "gguf/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/checked_math.h"
#include "base/utf8.h"
#include "gguf/message.h"

namespace rf {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";

struct Counts {
  uint32_t version = 0;
  uint64_t n_tensors = 0;
  uint64_t n_kv = 0;
};

Status CheckMagic(ByteReader& in, const File& file) {
  if (file.size() == 0) return in.Corrupt("file is empty");
  char start[4] = {};
  const size_t n = static_cast<size_t>(std::min<uint64_t>(sizeof(start), file.size()));
  RF_RETURN_IF_ERROR(in.Read(start, n, "magic"));
  if (std::string_view(start, n) != kMagic.substr(0, n))
    return in.CorruptAtByte(0, fmt::format("not a GGUF file: begins with '{}' instead of 'GGUF'",
                                           EscapeForMessage(std::string_view(start, n))));
  if (file.size() < kGgufHeaderBytes)
    return in.Corrupt(fmt::format("truncated header: {} of {} bytes", file.size(), kGgufHeaderBytes));
  return {};
}

Status CheckVersion(const ByteReader& in, uint32_t version) {
  if (version == 2 || version == 3) return {};
  Error error = in.CorruptAtByte(4, fmt::format("version {} not supported (2-3)", version));
  // A version in the upper half only is one with its bytes the other way round.
  if (version != 0 && (version & 0xffff) == 0)
    error.message = fmt::format("big-endian file (version {} byte-swapped) is not supported, only little-endian",
                                __builtin_bswap32(version));
  error.code = ErrorCode::kUnsupported;
  return error;
}

Result<Counts> ParseCounts(ByteReader& in, const GgufLimits& limits) {
  Counts counts;
  RF_ASSIGN_OR_RETURN(counts.version, in.ReadNumber<uint32_t>("version"));
  RF_RETURN_IF_ERROR(CheckVersion(in, counts.version));
  RF_ASSIGN_OR_RETURN(counts.n_tensors, in.ReadNumber<uint64_t>("n_tensors"));
  RF_ASSIGN_OR_RETURN(counts.n_kv, in.ReadNumber<uint64_t>("n_kv"));
  RF_RETURN_IF_ERROR(in.CheckCount(counts.n_tensors, kGgufMinTensorBytes, "n_tensors",
                                   fmt::format("n_tensors {} at byte 8", counts.n_tensors)));
  RF_RETURN_IF_ERROR(
      in.CheckCount(counts.n_kv, kGgufMinKvBytes, "n_kv", fmt::format("n_kv {} at byte 16", counts.n_kv)));
  if (counts.n_tensors > limits.n_tensors)
    return in.CorruptAtByte(8, fmt::format("n_tensors {} is over the limit of {}", counts.n_tensors, limits.n_tensors));
  if (counts.n_kv > limits.n_kv)
    return in.CorruptAtByte(16, fmt::format("n_kv {} is over the limit of {}", counts.n_kv, limits.n_kv));
  return counts;
}

Result<uint64_t> Alignment(const GgufMetadata& metadata, const GgufLimits& limits) {
  const GgufValue* value = metadata.Find(kAlignmentKey);
  if (!value) return kGgufDefaultAlignment;
  if (value->type() != GgufType::kU32) return metadata.WrongType(kAlignmentKey, "u32");
  const uint64_t alignment = *value->AsU64();
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > limits.alignment)
    return metadata.ErrorAt(kAlignmentKey, fmt::format("key '{}' is {}, must be a power of two from 1 to {}",
                                                       kAlignmentKey, alignment, limits.alignment));
  return alignment;
}

}  // namespace

Result<GgufHeader> ParseGguf(const File& file, const std::string& source, const GgufLimits& limits) {
  ByteReader in(file, source, limits.metadata_bytes);
  RF_RETURN_IF_ERROR(CheckMagic(in, file));
  RF_ASSIGN_OR_RETURN(const Counts counts, ParseCounts(in, limits));
  GgufHeader header;
  header.metadata.set_source(source);
  for (uint64_t i = 0; i < counts.n_kv; ++i) RF_RETURN_IF_ERROR(ParseKeyValue(in, i, limits, header.metadata));
  RF_ASSIGN_OR_RETURN(header.shard.alignment, Alignment(header.metadata, limits));

  in.set_place(ReadPlace{});
  RF_RETURN_IF_ERROR(in.CheckCount(counts.n_tensors, kGgufMinTensorBytes, "n_tensors",
                                   fmt::format("n_tensors {} at byte 8", counts.n_tensors)));
  header.tensors.reserve(counts.n_tensors);
  for (uint64_t i = 0; i < counts.n_tensors; ++i) {
    RF_ASSIGN_OR_RETURN(GgufTensor tensor, ParseTensorInfo(in, i, header.shard.alignment, limits));
    header.tensors.push_back(std::move(tensor));
  }
  header.shard.path = file.path();
  header.shard.file_bytes = file.size();
  header.shard.version = counts.version;
  const auto data_offset = CheckedAlignUp(in.position(), header.shard.alignment);
  if (!data_offset) return in.Corrupt("the offset of the tensor data overflows");
  header.shard.data_offset = *data_offset;
  RF_RETURN_IF_ERROR(PlaceTensors(source, header));
  return header;
}

}  // namespace rf
