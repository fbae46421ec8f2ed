// How often a decoding step on the CPU shares work among threads: each time all of them are waited for, which costs a
// few microseconds whatever was computed.
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

uint64_t SharedRunsOfAStep(int n_threads) {
  const std::string bytes = BaseModelBytes();
  MemoryFiles files;
  files.Put("model.gguf", bytes);
  const auto device = cpu::CreateCpuDevice({n_threads, ""});
  EXPECT_TRUE(device) << device.error().ToString();
  Device* const devices[] = {device->get()};
  SessionOptions options;
  options.context_length = 64;
  options.syscalls = &files.syscalls();
  const auto session = LoadModel("model.gguf", devices, options);
  EXPECT_TRUE(session) << session.error().ToString();
  return SharedRunsFor(**session, 4) - SharedRunsFor(**session, 3);
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

}  // namespace
}  // namespace rf
