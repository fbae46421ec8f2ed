// The tokens of a vocabulary as byte strings, made once for each tokenizer and used by all grammars.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/byte_trie.h"
#include "text/grammar/local_mask.h"
#include "text/grammar/slice.h"

namespace rf::grammar {

/// Safe to use from several threads.
class Vocabulary {
 public:
  /// Bytes of each token; an empty one is never allowed by a grammar (control tokens are such).
  explicit Vocabulary(std::vector<std::string> tokens);

  const ByteTrie& trie() const { return trie_; }
  size_t n_tokens() const { return tokens_.size(); }
  size_t n_words() const { return (tokens_.size() + 63) / 64; }
  const std::string& token(size_t id) const { return tokens_[id]; }
  /// Largest first.
  const std::vector<Slice>& slices() const { return slices_; }

  /// A byte in tokens that is not their first: a node of the trie, and the byte before.
  struct Inner {
    uint32_t node;
    uint8_t before;
  };
  /// All places where the byte is inside of tokens.
  std::span<const Inner> InnerBytes(uint8_t byte) const {
    return std::span(inner_).subspan(inner_begin_[byte], inner_begin_[byte + 1u] - inner_begin_[byte]);
  }
  /// What comes before the node's byte in tokens.
  std::string_view TextBefore(uint32_t node) const {
    return std::string_view(tokens_[static_cast<size_t>(*trie_.tokens_begin(node))])
        .substr(0, trie_.node(node).depth - 1u);
  }

  /// Masks of rules without calls, shared by all grammars that have the same rule. Null: not known yet.
  std::shared_ptr<const LocalMask> FindMask(const std::string& rule_key, uint32_t state) const;
  void KeepMask(const std::string& rule_key, uint32_t state, std::shared_ptr<const LocalMask> mask) const;

 private:
  void FindInnerBytes();

  std::vector<std::string> tokens_;
  ByteTrie trie_;
  std::vector<Slice> slices_;
  std::vector<Inner> inner_;
  std::array<uint32_t, 257> inner_begin_{};
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string, uint32_t>, std::shared_ptr<const LocalMask>> masks_;
  mutable size_t masks_bytes_ = 0;
};

}  // namespace rf::grammar
