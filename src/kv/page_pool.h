// The KV cache's pages: which are free, who uses them, which are only kept for reuse. Bookkeeping only: no tensor.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

namespace rf {

using PageId = int32_t;

/// Pages with reference counts. A page without users is free, or kept (its contents may be wanted again) until the pool
/// needs it; kept pages are given up least recently used first.
class PagePool {
 public:
  explicit PagePool(int32_t n_pages);

  int32_t n_pages() const { return static_cast<int32_t>(pages_.size()); }
  /// Pages that Allocate() can still give: free and kept ones.
  int32_t n_available() const { return n_free() + static_cast<int32_t>(kept_.size()); }
  int32_t n_free() const { return static_cast<int32_t>(free_.size()); }
  int32_t ref_count(PageId page) const { return pages_[Index(page)].ref_count; }

  /// What Allocate() found.
  struct Allocation {
    PageId page;
    bool was_kept;  ///< its old contents are given up: whoever remembers them must forget them
  };
  /// A page with one user: a free one, else the least recently used kept one. Nothing if every page is in use.
  std::optional<Allocation> Allocate();

  /// One more user. A kept page is in use again.
  void AddUser(PageId page);
  /// One user less. Without users the page is kept if `keep`, else free. REQUIRES: ref_count(page) > 0.
  void RemoveUser(PageId page, bool keep);

 private:
  struct Page {
    int32_t ref_count = 0;
    bool is_kept = false;
    std::list<PageId>::iterator kept_at;
  };
  static size_t Index(PageId page) { return static_cast<size_t>(page); }

  std::vector<Page> pages_;
  std::vector<PageId> free_;
  std::list<PageId> kept_;  ///< least recently used first
};

}  // namespace rf
