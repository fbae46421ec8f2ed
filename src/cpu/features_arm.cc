// See features.h.
#include "cpu/features.h"

#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace rf::cpu {

// Every 64-bit Arm processor has NEON. What it has besides, Linux tells in the auxiliary vector (its
// Documentation/arm64/elf_hwcaps.rst).
Features DetectFeatures() {
  Features features;
  features.neon = true;
#if defined(__linux__)
  features.neon_dotprod = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
  return features;
}

}  // namespace rf::cpu
