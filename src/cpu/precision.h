// How a CPU device rounds what matrix products and attention read. Plain, so that per-ISA sources may include it.
#pragma once

namespace rf::cpu {

enum class Precision {
  kExact,     ///< a row's result has the same bits in any batch; activations have 16 bits or more
  kBFloat16,  ///< many rows at a time in bfloat16 where the instruction set multiplies it fast
};

}  // namespace rf::cpu
