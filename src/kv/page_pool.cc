#include "kv/page_pool.h"

#include "base/check.h"

namespace rf {

PagePool::PagePool(int32_t n_pages) : pages_(static_cast<size_t>(n_pages)) {
  free_.reserve(pages_.size());
  for (PageId page = n_pages - 1; page >= 0; --page) free_.push_back(page);
}

std::optional<PagePool::Allocation> PagePool::Allocate() {
  Allocation allocation{-1, false};
  if (!free_.empty()) {
    allocation.page = free_.back();
    free_.pop_back();
  } else if (!kept_.empty()) {
    allocation = {kept_.front(), true};
    kept_.pop_front();
    pages_[Index(allocation.page)].is_kept = false;
  } else {
    return std::nullopt;
  }
  pages_[Index(allocation.page)].ref_count = 1;
  return allocation;
}

void PagePool::AddUser(PageId page) {
  Page& entry = pages_[Index(page)];
  if (entry.is_kept) {
    kept_.erase(entry.kept_at);
    entry.is_kept = false;
  } else {
    RF_CHECK(entry.ref_count > 0, "a free page has no contents to share");
  }
  ++entry.ref_count;
}

void PagePool::RemoveUser(PageId page, bool keep) {
  Page& entry = pages_[Index(page)];
  RF_CHECK(entry.ref_count > 0);
  if (--entry.ref_count > 0) return;
  if (keep) {
    entry.is_kept = true;
    entry.kept_at = kept_.insert(kept_.end(), page);
  } else {
    free_.push_back(page);
  }
}

}  // namespace rf
