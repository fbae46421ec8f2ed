#include "text/grammar/local_mask.h"

#include <algorithm>
#include <string>

namespace rf::grammar {
namespace {

constexpr uint32_t kMaxShortTail = 1024;  // tokens below an end, to be merged with those of other ends
constexpr uint32_t kMaxLimitMasks = 16;   // kept, 19 KiB each for 150,000 tokens; few tokens have more characters

void Set(Mask& mask, int32_t token) {
  mask[static_cast<size_t>(token) / 64] |= uint64_t{1} << (static_cast<size_t>(token) % 64);
}

}  // namespace

void LocalMaskBuilder::Allow(uint32_t node, uint32_t n_units) {
  for (const auto* entry = trie_.entries_begin(node); entry != trie_.entries_end(node); ++entry) {
    if (n_units == 0) {
      Set(mask_, entry->token);
      continue;
    }
    if (n_units > by_units_.size()) by_units_.resize(n_units);
    by_units_[n_units - 1].push_back(entry->token);
  }
}

void LocalMaskBuilder::End(uint32_t node, uint32_t n_units) {
  if (trie_.node(node).n_nodes > 1) ends_.push_back({node, n_units});
}

// Merges what follows the ends in one trie, so that equal rests are judged once.
void LocalMaskBuilder::AddShortTails() {
  struct Range {
    size_t begin, size;
    ByteTrie::Entry entry;
  };
  std::vector<Range> ranges;
  std::vector<char> path;
  std::vector<char> bytes;
  for (const LocalMask::Tail& end : ends_) {
    if (trie_.n_entries_in(end.node) > kMaxShortTail) {
      result_.long_tails_.push_back(end);
      continue;
    }
    const uint32_t base = trie_.node(end.node).depth;
    for (uint32_t i = end.node + 1; i < end.node + trie_.node(end.node).n_nodes; ++i) {
      path.resize(trie_.node(i).depth - base - 1u);
      path.push_back(static_cast<char>(trie_.node(i).byte));
      for (const auto* entry = trie_.entries_begin(i); entry != trie_.entries_end(i); ++entry) {
        ranges.push_back({bytes.size(), path.size(), {entry->token, end.n_units}});
        bytes.insert(bytes.end(), path.begin(), path.end());
      }
    }
  }
  std::vector<ByteTrie::Item> items;
  for (const Range& range : ranges) {
    items.push_back({std::string_view(bytes.data() + range.begin, range.size), range.entry});
  }
  if (!items.empty()) result_.tails_ = ByteTrie(std::move(items));
}

LocalMask LocalMaskBuilder::Finish() {
  AddShortTails();
  result_.max_units_ = static_cast<uint32_t>(by_units_.size());
  for (uint32_t n_units = 0; n_units < by_units_.size(); ++n_units) {
    if (n_units < kMaxLimitMasks) result_.by_limit_.push_back(mask_);
    for (const int32_t token : by_units_[n_units]) {
      Set(mask_, token);
      if (n_units >= kMaxLimitMasks) result_.longest_.emplace_back(n_units + 1, token);
    }
  }
  result_.all_ = std::move(mask_);
  return std::move(result_);
}

Mask LocalMask::CopyAllowed(uint32_t n_units) const {
  if (const Mask* kept = Allowed(n_units)) return *kept;
  Mask mask = all_;
  for (size_t i = longest_.size(); i > 0 && longest_[i - 1].first > n_units; --i) {
    const auto token = static_cast<size_t>(longest_[i - 1].second);
    mask[token / 64] &= ~(uint64_t{1} << (token % 64));
  }
  return mask;
}

size_t LocalMask::size_bytes() const {
  return (by_limit_.size() + 1) * all_.size() * sizeof(uint64_t) + longest_.size() * sizeof(longest_[0]) +
         tails_.size_bytes() + long_tails_.size() * sizeof(Tail) + sizeof(*this);
}

}  // namespace rf::grammar
