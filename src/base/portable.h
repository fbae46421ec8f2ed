// Markers for code that several compilers and instruction sets share. Safe to include anywhere, also in GPU kernels.
#pragma once

// A function that host code, per-ISA kernel sources and GPU kernels compile from the same header. It has internal
// linkage on purpose: were it an ordinary inline function, the linker would keep one copy for the whole program, and
// that copy might be the one compiled for AVX-512.
// CUDA's host pass has no use for them, and would not let them read the tables below.
#if defined(__CUDACC__)
#define RF_SHARED_INLINE [[maybe_unused]] __device__ static inline
#elif defined(__HIPCC__)
#define RF_SHARED_INLINE [[maybe_unused]] __host__ __device__ static inline
#else
#define RF_SHARED_INLINE [[maybe_unused]] static inline
#endif

// A constant table that the same code reads: a copy for each source, for the same reason.
#if defined(__CUDACC__)
#define RF_SHARED_TABLE [[maybe_unused]] __device__ static constexpr
#else
#define RF_SHARED_TABLE [[maybe_unused]] static constexpr
#endif
