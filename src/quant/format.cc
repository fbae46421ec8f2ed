#include "quant/format.h"

#include <strings.h>

#include <string>

#include "quant/all_formats.h"

namespace rf {
namespace {

template <class Block>
void UnpackRow(const void* blocks, int64_t n_elements, float* out) {
  const auto* block = static_cast<const Block*>(blocks);
  for (int64_t i = 0; i < n_elements; i += Block::kElements) Unpack(*block++, out + i);
}

template <class Block>
void PackRow(const float* values, int64_t n_elements, void* blocks) {
  auto* block = static_cast<Block*>(blocks);
  for (int64_t i = 0; i < n_elements; i += Block::kElements) Pack(values + i, block++);
}

template <class Block>
concept CanPack = requires(const float* values, Block* block) {
  Pack(values, block);
};

template <class Block>
constexpr PackRowFn PackerOf() {
  if constexpr (CanPack<Block>) return PackRow<Block>;
  return nullptr;
}

template <class Block>
constexpr FormatInfo Describe(Format format, std::string_view name, int id) {
  return {format, name, id, Block::kElements, sizeof(Block), UnpackRow<Block>, PackerOf<Block>()};
}

constexpr FormatInfo kInfos[] = {
#define RF_FORMAT(Name, name, ggml_id, header) Describe<Block##Name>(Format::k##Name, name, ggml_id),
#include "quant/formats.def"
#undef RF_FORMAT
};

}  // namespace

const FormatInfo& GetFormatInfo(Format format) {
  return kInfos[static_cast<int>(format)];
}

const FormatInfo* FindFormatByGgmlId(uint32_t ggml_id) {
  for (const FormatInfo& info : kInfos) {
    if (info.ggml_id >= 0 && static_cast<uint32_t>(info.ggml_id) == ggml_id) return &info;
  }
  return nullptr;
}

const FormatInfo* FindFormatByName(std::string_view name) {
  const std::string wanted(name);
  for (const FormatInfo& info : kInfos) {
    if (strcasecmp(wanted.c_str(), std::string(info.name).c_str()) == 0) return &info;
  }
  return nullptr;
}

}  // namespace rf
