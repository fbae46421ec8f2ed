#include "kv/kv_manager.h"

#include <algorithm>

#include "base/check.h"

namespace rf {
namespace {

PrefixIndex::Link LastLink(const PageTable& table) {
  return table.links.empty() ? table.root : table.links.back();
}

}  // namespace

KvManager::KvManager(int32_t n_pages, int32_t page_tokens) : page_tokens_(page_tokens), pool_(n_pages) {
  RF_CHECK(n_pages > 0 && page_tokens > 0);
}

PageTable KvManager::NewTable(uint64_t salt) {
  return PageTable{{}, {}, index_.Root(salt)};
}

int32_t KvManager::TakePrefix(PageTable& table, std::span<const int32_t> tokens) {
  RF_CHECK(table.pages.empty());
  const auto size = static_cast<size_t>(page_tokens_);
  for (size_t begin = 0; begin + size <= tokens.size(); begin += size) {
    const auto hit = index_.Find(LastLink(table), tokens.subspan(begin, size));
    if (!hit) break;
    pool_.AddUser(hit->page);
    table.pages.push_back(hit->page);
    table.links.push_back(hit->link);
  }
  return static_cast<int32_t>(table.pages.size()) * page_tokens_;
}

std::optional<PageId> KvManager::AllocatePage() {
  const auto allocation = pool_.Allocate();
  if (!allocation) return std::nullopt;
  if (allocation->was_kept) index_.Remove(allocation->page);
  return allocation->page;
}

// Contents that others rely on are never written again: the sequence goes on in a copy.
bool KvManager::MakeWritable(PageTable& table, size_t index, std::vector<PageCopy>& copies) {
  const PageId page = table.pages[index];
  if (pool_.ref_count(page) == 1 && !index_.Contains(page)) return true;
  const auto copy = AllocatePage();
  if (!copy) return false;
  copies.push_back({page, *copy});
  pool_.RemoveUser(page, index_.Contains(page));
  table.pages[index] = *copy;
  if (table.links.size() > index) table.links.resize(index);
  return true;
}

bool KvManager::Reserve(PageTable& table, int64_t first, int64_t end, std::vector<PageCopy>& copies) {
  const auto first_page = static_cast<size_t>(first / page_tokens_);
  RF_CHECK(first_page <= table.pages.size());
  if (first_page < table.pages.size() && !MakeWritable(table, first_page, copies)) return false;
  const auto n_needed = static_cast<size_t>(PagesFor(end));
  while (table.pages.size() < n_needed) {
    const auto page = AllocatePage();
    if (!page) return false;
    table.pages.push_back(*page);
  }
  return true;
}

void KvManager::Publish(PageTable& table, std::span<const int32_t> tokens, int64_t n_computed) {
  const auto size = static_cast<size_t>(page_tokens_);
  const size_t n_full = std::min(static_cast<size_t>(n_computed), tokens.size()) / size;
  for (size_t index = table.links.size(); index < n_full; ++index) {
    table.links.push_back(index_.Add(LastLink(table), tokens.subspan(index * size, size), table.pages[index]));
  }
}

void KvManager::Release(PageTable& table) {
  // Last pages first: of a chain, the end is given up before the beginning that it needs.
  for (auto page = table.pages.rbegin(); page != table.pages.rend(); ++page) {
    pool_.RemoveUser(*page, index_.Contains(*page));
  }
  table = PageTable{{}, {}, table.root};
}

}  // namespace rf
