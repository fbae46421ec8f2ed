// The ops' references as kernels: the instruction set "reference", on which whole models run to be compared with.
#pragma once

#include "device/kernel_table.h"

namespace rf::cpu {

/// Enters Op::Reference for every op and every format that can be unpacked.
void FillReferenceKernels(KernelTable& table);

}  // namespace rf::cpu
