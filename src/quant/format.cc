#include "quant/format.h"

#include <strings.h>

#include <string>

#include "quant/plain.h"
#include "quant/q4_0.h"
#include "quant/q4_1.h"
#include "quant/q4_k.h"
#include "quant/q5_0.h"
#include "quant/q5_1.h"
#include "quant/q5_k.h"
#include "quant/q6_k.h"
#include "quant/q8_0.h"

namespace rf {
namespace {

template <typename Block>
void UnpackRow(const void* blocks, int64_t n_elements, float* out) {
  const auto* block = static_cast<const Block*>(blocks);
  for (int64_t i = 0; i < n_elements; i += Block::kElements) Unpack(*block++, out + i);
}

template <typename Block>
void PackRow(const float* values, int64_t n_elements, void* blocks) {
  auto* block = static_cast<Block*>(blocks);
  for (int64_t i = 0; i < n_elements; i += Block::kElements) Pack(values + i, block++);
}

// Size only: a format that this build reads but cannot unpack yet.
struct Sizes {
  int elements;
  int bytes;
};

template <typename Block>
constexpr FormatInfo Describe(Format format, std::string_view name, int id, PackRowFn pack = nullptr) {
  return {format, name, id, Block::kElements, sizeof(Block), UnpackRow<Block>, pack};
}

constexpr FormatInfo Describe(Format format, std::string_view name, int id, Sizes sizes) {
  return {format, name, id, sizes.elements, sizes.bytes, nullptr, nullptr};
}

constexpr FormatInfo kInfos[] = {
    Describe<ElementF32>(Format::kF32, "F32", 0, PackRow<ElementF32>),
    Describe<ElementF16>(Format::kF16, "F16", 1, PackRow<ElementF16>),
    Describe<ElementBF16>(Format::kBF16, "BF16", 30, PackRow<ElementBF16>),
    Describe(Format::kF64, "F64", 28, Sizes{1, 8}),
    Describe<ElementI8>(Format::kI8, "I8", 24),
    Describe<ElementI16>(Format::kI16, "I16", 25),
    Describe(Format::kI32, "I32", 26, Sizes{1, 4}),
    Describe(Format::kI64, "I64", 27, Sizes{1, 8}),
    Describe<BlockQ4_0>(Format::kQ4_0, "Q4_0", 2, PackRow<BlockQ4_0>),
    Describe<BlockQ4_1>(Format::kQ4_1, "Q4_1", 3),
    Describe<BlockQ5_0>(Format::kQ5_0, "Q5_0", 6),
    Describe<BlockQ5_1>(Format::kQ5_1, "Q5_1", 7),
    Describe<BlockQ8_0>(Format::kQ8_0, "Q8_0", 8, PackRow<BlockQ8_0>),
    Describe(Format::kQ8_1, "Q8_1", 9, Sizes{32, 36}),
    Describe(Format::kQ2_K, "Q2_K", 10, Sizes{256, 84}),
    Describe(Format::kQ3_K, "Q3_K", 11, Sizes{256, 110}),
    Describe<BlockQ4_K>(Format::kQ4_K, "Q4_K", 12),
    Describe<BlockQ5_K>(Format::kQ5_K, "Q5_K", 13),
    Describe<BlockQ6_K>(Format::kQ6_K, "Q6_K", 14),
    Describe(Format::kQ8_K, "Q8_K", 15, Sizes{256, 292}),
    Describe(Format::kIQ1_S, "IQ1_S", 19, Sizes{256, 50}),
    Describe(Format::kIQ1_M, "IQ1_M", 29, Sizes{256, 56}),
    Describe(Format::kIQ2_XXS, "IQ2_XXS", 16, Sizes{256, 66}),
    Describe(Format::kIQ2_XS, "IQ2_XS", 17, Sizes{256, 74}),
    Describe(Format::kIQ2_S, "IQ2_S", 22, Sizes{256, 82}),
    Describe(Format::kIQ3_XXS, "IQ3_XXS", 18, Sizes{256, 98}),
    Describe(Format::kIQ3_S, "IQ3_S", 21, Sizes{256, 110}),
    Describe(Format::kIQ4_NL, "IQ4_NL", 20, Sizes{32, 18}),
    Describe(Format::kIQ4_XS, "IQ4_XS", 23, Sizes{256, 136}),
    Describe(Format::kTQ1_0, "TQ1_0", 34, Sizes{256, 54}),
    Describe(Format::kTQ2_0, "TQ2_0", 35, Sizes{256, 66}),
    Describe(Format::kMXFP4, "MXFP4", 39, Sizes{32, 17}),
    Describe(Format::kNVFP4, "NVFP4", 40, Sizes{64, 36}),
    Describe(Format::kQ1_0, "Q1_0", 41, Sizes{128, 18}),
    Describe(Format::kQ2_0, "Q2_0", 42, Sizes{64, 18}),
    Describe(Format::kMXFP6_E2M3, "MXFP6_E2M3", -1, Sizes{32, 25}),
    Describe(Format::kMXFP6_E3M2, "MXFP6_E3M2", -1, Sizes{32, 25}),
};
static_assert(sizeof(kInfos) / sizeof(kInfos[0]) == kNumFormats);

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
