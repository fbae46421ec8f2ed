// The tokens of a vocabulary as byte strings, made once for each tokenizer and used by all grammars.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "text/grammar/byte_trie.h"
#include "text/grammar/local_mask.h"

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

  /// Masks of rules without calls, shared by all grammars that have the same rule. Null: not known yet.
  std::shared_ptr<const LocalMask> FindMask(const std::string& rule_key, uint32_t state) const;
  void KeepMask(const std::string& rule_key, uint32_t state, std::shared_ptr<const LocalMask> mask) const;

 private:
  std::vector<std::string> tokens_;
  ByteTrie trie_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string, uint32_t>, std::shared_ptr<const LocalMask>> masks_;
  mutable size_t masks_bytes_ = 0;
};

}  // namespace rf::grammar
