// Gives sequences their pages: allocation, sharing of prefixes, copy on write.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kv/page_pool.h"
#include "kv/prefix_index.h"

namespace rf {

/// A sequence's pages: position p lies in pages[p / page_tokens].
struct PageTable {
  std::vector<PageId> pages;
  std::vector<PrefixIndex::Link> links;  ///< behind each of the leading pages that were offered to other sequences
  PrefixIndex::Link root = 0;            ///< before the first page
};

/// A page whose contents must be copied before the next step writes to `destination`.
struct PageCopy {
  PageId source;
  PageId destination;
};

class KvManager {
 public:
  /// REQUIRES: n_pages > 0, page_tokens > 0.
  KvManager(int32_t n_pages, int32_t page_tokens);

  int32_t page_tokens() const { return page_tokens_; }
  int32_t n_pages() const { return pool_.n_pages(); }
  int32_t n_available() const { return pool_.n_available(); }
  int32_t PagesFor(int64_t n_positions) const {
    return static_cast<int32_t>((n_positions + page_tokens_ - 1) / page_tokens_);
  }

  /// An empty table whose pages are shared with tables of the same salt only.
  PageTable NewTable(uint64_t salt);

  /// Takes over pages that hold a prefix of `tokens`, whole pages only. Returns the number of positions that need not
  /// be computed. REQUIRES: the table is empty.
  int32_t TakePrefix(PageTable& table, std::span<const int32_t> tokens);

  /// Makes positions [first, end) writable: grows the table, and replaces a shared page that `first` lies in. False,
  /// and the table may have grown, if the pool has too few pages. `copies` gets what must be copied first. REQUIRES:
  /// positions before `first` are in the table.
  bool Reserve(PageTable& table, int64_t first, int64_t end, std::vector<PageCopy>& copies);

  /// Offers the full pages of the first `n_computed` positions to other sequences. `tokens` are all of the sequence's.
  void Publish(PageTable& table, std::span<const int32_t> tokens, int64_t n_computed);

  /// Gives all pages back. Published ones keep their contents until the pool needs them.
  void Release(PageTable& table);

 private:
  std::optional<PageId> AllocatePage();
  bool MakeWritable(PageTable& table, size_t index, std::vector<PageCopy>& copies);

  int32_t page_tokens_;
  PagePool pool_;
  PrefixIndex index_;
};

}  // namespace rf
