// Little-endian numbers at any address, as blocks hold them.
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

RF_SHARED_INLINE uint32_t LoadU16(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8;
}

RF_SHARED_INLINE uint32_t LoadU32(const uint8_t* bytes) {
  return LoadU16(bytes) | LoadU16(bytes + 2) << 16;
}

}  // namespace rf
