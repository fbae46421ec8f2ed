// The cases of an op. Each op of ops.def has a file in cases/ that defines CasesOf<Op>; the runner goes through
// ops.def, so that an op without cases does not link.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "conformance/host_operands.h"
#include "ops/op_list.h"

namespace rf::conformance {

/// Of arithmetic in F32 (ARCHITECTURE.md, "Numbers").
inline constexpr double kFloatBound = 1e-9;
/// Of outputs that are rounded once or not at all: every kernel writes the same bits.
inline constexpr double kSameBits = 0.0;

template <typename Op>
struct Case {
  std::string name;
  typename Op::Attrs attrs;
  HostOperands operands;
  /// Normalized mean square error against the reference that an output, and each row of it, may have; 0: equal bits.
  std::array<double, Operands::kMaxOutputs> bounds = {kFloatBound, kFloatBound, kFloatBound, kFloatBound};
};

template <typename Op>
struct CasesOf {
  /// The same cases each time.
  static std::vector<Case<Op>> Make(Format key);
};

#define RF_OP(Name, file) \
  template <>             \
  std::vector<Case<Name>> CasesOf<Name>::Make(Format key);
#include "ops/ops.def"
#undef RF_OP

/// Whether fewer of the cases with many rows are wanted: $ROCMFORGE_CONFORMANCE is "small" or "tiny", or it is not
/// "full" and this is a build with a sanitizer.
bool IsSmallRun();
/// Whether only every fourth of those is wanted, $ROCMFORGE_CONFORMANCE being "tiny": so few that a sanitizer for GPUs
/// gets through all kinds of tests, those too that a small run leaves out.
bool IsTinyRun();

}  // namespace rf::conformance
