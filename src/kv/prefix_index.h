// Finds pages whose contents a new sequence can use: chains of full pages, compared token by token.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "kv/page_pool.h"

namespace rf {

/// Maps (everything before, the page's own tokens) to the page that holds their keys and values. "Everything before" is
/// the link of the page before, a number that is never used again for other contents; so a collision of hashes cannot
/// give a sequence another's contents. The design is that of automatic prefix caching (Kwon et al. 2023,
/// arXiv:2309.06180, section 4.4).
class PrefixIndex {
 public:
  /// One link of a chain: stands for one prefix of whole pages.
  using Link = uint64_t;

  /// The start of all chains with this salt: other salts never meet.
  Link Root(uint64_t salt);

  /// A page and the link behind it.
  struct Hit {
    PageId page;
    Link link;
  };
  /// The page that continues `parent` with these tokens.
  std::optional<Hit> Find(Link parent, std::span<const int32_t> tokens) const;

  /// Remembers that `page` holds `tokens` behind `parent`, unless another page does already. Returns the link behind
  /// them. REQUIRES: the page is not in the index.
  Link Add(Link parent, std::span<const int32_t> tokens, PageId page);

  /// Forgets the page, if it is known. What continues it is not found any more.
  void Remove(PageId page);
  bool Contains(PageId page) const { return by_page_.count(page) != 0; }
  size_t size() const { return entries_.size(); }

 private:
  struct Key {
    Link parent;
    std::vector<int32_t> tokens;
  };
  struct KeyView {
    Link parent;
    std::span<const int32_t> tokens;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const KeyView& key) const;
    size_t operator()(const Key& key) const { return (*this)(KeyView{key.parent, key.tokens}); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const { return a.parent == b.parent && a.tokens == b.tokens; }
    bool operator()(const KeyView& a, const Key& b) const;
    bool operator()(const Key& a, const KeyView& b) const { return (*this)(b, a); }
  };
  using Entries = std::unordered_map<Key, Hit, Hash, Equal>;

  Entries entries_;
  std::unordered_map<PageId, const Key*> by_page_;
  std::unordered_map<uint64_t, Link> roots_;
  Link next_link_ = 1;
};

}  // namespace rf
