// What the products of codebook formats need beside the 16 lanes of matmul_lanes.h. Their weights are signed bytes,
// four to a lane ("word"), and Ints holds 32 weights of two rows: the first row's in its lower eight lanes.
//   StoreQuads(q, out): 32 activations of 16 bits as LoadQuads takes them, 64 bytes.
//   QuadProducts(w, x): of each lane the sum of its four weights times their activations; exact, |w| <= kLargestByte.
//   AddNeighbours(a, b): for each four lanes a0 + a1, a2 + a3, b0 + b1, b2 + b3.
//   FirstHalves(a, b), SecondHalves(a, b): the first or the second four lanes of each eight, a's before b's.
//   Transpose(v): for each four lanes of four Ints, lane j of v[i] and lane i of v[j] change places.
//   SignedBytePair(word, odd): bytes 0 and 2, or 1 and 3, of each lane as a pair of 16-bit integers.
//   Join(words): 32 bytes, the first word's lowest byte first.
//   StoreSigned(bytes, signs, out): negates byte i where bit i of signs is set. REQUIRES: bytes of 1..127.
//   StoreUnbiased(bytes, out): subtracts 128 from each.
#pragma once

#include "cpu/kernels/matmul_lanes.h"

namespace rf::cpu {
namespace {

/// Two products of a weight and an unsigned byte fit into 16 bits.
inline constexpr int kLargestByte = 64;

/// Of 32 activations.
inline constexpr int kQuadsBytes = 64;

}  // namespace
}  // namespace rf::cpu

#if defined(__AVX512F__) && defined(__AVX512BW__)
#include "cpu/kernels/matmul_bytes_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "cpu/kernels/matmul_bytes_avx2.h"
#elif defined(RF_NEON)
#include "cpu/kernels/matmul_bytes_neon.h"
#else
#include "cpu/kernels/matmul_bytes_generic.h"
#endif
