// An architecture as data: what model/arch/<name>.cc fills in. No control flow lives there.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/blocks/block_list.h"

namespace rf {

/// Which models of an architecture have a block.
enum class When : uint8_t {
  kAlways,
  kDense,    ///< models without experts
  kExperts,  ///< models with experts
};

/// One block of a layer.
struct LayerBlock {
  AnyBlock block;
  When when = When::kAlways;
};

/// Where defaults differ between architectures.
struct ArchDefaults {
  int32_t window_pattern = 0;    ///< every n-th layer has no window; 0: all layers have the file's window
  bool uses_window = false;      ///< `attention.sliding_window` is honoured (and required if there is a pattern)
  float rope_base = 10000.0f;    ///< if the file has no `rope.freq_base`
  float local_rope_base = 0.0f;  ///< rope base of windowed layers; 0: the same as that of the others
};

struct ArchSpec {
  std::string_view name;  ///< general.architecture
  /// Blocks of every layer, in order. The first Norm of the file's head is `output_norm`.
  std::span<const LayerBlock> layer;
  ArchDefaults defaults;
  bool scales_embedding = false;  ///< by sqrt(d_model)
  /// Suffixes of tensors that may be in files and carry nothing that is needed, e.g. "rotary_emb.inv_freq".
  std::span<const std::string_view> ignored_tensors;
};

/// All architectures of archs.def.
std::span<const ArchSpec* const> AllArchs();

/// Null if the name is unknown.
const ArchSpec* FindArch(std::string_view name);

}  // namespace rf
