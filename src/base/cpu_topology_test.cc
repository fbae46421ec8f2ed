#include "base/cpu_topology.h"

#include <stdlib.h>

#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rf {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

// A root folder with the files that the kernel would have.
class FakeRoot {
 public:
  FakeRoot() {
    std::string pattern = (fs::temp_directory_path() / "rocmforge-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~FakeRoot() { fs::remove_all(path_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  const fs::path& path() const { return path_; }
  void Write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text << '\n';
  }

 private:
  fs::path path_;
};

// Two nodes of two cores with two threads each: cores are (0, 4), (1, 5) on node 0 and (2, 6), (3, 7) on node 2.
void WriteTwoNodes(const FakeRoot& root) {
  root.Write("sys/devices/system/node/has_cpu", "0,2");
  root.Write("sys/devices/system/node/node0/cpulist", "0-1,4-5");
  root.Write("sys/devices/system/node/node2/cpulist", "2-3,6-7");
  for (int cpu = 0; cpu < 8; ++cpu) {
    const int core = cpu % 4;
    root.Write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
               std::to_string(core) + "," + std::to_string(core + 4));
  }
}

constexpr int kEight[] = {0, 1, 2, 3, 4, 5, 6, 7};

std::vector<std::vector<int>> CpusOf(const std::vector<ThreadPlace>& places) {
  std::vector<std::vector<int>> cpus;
  for (const ThreadPlace& place : places) cpus.push_back(place.cpus);
  return cpus;
}
std::vector<int> NodesOf(const std::vector<ThreadPlace>& places) {
  std::vector<int> nodes;
  for (const ThreadPlace& place : places) nodes.push_back(place.node);
  return nodes;
}

TEST(CpuTopology, FindsNodesAndCores) {
  const FakeRoot root;
  WriteTwoNodes(root);
  const CpuTopology topology = ReadCpuTopology(root.path(), kEight);
  EXPECT_EQ(topology.n_nodes, 2);
  EXPECT_EQ(CountThreadsFor(topology), 4);
  EXPECT_EQ(topology.cpus[2].node, 1);
  EXPECT_FALSE(topology.cpus[3].is_twin);
  EXPECT_TRUE(topology.cpus[4].is_twin);
}

// A process may be bound to the second threads of cores only: then they are its cores.
TEST(CpuTopology, CountsOnlyWhatMayBeUsed) {
  const FakeRoot root;
  WriteTwoNodes(root);
  const CpuTopology topology = ReadCpuTopology(root.path(), std::vector<int>{3, 6, 7});
  EXPECT_EQ(topology.n_nodes, 1);
  EXPECT_EQ(CountThreadsFor(topology), 2);
  EXPECT_THAT(NodesOf(PlaceThreads(topology, 2, true)), ElementsAre(0, 0));
  EXPECT_THAT(CpusOf(PlaceThreads(topology, 2, true)), ElementsAre(ElementsAre(3), ElementsAre(6)));
}

TEST(CpuTopology, WithoutFilesEachCpuIsACore) {
  const FakeRoot root;
  const CpuTopology topology = ReadCpuTopology(root.path(), kEight);
  EXPECT_EQ(topology.n_nodes, 1);
  EXPECT_EQ(CountThreadsFor(topology), 8);
  EXPECT_EQ(CountThreadsFor(ReadCpuTopology(root.path(), {})), 1);
}

TEST(CpuTopology, AControlGroupLimitsTheThreads) {
  const std::map<std::string, int> expected{
      {"max 100000", 4}, {"150000 100000", 2}, {"50000 100000", 1}, {"900000 100000", 4}};
  for (const auto& [text, n_threads] : expected) {
    const FakeRoot root;
    WriteTwoNodes(root);
    root.Write("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(CountThreadsFor(ReadCpuTopology(root.path(), kEight)), n_threads) << text;
  }
}

// The process's own group and those above it; and the files of version 1.
TEST(CpuTopology, TheSmallestLimitCounts) {
  const FakeRoot root;
  WriteTwoNodes(root);
  root.Write("proc/self/cgroup", "0::/a/b");
  root.Write("sys/fs/cgroup/a/cpu.max", "200000 100000");
  root.Write("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  EXPECT_EQ(CountThreadsFor(ReadCpuTopology(root.path(), kEight)), 2);
  root.Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000");
  root.Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(CountThreadsFor(ReadCpuTopology(root.path(), kEight)), 1);
  root.Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(CountThreadsFor(ReadCpuTopology(root.path(), kEight)), 2);
}

TEST(CpuTopology, ThreadsAreDealtOutToTheNodes) {
  const FakeRoot root;
  WriteTwoNodes(root);
  const CpuTopology topology = ReadCpuTopology(root.path(), kEight);
  const auto bound = PlaceThreads(topology, 3, false);
  EXPECT_THAT(NodesOf(bound), ElementsAre(0, 1, 0));
  EXPECT_THAT(CpusOf(bound), ElementsAre(ElementsAre(0, 1, 4, 5), ElementsAre(2, 3, 6, 7), ElementsAre(0, 1, 4, 5)));
  EXPECT_THAT(CpusOf(PlaceThreads(topology, 6, true)), ElementsAre(ElementsAre(0), ElementsAre(2), ElementsAre(1),
                                                                   ElementsAre(3), ElementsAre(4), ElementsAre(6)));
}

// More threads than CPUs, or one node and no wish for places: the system decides.
TEST(CpuTopology, OtherwiseTheSystemPlacesThreads) {
  const FakeRoot root;
  EXPECT_THAT(CpusOf(PlaceThreads(ReadCpuTopology(root.path(), kEight), 2, false)),
              ElementsAre(ElementsAre(), ElementsAre()));
  WriteTwoNodes(root);
  const auto places = PlaceThreads(ReadCpuTopology(root.path(), std::vector<int>{0, 2}), 3, true);
  EXPECT_THAT(CpusOf(places), ElementsAre(ElementsAre(), ElementsAre(), ElementsAre()));
}

TEST(CpuTopology, ReadsThisMachine) {
  const CpuTopology topology = ReadCpuTopology();
  EXPECT_GE(topology.cpus.size(), 1u);
  EXPECT_GE(CountThreadsFor(topology), 1);
  EXPECT_LE(CountThreadsFor(topology), static_cast<int>(topology.cpus.size()));
}

}  // namespace
}  // namespace rf
