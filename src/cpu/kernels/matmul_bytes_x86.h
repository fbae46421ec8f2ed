// What AVX2 and AVX-512 do alike with bytes as weights: 32 at a time. See matmul_bytes.h for what each function does.
#pragma once

#include <immintrin.h>

#include "cpu/kernels/matmul_lanes.h"

namespace rf::cpu {
namespace {

/// An activation is 256 * upper + lower, the lower byte without a sign.
inline void StoreQuads(const int32_t* q, uint8_t* out) {
  for (int i = 0; i < 32; ++i) {
    out[i] = static_cast<uint8_t>(q[i] >> 8);
    out[32 + i] = static_cast<uint8_t>(q[i]);
  }
}

RF_LANES_INLINE __m256i Join(const uint64_t (&words)[4]) {
  return _mm256_set_epi64x(static_cast<int64_t>(words[3]), static_cast<int64_t>(words[2]),
                           static_cast<int64_t>(words[1]), static_cast<int64_t>(words[0]));
}
RF_LANES_INLINE __m256i Join(const uint32_t (&words)[8]) {
  const auto word = [&](int i) { return static_cast<int32_t>(words[i]); };
  return _mm256_set_epi32(word(7), word(6), word(5), word(4), word(3), word(2), word(1), word(0));
}
RF_LANES_INLINE void StoreBytes(__m256i bytes, uint8_t* out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
}
RF_LANES_INLINE void StoreUnbiased(__m256i bytes, uint8_t* out) {
  StoreBytes(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), out);
}

}  // namespace
}  // namespace rf::cpu
