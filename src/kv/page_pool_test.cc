#include "kv/page_pool.h"

#include <gtest/gtest.h>

#include "base/check.h"

namespace rf {
namespace {

TEST(PagePool, GivesEachPageOnceThenNothing) {
  PagePool pool(3);
  std::vector<PageId> pages;
  while (const auto allocation = pool.Allocate()) {
    EXPECT_FALSE(allocation->was_kept);
    pages.push_back(allocation->page);
  }
  EXPECT_EQ(pages, (std::vector<PageId>{0, 1, 2}));
  EXPECT_EQ(pool.n_available(), 0);
}

TEST(PagePool, FreePagesComeBeforeKeptOnesAndKeptOnesLeastRecentlyUsedFirst) {
  PagePool pool(3);
  for (int i = 0; i < 3; ++i) pool.Allocate();
  pool.RemoveUser(1, /*keep=*/true);
  pool.RemoveUser(0, /*keep=*/true);
  pool.RemoveUser(2, /*keep=*/false);
  EXPECT_EQ(pool.n_free(), 1);
  EXPECT_EQ(pool.n_available(), 3);
  EXPECT_EQ(pool.Allocate()->page, 2);
  const auto oldest = pool.Allocate();
  EXPECT_EQ(oldest->page, 1);
  EXPECT_TRUE(oldest->was_kept);
  EXPECT_EQ(pool.Allocate()->page, 0);
  EXPECT_FALSE(pool.Allocate().has_value());
}

TEST(PagePool, APageIsGivenBackByItsLastUser) {
  PagePool pool(1);
  const PageId page = pool.Allocate()->page;
  pool.AddUser(page);
  pool.RemoveUser(page, true);
  EXPECT_EQ(pool.n_available(), 0);
  pool.RemoveUser(page, true);
  EXPECT_EQ(pool.n_available(), 1);
  pool.AddUser(page);  // a kept page is in use again
  EXPECT_EQ(pool.ref_count(page), 1);
  EXPECT_EQ(pool.n_available(), 0);
}

TEST(PagePool, MisuseIsABug) {
  PagePool pool(1);
  EXPECT_THROW(pool.AddUser(0), BugError);
  EXPECT_THROW(pool.RemoveUser(0, false), BugError);
}

}  // namespace
}  // namespace rf
