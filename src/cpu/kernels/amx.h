// RF_HAS_AMX: whether this file is compiled for an instruction set with AMX's tiles and the bfloat16 vectors beside
// them, which all processors have that have the tiles.
#pragma once

// GCC and Clang of today, then Clang 14, do not name the macros alike.
#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AVX512BF16__)
#define RF_HAS_AMX 1
#elif defined(__AMXTILE__) && defined(__AMXBF16__) && defined(__AVX512BF16__)
#define RF_HAS_AMX 1
#else
#define RF_HAS_AMX 0
#endif
