#include "base/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/test_util/failing_threads.h"
#include "base/thread_place.h"

namespace rf {
namespace {

struct Counts {
  std::vector<std::atomic<int>> calls;
  explicit Counts(size_t n) : calls(n) {}
};

void CountTask(void* context, int64_t task, int) {
  ++static_cast<Counts*>(context)->calls[static_cast<size_t>(task)];
}

TEST(ThreadPoolTest, EachTaskRunsOnceForAnyNumberOfThreads) {
  for (const int n_threads : {1, 2, 3, 8}) {
    ThreadPool pool(n_threads);
    for (const size_t n_tasks : {0, 1, 2, 7, 1000}) {
      Counts counts(n_tasks);
      pool.Run(static_cast<int64_t>(n_tasks), CountTask, &counts);
      for (const auto& calls : counts.calls) EXPECT_EQ(calls, 1);
    }
  }
}

TEST(ThreadPoolTest, ManyShortCallsSeeTheirOwnContext) {
  ThreadPool pool(3);
  for (int round = 0; round < 20000; ++round) {
    Counts counts(4);
    pool.Run(4, CountTask, &counts);
    for (const auto& calls : counts.calls) ASSERT_EQ(calls, 1) << "round " << round;
  }
}

TEST(ThreadPoolTest, WorksAfterTheWorkersParked) {
  ThreadPool pool(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Counts counts(50);
    pool.Run(50, CountTask, &counts);
    for (const auto& calls : counts.calls) EXPECT_EQ(calls, 1);
  }
}

TEST(ThreadPoolTest, ThreadNumbersAreInRange) {
  ThreadPool pool(4);
  std::atomic<bool> in_range{true};
  pool.Run(
      500,
      [](void* context, int64_t, int thread) {
        if (thread < 0 || thread >= 4) *static_cast<std::atomic<bool>*>(context) = false;
      },
      &in_range);
  EXPECT_TRUE(in_range);
}

TEST(ThreadPoolTest, AnExceptionComesBackAndThePoolLivesOn) {
  ThreadPool pool(2);
  const auto thrower = [](void*, int64_t task, int) {
    if (task == 3) throw std::runtime_error("task 3");
  };
  EXPECT_THROW(pool.Run(10, thrower, nullptr), std::runtime_error);
  Counts counts(10);
  pool.Run(10, CountTask, &counts);
  for (const auto& calls : counts.calls) EXPECT_EQ(calls, 1);
}

// Threads 0 and 2 on one node, 1 and 3 on another.
std::vector<ThreadPlace> TwoNodes() {
  return {{0, {}}, {1, {}}, {0, {}}, {1, {}}};
}

// Two regions: tasks 0 to 9 and 10 to 13.
int64_t EndOfTestRegion(const void*, int64_t region) {
  return region == 0 ? 10 : 14;
}

TEST(ThreadPoolTest, EachTaskRunsOnceWhateverTheNodesAndRegions) {
  const auto places = TwoNodes();
  ThreadPool pool(places.data(), 4);
  for (int round = 0; round < 1000; ++round) {
    Counts counts(14);
    pool.Run(14, CountTask, &counts, {2, EndOfTestRegion});
    for (const auto& calls : counts.calls) ASSERT_EQ(calls, 1);
    Counts whole(7);
    pool.Run(7, CountTask, &whole);
    for (const auto& calls : whole.calls) ASSERT_EQ(calls, 1);
  }
}

// A pool whose other threads may not take part: its caller takes its own node's share of each region, then the other's.
TEST(ThreadPoolTest, AThreadTakesItsOwnNodesShareOfEachRegionFirst) {
  const auto places = TwoNodes();
  ThreadPool pool(places.data(), 4);
  std::vector<int64_t> order;
  pool.Run(
      14, [](void* context, int64_t task, int) { static_cast<std::vector<int64_t>*>(context)->push_back(task); },
      &order, {2, [](const void*, int64_t region) { return int64_t{region == 0 ? 10 : 14}; }}, 1);
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4, 10, 11, 5, 6, 7, 8, 9, 12, 13));
}

TEST(ThreadPoolTest, OnlySoManyThreadsTakePart) {
  ThreadPool pool(4);
  for (const int most : {1, 2, 3}) {
    struct Seen {
      std::atomic<int> others{0};
      int most;
    } seen{{}, most};
    for (int round = 0; round < 200; ++round) {
      pool.Run(
          64,
          [](void* context, int64_t, int thread) {
            if (thread >= static_cast<Seen*>(context)->most) ++static_cast<Seen*>(context)->others;
          },
          &seen, {}, most);
    }
    EXPECT_EQ(seen.others, 0);
  }
}

// But for the caller, which stays as free as it was.
TEST(ThreadPoolTest, WorkersRunWhereTheyArePlaced) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  const std::vector<ThreadPlace> places(3, {0, {cpu}});
  ThreadPool pool(places.data(), 3);
  std::atomic<int> elsewhere{0};
  pool.Run(
      100,
      [](void* context, int64_t, int thread) {
        cpu_set_t set;
        sched_getaffinity(0, sizeof(set), &set);
        if (thread != 0 && CPU_COUNT(&set) != 1) ++*static_cast<std::atomic<int>*>(context);
      },
      &elsewhere);
  EXPECT_EQ(elsewhere, 0);
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

// A thread that cannot be started is done without: the pool is smaller, says so, and works.
TEST(ThreadPoolTest, RunsWithTheThreadsThatCouldBeStarted) {
  std::vector<std::string> warnings;
  SetLogSink([&warnings](LogLevel level, std::string_view line) {
    if (level == LogLevel::kWarning) warnings.emplace_back(line);
  });
  for (const int n_started : {0, 1, 2}) {
    warnings.clear();
    const FailingThreads failing(n_started);
    ThreadPool pool(8);
    EXPECT_EQ(pool.n_threads(), n_started + 1);
    EXPECT_THAT(warnings, testing::ElementsAre(testing::StartsWith(
                              fmt::format("only {} of 8 threads could be started: ", n_started + 1))));
    for (int round = 0; round < 100; ++round) {
      Counts counts(50);
      pool.Run(50, CountTask, &counts);
      for (const auto& calls : counts.calls) ASSERT_EQ(calls, 1);
    }
  }
  SetLogSink({});
}

}  // namespace
}  // namespace rf
