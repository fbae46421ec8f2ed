// 16 lanes, one for each row of a weight panel, on whatever instruction set this file is compiled for:
//   Ints: 16 x 32 bits, often seen as 16 pairs of 16-bit integers; Floats: 16 x F32; Table: 16 bytes.
//   AddPairProducts(sum, a, b): sum + a.first * b.first + a.second * b.second, as 16-bit signed pairs; exact.
//   TableLookup(table, index): each byte b of index becomes table[b]; every byte must be < 16.
//   LoadHalfs, LoadUnsigned16, LoadUnsigned8, LoadSigned8: 16 small values widened.
// kTileTokens: rows of activations that one tile of the matrix product holds in registers.
// Everything has internal linkage: the same names are compiled for several instruction sets in one program.
#pragma once

#if defined(__AVX512F__) && defined(__AVX512BW__)
#include "cpu/kernels/matmul_lanes_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "cpu/kernels/matmul_lanes_avx2.h"
#elif defined(RF_NEON)
#include "cpu/kernels/matmul_lanes_neon.h"
#else
#include "cpu/kernels/matmul_lanes_generic.h"
#endif
