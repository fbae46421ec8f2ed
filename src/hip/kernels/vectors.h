// Sixteen bytes, which a lane loads and stores at once.
#pragma once

#include <cstdint>

namespace rf::hip {

struct alignas(16) Float4 {
  float x;
  float y;
  float z;
  float w;
};

struct alignas(16) Int4 {
  int32_t x;
  int32_t y;
  int32_t z;
  int32_t w;
};

}  // namespace rf::hip
