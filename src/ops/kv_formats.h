// The formats of the KV cache, from kv_formats.def.
#pragma once

#include "quant/format.h"

namespace rf {

/// The default first.
inline constexpr Format kKvFormats[] = {
#define RF_KV_FORMAT(Name, header) Format::k##Name,
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
};

constexpr bool IsKvFormat(Format format) {
  for (const Format known : kKvFormats) {
    if (known == format) return true;
  }
  return false;
}

}  // namespace rf
