#include "kv/kv_manager.h"

#include <map>
#include <numeric>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace rf {
namespace {

using Tokens = std::vector<int32_t>;

Tokens Count(int32_t first, int32_t n) {
  Tokens tokens(static_cast<size_t>(n));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

class KvManagerTest : public testing::Test {
 protected:
  // A sequence whose tokens have all been computed and published.
  PageTable Computed(const Tokens& tokens, uint64_t salt = 0) {
    PageTable table = kv_.NewTable(salt);
    const int32_t cached = kv_.TakePrefix(table, tokens);
    EXPECT_TRUE(kv_.Reserve(table, cached, static_cast<int64_t>(tokens.size()), copies_));
    kv_.Publish(table, tokens, static_cast<int64_t>(tokens.size()));
    return table;
  }

  KvManager kv_{8, 4};
  std::vector<PageCopy> copies_;
};

TEST_F(KvManagerTest, WholePagesOfAPrefixAreShared) {
  PageTable first = Computed(Count(0, 10));
  PageTable second = kv_.NewTable(0);
  Tokens tokens = Count(0, 8);
  tokens.push_back(99);
  EXPECT_EQ(kv_.TakePrefix(second, tokens), 8);
  EXPECT_EQ(second.pages, Tokens(first.pages.begin(), first.pages.begin() + 2));
  EXPECT_EQ(kv_.n_available(), 8 - 3);
}

TEST_F(KvManagerTest, APageBehindAnotherBeginningIsNotShared) {
  PageTable first = Computed(Count(0, 8));
  Tokens tokens = {7, 7, 7, 7, 4, 5, 6, 7};  // the second page's tokens are the same
  PageTable second = kv_.NewTable(0);
  EXPECT_EQ(kv_.TakePrefix(second, tokens), 0);
}

TEST_F(KvManagerTest, OtherSaltsNeverMeet) {
  PageTable first = Computed(Count(0, 8), 1);
  PageTable second = kv_.NewTable(2);
  EXPECT_EQ(kv_.TakePrefix(second, Count(0, 8)), 0);
}

TEST_F(KvManagerTest, ReleasedPagesAreFoundAgainUntilThePoolNeedsThem) {
  PageTable first = Computed(Count(0, 8));
  kv_.Release(first);
  EXPECT_EQ(kv_.n_available(), 8);
  PageTable again = kv_.NewTable(0);
  EXPECT_EQ(kv_.TakePrefix(again, Count(0, 8)), 8);
  kv_.Release(again);

  PageTable other = kv_.NewTable(0);
  EXPECT_TRUE(kv_.Reserve(other, 0, 7 * 4, copies_));  // all but one page: the end of the chain goes first
  EXPECT_EQ(kv_.TakePrefix(again, Count(0, 8)), 4);
}

TEST_F(KvManagerTest, WritingIntoASharedPageMakesACopy) {
  PageTable first = Computed(Count(0, 8));
  PageTable second = kv_.NewTable(0);
  ASSERT_EQ(kv_.TakePrefix(second, Count(0, 8)), 8);
  ASSERT_TRUE(kv_.Reserve(second, 7, 9, copies_));  // the last token is computed again
  ASSERT_EQ(copies_.size(), 1u);
  EXPECT_EQ(copies_[0].source, first.pages[1]);
  EXPECT_EQ(copies_[0].destination, second.pages[1]);
  EXPECT_EQ(second.pages[0], first.pages[0]);
  EXPECT_NE(second.pages[1], first.pages[1]);
  EXPECT_EQ(second.pages.size(), 3u);
}

TEST_F(KvManagerTest, APublishedPageIsNotWrittenEvenByItsOnlyUser) {
  PageTable table = Computed(Count(0, 8));
  ASSERT_TRUE(kv_.Reserve(table, 7, 8, copies_));
  EXPECT_EQ(copies_.size(), 1u);
}

TEST_F(KvManagerTest, ReserveFailsWhenThePoolIsEmpty) {
  PageTable first = kv_.NewTable(0);
  EXPECT_TRUE(kv_.Reserve(first, 0, 32, copies_));
  PageTable second = kv_.NewTable(0);
  EXPECT_FALSE(kv_.Reserve(second, 0, 1, copies_));
  kv_.Release(first);
  EXPECT_TRUE(kv_.Reserve(second, 0, 1, copies_));
}

// Random sequences over few distinct prefixes: what a table takes over must be what was stored under the same tokens,
// no page may have two owners that write, and all pages come back.
TEST_F(KvManagerTest, RandomUse) {
  std::mt19937 random(7);
  KvManager kv(16, 4);
  std::map<PageId, Tokens> stored;  // page -> all tokens up to its end
  struct Live {
    PageTable table;
    Tokens tokens;
  };
  std::vector<Live> live;
  for (int round = 0; round < 3000; ++round) {
    if (live.size() >= 4 || (!live.empty() && random() % 3 == 0)) {
      const size_t i = random() % live.size();
      kv.Release(live[i].table);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    Live next{kv.NewTable(0), {}};
    for (size_t n = 1 + random() % 20; n > 0; --n) next.tokens.push_back(static_cast<int32_t>(random() % 2));
    const int32_t taken = kv.TakePrefix(next.table, next.tokens);
    for (int32_t p = 0; p < taken / 4; ++p) {
      ASSERT_EQ(stored[next.table.pages[static_cast<size_t>(p)]],
                Tokens(next.tokens.begin(), next.tokens.begin() + (p + 1) * 4));
    }
    const auto n = static_cast<int64_t>(next.tokens.size());
    const int64_t first = std::min<int64_t>(taken, n - 1);
    copies_.clear();
    if (!kv.Reserve(next.table, first, n, copies_)) {
      kv.Release(next.table);
      continue;
    }
    for (const PageCopy& copy : copies_) stored[copy.destination] = stored[copy.source];
    for (int64_t p = first / 4; (p + 1) * 4 <= n; ++p) {
      stored[next.table.pages[static_cast<size_t>(p)]] = Tokens(next.tokens.begin(), next.tokens.begin() + (p + 1) * 4);
    }
    kv.Publish(next.table, next.tokens, n);
    live.push_back(next);
  }
  for (Live& one : live) kv.Release(one.table);
  EXPECT_EQ(kv.n_available(), 16);
}

}  // namespace
}  // namespace rf
