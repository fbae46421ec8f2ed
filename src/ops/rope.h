#pragma once

#include "ops/operands.h"

namespace rf {

/// Which two elements of a head form the pair that is rotated together.
enum class RopePairing : int32_t {
  kAdjacent,  ///< elements 2j and 2j + 1 (GGUF "norm": llama)
  kHalves,    ///< elements j and j + rope_dim / 2 (GGUF "neox": qwen2, qwen3, gemma3, phi3)
};

/// Rotates the first rope_dim elements of every head in place, the others stay:
///   (a, b) -> (a cos - b sin, a sin + b cos) with cos, sin = table[t, 2j], table[t, 2j + 1]
///   x [n_tokens, n_heads * head_dim] F32, in place   table [n_tokens, rope_dim] F32 from RopeTable
/// Keys are rotated with the queries: second [n_tokens, any number of heads * head_dim] F32, in place, optional.
/// Operands: in[0] = table, in[1] = x, in[2] = second, out[0] = x, out[1] = second (the same memory).
struct Rope {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {
    int32_t n_heads = 0;  ///< of x
    int32_t head_dim = 0;
    int32_t rope_dim = 0;  ///< even, <= head_dim
    RopePairing pairing = RopePairing::kAdjacent;
  };
  struct Args {
    TensorView table;
    TensorView x;
    TensorView second;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.in[0], o.out[0], o.out[1], attrs}; }
  static Format Key(const Args& args) { return args.x.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
