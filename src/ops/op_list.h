// Everything generated from ops.def: the ops' headers, their ids, names and attribute variants. For host code only.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>
#include <variant>

#include "ops/all_ops.h"  // written by ops/CMakeLists.txt from ops.def

namespace rf {

enum class OpId : uint8_t {
#define RF_OP(Name, file) k##Name,
#include "ops/ops.def"
#undef RF_OP
};

inline constexpr std::string_view kOpNames[] = {
#define RF_OP(Name, file) #file,
#include "ops/ops.def"
#undef RF_OP
};
inline constexpr int kNumOps = static_cast<int>(std::size(kOpNames));

constexpr std::string_view OpName(OpId id) {
  return kOpNames[static_cast<int>(id)];
}

/// An op with its attributes, tied together so that the variant's alternative is the op.
template <typename Op>
struct OpNode {
  using op = Op;
  typename Op::Attrs attrs;
};

/// Any op with its attributes; index() equals the OpId.
using AnyOp = std::variant<
#define RF_OP(Name, file) OpNode<Name>,
#include "ops/ops.def"
#undef RF_OP
    std::monostate>;

constexpr OpId IdOf(const AnyOp& op) {
  return static_cast<OpId>(op.index());
}

}  // namespace rf
