// Each kernel file is compiled once for each instruction set (isa.def), with RF_ISA set to its name, and defines its
// op's function here:
//   namespace rf::cpu::RF_ISA { void RegisterGlu(KernelTable& table) { … } }
// Only ISA-safe headers may be included in kernel files: plain structs, internal linkage, no standard templates;
// otherwise the linker could keep the wide copy of an inline function for the whole program (tools/isa_symbols.py
// checks).
#pragma once

#include "cpu/cpu_context.h"
#include "cpu/precision.h"
#include "device/kernel_table.h"

#ifndef RF_ISA
#define RF_ISA generic  // for tools that look at a kernel file outside the build
#endif

namespace rf::cpu::RF_ISA {

#define RF_OP(Name, file) void Register##Name(KernelTable& table);
#include "ops/ops.def"
#undef RF_OP

/// The entries for Precision::kBFloat16 in place of the others; false: this instruction set has none.
bool RegisterMatMulBFloat16(KernelTable& table);
bool RegisterMoeMatMulBFloat16(KernelTable& table);
bool RegisterAttentionBFloat16(KernelTable& table);

}  // namespace rf::cpu::RF_ISA

// "avx2/matmul_q4_1": the name of a kernel as the plan prints it.
#define RF_KERNEL_STRING_INNER(text) #text
#define RF_KERNEL_STRING(text) RF_KERNEL_STRING_INNER(text)
#define RF_KERNEL_NAME(kernel) RF_KERNEL_STRING(RF_ISA) "/" kernel
