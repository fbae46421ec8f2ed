// All kernels of one instruction set.
#include "cpu/kernels/register.h"

namespace rf::cpu::RF_ISA {

void RegisterKernels(KernelTable& table) {
#define RF_OP(Name, file) Register##Name(table);
#include "ops/ops.def"
#undef RF_OP
}

bool RegisterBFloat16Kernels(KernelTable& table) {
  return RegisterMatMulBFloat16(table) && RegisterMoeMatMulBFloat16(table) && RegisterAttentionBFloat16(table);
}

}  // namespace rf::cpu::RF_ISA
