// Takes the merges of a vocabulary ("left right", by rank) over into a table of token ids.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/merge_table.h"
#include "text/tokenizer/string_table.h"

namespace rf {

/// What the kinds of BPE do differently.
struct MergeReader {
  const StringTable& token_of;
  /// Appends what a half of an entry says, as token_of has it; false, with `out` unchanged, if it says nothing.
  std::function<bool(std::string_view half, std::string& out)> decode;
  /// Called for each merge that is taken over, with what it says, its right half beginning at `middle`.
  std::function<void(std::string_view merged, size_t middle)> on_merge;
};

/// Fills `table`. Entries that name unknown tokens or repeat others are skipped, which one warning counts.
void ReadMerges(const std::vector<std::string>& merges, const MergeReader& reader, MergeTable& table);

}  // namespace rf
