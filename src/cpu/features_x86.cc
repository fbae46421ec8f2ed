// See features.h.
#include "cpu/features.h"

#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace rf::cpu {
namespace {

// Clang 14 does not know the name that GCC's __builtin_cpu_supports has for it.
bool HasF16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

// The dot instructions in AVX2's registers (AVX-VNNI: CPUID leaf 7, sub-leaf 1), which GCC 12 and Clang 14 do not ask
// for by name. A sub-leaf that the processor lacks would answer with another one's bits.
bool HasAvxVnni() {
  constexpr unsigned kAvxVnni = 1u << 4;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || eax < 1) return false;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0;
}

// Whether the processor has AMX's tiles and their bfloat16 products, and conversions to bfloat16, and the system lets
// this process use them: Linux saves the tiles only for processes that ask (arch_prctl(2), ARCH_REQ_XCOMP_PERM;
// since 5.16).
bool HasAmx() {
#if defined(__linux__)
  constexpr unsigned kBFloat16Products = 1u << 22;
  constexpr unsigned kTiles = 1u << 24;
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kTiles) == 0 || (edx & kBFloat16Products) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

// By CPUID; the compiler's run time also asks the operating system whether it saves the wide registers.
Features DetectFeatures() {
  Features features;
  __builtin_cpu_init();
  features.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c();
  features.avx2_vnni = features.avx2 && HasAvxVnni();
  features.avx512 = features.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  features.avx512_vnni = features.avx512 && __builtin_cpu_supports("avx512vnni");
  features.amx = features.avx512_vnni && __builtin_cpu_supports("avx512bf16") && HasAmx();
  return features;
}

}  // namespace rf::cpu
