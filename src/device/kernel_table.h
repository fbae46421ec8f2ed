// Which kernels a device has: one slot for each op, one entry in it for each key format. Plain data, so that per-ISA
// kernel sources may include it.
#pragma once

#include <cstddef>

#include "ops/all_ops.h"  // written by ops/CMakeLists.txt from ops.def

namespace rf {

/// Where a kernel says what a launch would start.
struct VariantNames {
  void* to;
  void (*add)(void* to, const char* name);  ///< the name is a constant
};

/// One kernel. `context` is the stream's native handle (Stream::native()): a CpuContext for CPU kernels, a HIP stream
/// for HIP ones.
template <typename Op>
struct KernelEntry {
  void (*launch)(void* context, const typename Op::Args& args) = nullptr;
  /// Bytes of workspace that a launch with these args needs, at most; null: none. Monotonic in the number of rows.
  size_t (*workspace_bytes)(const typename Op::Args& args, int n_threads) = nullptr;
  const char* name = nullptr;  ///< as the plan and profiles print it, e.g. "avx2/matmul_Q4_1"
  /// The layout in which it reads weights of the key's format, where their shape allows it: what Device::LoadWeight
  /// makes of them. Kernels of one slot must accept each other's weights: an op may have several, of mixed formats.
  WeightLayout weight_layout = kFileLayout;
  /// Names what a launch with these args starts ("slices", "tiles"), by the decision that the launch makes; several
  /// where parts differ. Nothing is launched, and no tensor's data is looked at. Null: there is nothing to decide.
  void (*name_variants)(void* context, const typename Op::Args& args, const VariantNames& names) = nullptr;
};

/// The entries of one op, by the format that Op::Key() returns. What a device cannot do it does not list.
template <typename Op>
struct KernelSlot {
  KernelEntry<Op> by_key[kNumFormats];

  const KernelEntry<Op>& Get(Format key) const { return by_key[static_cast<int>(key)]; }
  void Set(Format key, const KernelEntry<Op>& entry) { by_key[static_cast<int>(key)] = entry; }
};

/// A kernel for two neighbouring ops of ops/pairs.def.
template <typename First, typename Second>
struct PairEntry {
  /// False: it is not for these args, nothing was launched; then each op is launched by itself. Null: there is none.
  bool (*launch)(void* context, const typename First::Args& first, const typename Second::Args& second) = nullptr;
  /// Bytes of workspace, at most. Monotonic in the number of rows.
  size_t (*workspace_bytes)(const typename First::Args& first, const typename Second::Args& second) = nullptr;
  const char* name = nullptr;  ///< as the plan prints it, e.g. "hip/rope_kv_store"
  /// Whether launch is for these args, so far as their shapes decide it; nothing is launched.
  bool (*is_for)(void* context, const typename First::Args& first, const typename Second::Args& second) = nullptr;
};

struct KernelTable {
#define RF_OP(Name, file) KernelSlot<Name> file;
#include "ops/ops.def"
#undef RF_OP
#define RF_PAIR(First, Second, file) PairEntry<First, Second> file;
#include "ops/pairs.def"
#undef RF_PAIR

  /// The slot of one op, for code that is generic over ops.
  template <typename Op>
  const KernelSlot<Op>& SlotOf() const;
  /// The entry of a pair of ops.
  template <typename First, typename Second>
  const PairEntry<First, Second>& PairOf() const;

  /// The weight_layout of the entry of the op that is `op`-th in ops.def (its OpId).
  WeightLayout WeightLayoutOf(int op, Format key) const {
    const WeightLayout by_op[] = {
#define RF_OP(Name, file) file.Get(key).weight_layout,
#include "ops/ops.def"
#undef RF_OP
    };
    return by_op[op];
  }
};

#define RF_OP(Name, file)                                      \
  template <>                                                  \
  inline const KernelSlot<Name>& KernelTable::SlotOf() const { \
    return file;                                               \
  }
#include "ops/ops.def"
#undef RF_OP
#define RF_PAIR(First, Second, file)                                                  \
  template <>                                                                         \
  inline const PairEntry<First, Second>& KernelTable::PairOf<First, Second>() const { \
    return file;                                                                      \
  }
#include "ops/pairs.def"
#undef RF_PAIR

}  // namespace rf
