#include "text/grammar/vocabulary.h"

#include "text/grammar/limits.h"

namespace rf::grammar {
namespace {

std::vector<ByteTrie::Item> ItemsOf(const std::vector<std::string>& tokens) {
  std::vector<ByteTrie::Item> items;
  items.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty()) items.push_back({tokens[id], {static_cast<int32_t>(id), 0}});
  }
  return items;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)), trie_(ItemsOf(tokens_)) {}

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
