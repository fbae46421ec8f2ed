// AMX's tiles as the kernels use them: eight registers of 16 rows of 64 bytes.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace rf::cpu {
namespace {

inline constexpr int kTileRows = 16;
inline constexpr int kTileBytes = 64;  ///< of each of a tile's rows

/// Sets the tiles' shape for this thread, and frees the unit at its end: the system then has less to save.
class MatrixUnit {
 public:
  MatrixUnit() {
    struct alignas(64) Configuration {  // palette 1 of LDTILECFG
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } configuration;
    for (int i = 0; i < 8; ++i) {
      configuration.row_bytes[i] = kTileBytes;
      configuration.rows[i] = kTileRows;
    }
    asm volatile("" ::"r"(&configuration) : "memory");  // GCC's intrinsic says that it reads the first 8 bytes only
    _tile_loadconfig(&configuration);
  }
  ~MatrixUnit() { _tile_release(); }
  MatrixUnit(const MatrixUnit&) = delete;
  MatrixUnit& operator=(const MatrixUnit&) = delete;
};

}  // namespace
}  // namespace rf::cpu
