#include "kv/prefix_index.h"

#include <algorithm>

#include <xxhash.h>

#include "base/check.h"

namespace rf {

size_t PrefixIndex::Hash::operator()(const KeyView& key) const {
  return XXH3_64bits_withSeed(key.tokens.data(), key.tokens.size_bytes(), key.parent);
}

bool PrefixIndex::Equal::operator()(const KeyView& a, const Key& b) const {
  return a.parent == b.parent && std::equal(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end());
}

PrefixIndex::Link PrefixIndex::Root(uint64_t salt) {
  const auto [root, is_new] = roots_.try_emplace(salt, next_link_);
  if (is_new) ++next_link_;
  return root->second;
}

std::optional<PrefixIndex::Hit> PrefixIndex::Find(Link parent, std::span<const int32_t> tokens) const {
  const auto found = entries_.find(KeyView{parent, tokens});
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

PrefixIndex::Link PrefixIndex::Add(Link parent, std::span<const int32_t> tokens, PageId page) {
  RF_CHECK(!Contains(page));
  if (const auto known = Find(parent, tokens)) return known->link;
  const Link link = next_link_++;
  const auto added = entries_.emplace(Key{parent, {tokens.begin(), tokens.end()}}, Hit{page, link}).first;
  by_page_[page] = &added->first;
  return link;
}

void PrefixIndex::Remove(PageId page) {
  const auto found = by_page_.find(page);
  if (found == by_page_.end()) return;
  entries_.erase(entries_.find(*found->second));
  by_page_.erase(found);
}

}  // namespace rf
