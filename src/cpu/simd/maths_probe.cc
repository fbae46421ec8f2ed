// Compiled once for each instruction set, as kernels are; RF_ISA is its namespace.
#include "cpu/simd/maths_probe.h"
#include "cpu/simd/maths.h"

namespace rf::cpu {
namespace {

template <Vec (*kFunction)(Vec)>
void Apply(const float* x, float* y, int64_t n) {
  ForEachVec(n, [&](int64_t i, int64_t count) { StoreUpTo(y + i, kFunction(LoadUpTo(x + i, count)), count); });
}

}  // namespace

namespace RF_ISA {

MathsProbe Maths() {
  return {Apply<Exp>, Apply<Silu>, Apply<GeluTanh>, Apply<Tanh>};
}

}  // namespace RF_ISA
}  // namespace rf::cpu
