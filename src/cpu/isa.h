// Which instruction sets this machine has, and the kernels compiled for each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cpu/kernels/peak.h"
#include "device/kernel_table.h"

namespace rf::cpu {

/// One set of CPU kernels.
struct Isa {
  std::string_view name;             ///< "reference", "generic", "avx2", …
  bool is_supported;                 ///< this machine can run it
  void (*fill)(KernelTable& table);  ///< enters its kernels
  /// Puts the kernels for Precision::kBFloat16 in place of those that differ; false: it has none.
  bool (*fill_bfloat16)(KernelTable& table);
  MultiplyForPeak multiply;  ///< null: there is none
};

/// The reference first, then isa.def's list, weakest first.
std::span<const Isa> AllIsas();

/// The named set, or for "" the one that $ROCMFORGE_CPU_ISA names, or else the strongest that this machine has.
/// Errors: kInvalidArgument for an unknown name, kUnsupported for one that this machine lacks; both list what it has.
Result<const Isa*> SelectIsa(std::string_view name);

}  // namespace rf::cpu
