// Runs one case on the reference or on a machine.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "conformance/case.h"
#include "conformance/placed_operands.h"

namespace rf::conformance {

/// The op's number in ops.def.
template <typename Op>
constexpr OpId IdOfOp() {
  return static_cast<OpId>(AnyOp(OpNode<Op>{}).index());
}

template <typename Op>
Outputs RunReference(const Case<Op>& c) {
  PlacedOperands placed(c.operands, nullptr, IdOfOp<Op>());
  const typename Op::Args args = Op::Bind(c.attrs, placed.operands());
  const Status status = Op::Check(args);
  EXPECT_TRUE(status.has_value()) << c.name << ": " << status.error().ToString();
  SetRunning(c.name.c_str());
  Op::Reference(args);
  return placed.Collect();
}

/// Runs the machine's kernel with a workspace of just the size that it asks for. Fails the test where it has none.
template <typename Op>
Outputs RunOn(Machine& machine, const Case<Op>& c) {
  PlacedOperands placed(c.operands, &machine, IdOfOp<Op>());
  const typename Op::Args args = Op::Bind(c.attrs, placed.operands());
  const KernelEntry<Op>& entry = machine.device->kernels().template SlotOf<Op>().Get(Op::Key(args));
  if (entry.launch == nullptr) {
    ADD_FAILURE() << c.name << ": no kernel for " << GetFormatInfo(Op::Key(args)).name;
    return {};
  }
  const int n_threads = machine.device->properties().n_threads;
  GuardedWorkspace workspace(machine, entry.workspace_bytes == nullptr ? 0 : entry.workspace_bytes(args, n_threads));
  machine.stream->SetWorkspace(&workspace);
  const std::string running = std::string(entry.name) + ", case " + c.name;
  SetRunning(running.c_str());
  entry.launch(machine.stream->native(), args);
  const Status done = machine.stream->Synchronize();
  EXPECT_TRUE(done.has_value()) << running << ": " << (done ? "" : done.error().ToString());
  EXPECT_TRUE(workspace.IsIntact()) << running << " wrote outside its workspace";
  SCOPED_TRACE(running);
  return placed.Collect();
}

using Bounds = std::array<double, Operands::kMaxOutputs>;

/// NMSE of products with quantized weights. Activations of 16 bits may cost 1e-5; the CPU's blocks of 32 with their own
/// scale keep well below 1e-7.
inline constexpr double kQuantizedBound = 1e-7;
/// With F16 and BF16 weights; CPUs multiply them in F32.
inline constexpr double kShortFloatsBound = 9e-10;

/// How far results may be from the reference's.
struct Tolerance {
  static Tolerance Of(const Bounds& bounds) { return {bounds, bounds}; }

  Bounds all_rows;  ///< NMSE of an output
  Bounds a_row;     ///< of each row by itself
};
/// The bounds of a case as a machine keeps them in n_rows rows.
Tolerance ToleranceOn(const Machine& machine, const Bounds& bounds, int64_t n_rows);
/// The same of attention with a cache of a format.
Tolerance AttentionToleranceOn(const Machine& machine, const Bounds& bounds, Format cache);

/// Compares what a kernel wrote with what the reference wrote: equal bits for integers, the cache and where the bound
/// is 0; else neither an output nor a row of at least 16 columns of it may have an NMSE above its bound.
void ExpectNear(const HostOperands& shapes, const Tolerance& tolerance, const Outputs& got, const Outputs& wanted);

}  // namespace rf::conformance
