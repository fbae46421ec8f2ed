// How many kernels a decoding step starts, under the block emulator with the kernels of a real GPU: each costs a few
// microseconds there, whatever it computes.
#include <gtest/gtest.h>

#include "engine/model_session.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "hip/emulation/emulator.h"
#include "hip/hip_device.h"

namespace rf {
namespace {

// The base model, with V in the format of Q and K or in its own.
std::string ModelBytes(bool is_of_one_format) {
  BaseModel model = MakeBaseModel();
  for (int64_t layer = 0; is_of_one_format && layer < kBaseLayers; ++layer) {
    const std::string prefix = "blk." + std::to_string(layer);
    const size_t k = model.Find(prefix + ".attn_k.weight");
    const size_t v = model.Find(prefix + ".attn_v.weight");
    model.data[v] = model.data[k];
    model.contents.tensors[v].format = model.contents.tensors[k].format;
    model.contents.tensors[v].bytes = model.data[v];
  }
  const auto bytes = SerializeGguf(model.contents);
  return std::string(reinterpret_cast<const char*>(bytes.value().data()), bytes.value().size());
}

uint64_t LaunchesFor(ModelSession& session, int32_t n_tokens) {
  const uint64_t before = hip::emulation::CountLaunches();
  test::Answer answer;
  EXPECT_TRUE(session.engine->Submit(test::RequestFor({1}, n_tokens, answer)));
  EXPECT_TRUE(session.engine->RunToCompletion());
  EXPECT_EQ(answer.ids.size(), static_cast<size_t>(n_tokens));
  return hip::emulation::CountLaunches() - before;
}

// Launches that a decoding step takes; 0 if the model could not be used.
uint64_t LaunchesOfAStep(const std::string& bytes) {
  MemoryFiles files;
  files.Put("model.gguf", bytes);
  const auto device = hip::CreateHipDevice(hip::emulation::Api(), "emulated", 0);
  EXPECT_TRUE(device) << device.error().ToString();
  if (!device) return 0;
  Device* const devices[] = {device->get()};
  SessionOptions options;
  options.context_length = 64;
  options.record_steps = false;  // a replay launches nothing by itself
  options.syscalls = &files.syscalls();
  const auto session = LoadModel("model.gguf", devices, options);
  EXPECT_TRUE(session) << session.error().ToString();
  return session ? LaunchesFor(**session, 4) - LaunchesFor(**session, 3) : 0;
}

// Embedding, rotations of the positions, rows of the output, last norm, logits, and two for the best of them.
constexpr uint64_t kOutsideLayers = 7;

TEST(GpuLaunches, ADenseLayerTakesEightToDecode) {
  EXPECT_EQ(LaunchesOfAStep(ModelBytes(true)), kOutsideLayers + 8 * kBaseLayers);
}

TEST(GpuLaunches, AsManyWithQkvInTwoFormats) {
  EXPECT_EQ(LaunchesOfAStep(ModelBytes(false)), kOutsideLayers + 8 * kBaseLayers);
}

}  // namespace
}  // namespace rf
