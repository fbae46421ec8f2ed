// The closed list of tensor element formats and what everyone needs to know about each. Plain declarations only, so
// that per-ISA kernel sources may include this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rf {

/// How the elements of a tensor are stored. The order is that of formats.def and carries no meaning; files use ggml
/// ids.
enum class Format : uint8_t {
#define RF_FORMAT(Name, ...) k##Name,
#include "quant/formats.def"
#undef RF_FORMAT
};

inline constexpr int kNumFormats = 0
#define RF_FORMAT(...) +1
#include "quant/formats.def"
#undef RF_FORMAT
    ;

/// Unpacks n_elements (a multiple of the block's elements) from `blocks` to F32, bit-exact to the published layout
/// (docs/quant/). Exact but for F64, I32 and I64, which are rounded to the nearest F32. Any bytes are valid blocks.
using UnpackRowFn = void (*)(const void* blocks, int64_t n_elements, float* out);
/// Packs n_elements F32 values (a multiple of the block's elements) into `blocks`, as ggml's reference does. Meant for
/// finite values; docs/quant/README.md says what others become.
using PackRowFn = void (*)(const float* values, int64_t n_elements, void* blocks);

struct FormatInfo {
  Format format;
  std::string_view name;  ///< the field's name in upper case: "Q4_K", "F16", "IQ2_XXS"
  int ggml_id;            ///< the type id in GGUF files; -1 for formats that GGUF has no id for
  int block_elements;     ///< elements in one block; rows are a multiple of it; 1 for plain types
  int block_bytes;        ///< bytes of one block
  UnpackRowFn unpack;     ///< never null
  PackRowFn pack;         ///< null where this build cannot write the format
};

/// Facts about a format. Never fails.
const FormatInfo& GetFormatInfo(Format format);

/// Looks up a format by GGUF type id or by name (case-insensitive); null if there is none.
const FormatInfo* FindFormatByGgmlId(uint32_t ggml_id);
const FormatInfo* FindFormatByName(std::string_view name);

/// Bytes of a row of n_elements. REQUIRES: n_elements is a multiple of the block's elements and the result fits.
inline int64_t RowBytes(const FormatInfo& info, int64_t n_elements) {
  return n_elements / info.block_elements * info.block_bytes;
}

}  // namespace rf
