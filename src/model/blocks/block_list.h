// Everything generated from blocks.def.
#pragma once

#include <type_traits>
#include <variant>

#include "model/blocks/all_blocks.h"  // written by model/CMakeLists.txt from blocks.def

namespace rf {

/// Any block with its settings.
using AnyBlock = std::variant<
#define RF_BLOCK(Name, file) Name,
#include "model/blocks/blocks.def"
#undef RF_BLOCK
    std::monostate>;

/// Appends the block's ops to the layer's graph. Errors: kCorruptFile for tensors that are missing or of another shape.
inline Status AppendAnyBlock(const AnyBlock& any, LayerBuilder& layer) {
  return std::visit(
      [&](const auto& block) -> Status {
        if constexpr (std::is_same_v<std::decay_t<decltype(block)>, std::monostate>) {
          return {};
        } else {
          return AppendBlock(block, layer);
        }
      },
      any);
}

}  // namespace rf
