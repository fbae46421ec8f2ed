// Runs a function with the widest vector instructions that the machine has.
#pragma once

namespace rf {

#if defined(__x86_64__)
/// Without FMA, so that it rounds as any other machine does.
template <auto function, typename... Args>
[[gnu::target("avx2")]] auto WithAvx2(Args... args) {
  return function(args...);
}
#endif

/// function(args...), compiled for them. `function` must be [[gnu::always_inline]] with all that it calls in loops.
template <auto function, typename... Args>
auto WithWidestVectors(Args... args) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) return WithAvx2<function>(args...);
#endif
  return function(args...);
}

}  // namespace rf
