#include "text/grammar/vocabulary.h"

#include "text/grammar/limits.h"

namespace rf::grammar {
namespace {

std::vector<ByteTrie::Item> ItemsOf(const std::vector<std::string>& tokens) {
  std::vector<ByteTrie::Item> items;
  items.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty()) items.push_back({tokens[id], static_cast<int32_t>(id)});
  }
  return items;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)), trie_(ItemsOf(tokens_)) {
  FindInnerBytes();
  // What JSON strings hold unescaped; other texts mostly hold it, too.
  slices_.emplace_back(CodePointSet{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}.Complement(), tokens_);
}

void Vocabulary::FindInnerBytes() {
  const auto for_each = [&](auto visit) {
    std::vector<uint8_t> path(trie_.max_depth() + 1);
    for (uint32_t i = 1; i < trie_.n_nodes(); ++i) {
      const ByteTrie::Node& node = trie_.node(i);
      path[node.depth] = node.byte;
      if (node.depth > 1) visit(i, node.byte, path[node.depth - 1u]);
    }
  };
  for_each([&](uint32_t, uint8_t byte, uint8_t) { ++inner_begin_[byte + 1u]; });
  for (size_t byte = 0; byte < 256; ++byte) inner_begin_[byte + 1] += inner_begin_[byte];
  inner_.resize(inner_begin_[256]);
  std::array<uint32_t, 257> end = inner_begin_;
  for_each([&](uint32_t node, uint8_t byte, uint8_t before) { inner_[end[byte]++] = {node, before}; });
}

std::shared_ptr<const LocalMask> Vocabulary::FindMask(const std::string& rule_key, uint32_t state) const {
  const std::lock_guard lock(mutex_);
  const auto found = masks_.find({rule_key, state});
  return found == masks_.end() ? nullptr : found->second;
}

void Vocabulary::KeepMask(const std::string& rule_key, uint32_t state, std::shared_ptr<const LocalMask> mask) const {
  const std::lock_guard lock(mutex_);
  if (masks_bytes_ > kMaxSharedMasksBytes) {
    masks_.clear();  // who uses one keeps it
    masks_bytes_ = 0;
  }
  masks_bytes_ += mask->size_bytes() + rule_key.size();
  masks_[{rule_key, state}] = std::move(mask);
}

}  // namespace rf::grammar
