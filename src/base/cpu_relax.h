// A hint to the processor that this thread spins.
#pragma once

namespace rf {

/// Tens of cycles, in which the other threads of the core have it for themselves.
inline void CpuRelax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // "yield" does nothing on cores with one thread
#endif
}

}  // namespace rf
