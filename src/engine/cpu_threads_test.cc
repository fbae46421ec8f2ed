// How a model's work on the CPU is shared among threads: how often in a decoding step, since each time all of them are
// waited for, which costs a few microseconds whatever was computed; and that where they run changes nothing.
#include <gtest/gtest.h>

#include "base/thread_pool_counts.h"
#include "cpu/cpu_device.h"
#include "engine/model_session.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"

namespace rf {
namespace {

uint64_t SharedRunsFor(ModelSession& session, int32_t n_tokens) {
  const uint64_t before = CountSharedRuns();
  test::Answer answer;
  EXPECT_TRUE(session.engine->Submit(test::RequestFor({1}, n_tokens, answer)));
  EXPECT_TRUE(session.engine->RunToCompletion());
  EXPECT_EQ(answer.ids.size(), static_cast<size_t>(n_tokens));
  return CountSharedRuns() - before;
}

/// A small model on a CPU device, and what both live on.
struct ModelOnCpu {
  std::string bytes = BaseModelBytes();
  MemoryFiles files;
  std::unique_ptr<Device> device;
  std::unique_ptr<ModelSession> session;

  explicit ModelOnCpu(const cpu::CpuDeviceOptions& device_options) {
    files.Put("model.gguf", bytes);
    auto created = cpu::CreateCpuDevice(device_options);
    EXPECT_TRUE(created) << created.error().ToString();
    device = std::move(*created);
    Device* const devices[] = {device.get()};
    SessionOptions options;
    options.context_length = 64;
    options.syscalls = &files.syscalls();
    auto loaded = LoadModel("model.gguf", devices, options);
    EXPECT_TRUE(loaded) << loaded.error().ToString();
    session = std::move(*loaded);
  }
};

uint64_t SharedRunsOfAStep(int n_threads) {
  ModelOnCpu model({.n_threads = n_threads});
  return SharedRunsFor(*model.session, 4) - SharedRunsFor(*model.session, 3);
}

/// A machine with as many nodes as wanted, which this one need not have: threads cannot be bound to CPUs that are not
/// there, and run elsewhere.
CpuTopology MachineWith(int n_nodes, int n_cpus) {
  CpuTopology topology;
  topology.n_nodes = n_nodes;
  for (int cpu = 0; cpu < n_cpus; ++cpu) topology.cpus.push_back({cpu, cpu % n_nodes});
  return topology;
}

/// The tokens of a greedy answer with the log-probabilities of the five best at each.
std::vector<std::pair<int32_t, float>> AnswerOn(const cpu::CpuDeviceOptions& options) {
  ModelOnCpu model(options);
  std::vector<int32_t> prompt(20);
  for (size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<int32_t>(i % 3);
  test::Answer answer;
  Request request = test::RequestFor(prompt, 8, answer);
  request.n_top_logprobs = 5;
  std::vector<std::pair<int32_t, float>> all;
  request.on_token = [&all](const GeneratedToken& token) {
    for (const TokenLogprob& one : token.top) all.emplace_back(one.id, one.logprob);
    return true;
  };
  EXPECT_TRUE(model.session->engine->Submit(std::move(request)));
  EXPECT_TRUE(model.session->engine->RunToCompletion());
  return all;
}

TEST(CpuBarriers, ADenseLayerSharesItsProductsOnly) {
  // Of a layer: Q with K and V, attention's output, gate with up, down. Attention makes a fifth where there are several
  // KV heads or chunks of positions, which this model lacks. What one thread does sooner alone (norms, rotations, the
  // GLU) is not shared. Outside the layers: logits.
  EXPECT_EQ(SharedRunsOfAStep(2), 1 + 4 * uint64_t{kBaseLayers});
}

TEST(CpuBarriers, OneThreadWaitsForNobody) {
  EXPECT_EQ(SharedRunsOfAStep(1), 0u);
}

TEST(CpuThreads, WhereTheyRunChangesNothing) {
  const auto alone = AnswerOn({.n_threads = 1});
  EXPECT_FALSE(alone.empty());
  for (const int n_nodes : {1, 2, 3}) {
    for (const int n_decode_threads : {0, 1, 2}) {
      const cpu::CpuDeviceOptions options{
          .n_threads = 4, .n_decode_threads = n_decode_threads, .topology = MachineWith(n_nodes, 4)};
      EXPECT_EQ(AnswerOn(options), alone) << n_nodes << " nodes, " << n_decode_threads << " threads decode";
    }
  }
}

}  // namespace
}  // namespace rf
