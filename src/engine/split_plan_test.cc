// A model of which some layers are on a GPU and the others on the CPU writes what the CPU alone writes: the same ids
// and, as both run the ops' references, the same logits to the bit. The GPU is the real device of hip/ over a runtime
// on the heap, which runs what is queued as late as it may.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cpu/cpu_device.h"
#include "engine/model_session.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "hip/hip_device.h"
#include "hip/test_util/shim.h"

namespace rf {
namespace {

using test::Answer;
using test::RequestFor;
using testing::ElementsAre;
using testing::IsEmpty;

using TokenIds = std::vector<int32_t>;
using AllLogits = std::vector<float>;

TokenIds PromptOf(int32_t seed, int32_t n) {
  TokenIds prompt;
  for (int32_t i = 0; i < n; ++i) prompt.push_back((seed * 31 + i * 7) % kBaseVocab);
  return prompt;
}

class SplitPlan : public testing::Test {
 protected:
  struct Loaded {
    std::unique_ptr<Device> gpu;  // null: not used
    std::unique_ptr<Device> cpu;
    std::unique_ptr<ModelSession> session;  // goes before its devices
  };

  SplitPlan() {
    files_.Put("base.gguf", bytes_);
    options_.context_length = 64;
    options_.page_tokens = 4;
    options_.max_sequences = 4;
    options_.prefill_chunk = 7;
    options_.max_outputs = 16;
    options_.syscalls = &files_.syscalls();
  }
  void TearDown() override {
    EXPECT_THAT(shim_.violations, IsEmpty());
    EXPECT_EQ(shim_.n_live(), 0u);
    EXPECT_EQ(files_.n_open(), 0);
  }

  Result<Loaded> Load(std::optional<int32_t> gpu_layers, bool with_gpu = true) {
    Loaded loaded;
    std::vector<Device*> devices;
    if (with_gpu) {
      RF_ASSIGN_OR_RETURN(loaded.gpu, hip::CreateHipDevice(shim_.api(), "hip", 0));
      devices.push_back(loaded.gpu.get());
    }
    RF_ASSIGN_OR_RETURN(loaded.cpu, cpu::CreateCpuDevice({.n_threads = 1, .isa = "reference"}));
    devices.push_back(loaded.cpu.get());
    SessionOptions options = options_;
    options.gpu_layers = gpu_layers;
    RF_ASSIGN_OR_RETURN(loaded.session, LoadModel("base.gguf", devices, options));
    return loaded;
  }

  // All at once: ragged batches of prompts in chunks beside decoding sequences.
  static std::vector<TokenIds> Generate(ModelSession& session, const std::vector<TokenIds>& prompts, int32_t n) {
    std::vector<Answer> answers(prompts.size());
    for (size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_TRUE(session.engine->Submit(RequestFor(prompts[i], n, answers[i])));
    }
    EXPECT_TRUE(session.engine->RunToCompletion());
    std::vector<TokenIds> ids;
    for (const Answer& answer : answers) {
      EXPECT_FALSE(answer.result.value().error) << answer.result->error->ToString();
      ids.push_back(answer.ids);
    }
    return ids;
  }

  static AllLogits LogitsOf(ModelSession& session, const TokenIds& prompt) {
    AllLogits logits;
    Answer answer;
    Request request = RequestFor(prompt, 0, answer);
    request.on_logits = [&logits](int32_t, std::span<const float> row) {
      logits.insert(logits.end(), row.begin(), row.end());
    };
    EXPECT_TRUE(session.engine->Submit(std::move(request)));
    EXPECT_TRUE(session.engine->RunToCompletion());
    return logits;
  }

  static std::vector<std::string> DevicesOf(const ModelSession& session) {
    std::vector<std::string> labels;
    for (const PartInfo& part : session.parts) labels.push_back(part.device.Label());
    return labels;
  }

  const std::string bytes_ = BaseModelBytes();
  MemoryFiles files_;
  hip::Shim shim_;
  SessionOptions options_;
  const std::vector<TokenIds> prompts_ = {PromptOf(1, 3), PromptOf(2, 20), PromptOf(3, 1), PromptOf(4, 11),
                                          PromptOf(5, 9)};
};

// Layers on the GPU of a model with two.
class SplitPlanOf : public SplitPlan, public testing::WithParamInterface<int32_t> {};
INSTANTIATE_TEST_SUITE_P(Layers, SplitPlanOf, testing::Values(0, 1, 2, 3));

TEST_P(SplitPlanOf, LogitsAreTheCpusToTheBit) {
  const auto alone = Load(std::nullopt, false);
  ASSERT_TRUE(alone) << alone.error().ToString();
  const auto loaded = Load(GetParam());
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  const TokenIds prompt = PromptOf(9, 30);
  const AllLogits expected = LogitsOf(*alone->session, prompt);
  ASSERT_EQ(expected.size(), 30u * kBaseVocab);
  EXPECT_EQ(LogitsOf(*loaded->session, prompt), expected);
}

TEST_P(SplitPlanOf, BatchesWriteTheCpusTexts) {
  const auto alone = Load(std::nullopt, false);
  const auto loaded = Load(GetParam());
  ASSERT_TRUE(alone && loaded);
  const auto expected = Generate(*alone->session, prompts_, 12);
  EXPECT_EQ(Generate(*loaded->session, prompts_, 12), expected);
}

TEST_P(SplitPlanOf, PreemptedSequencesGoOn) {
  options_.use_prefix_cache = false;
  const auto alone = Load(std::nullopt, false);
  options_.kv_tokens = 48;  // the longest alone needs 32
  const auto loaded = Load(GetParam());
  ASSERT_TRUE(alone && loaded);
  EXPECT_EQ(Generate(*loaded->session, prompts_, 12), Generate(*alone->session, prompts_, 12));
  EXPECT_GT(loaded->session->engine->stats().n_preemptions, 0u);
}

// The second time the prompt's pages are there. The last one is full, and is copied before its end is computed again.
TEST_P(SplitPlanOf, PrefixesAreReusedAndPagesCopied) {
  const auto alone = Load(std::nullopt, false);
  const auto loaded = Load(GetParam());
  ASSERT_TRUE(alone && loaded);
  const std::vector<TokenIds> whole_pages = {PromptOf(6, 16), PromptOf(6, 16)};
  const auto expected = Generate(*alone->session, whole_pages, 12);
  EXPECT_EQ(Generate(*loaded->session, whole_pages, 12), expected);
  const uint64_t n_cached = loaded->session->engine->stats().n_cached_tokens;
  EXPECT_EQ(Generate(*loaded->session, whole_pages, 12), expected);
  EXPECT_GE(loaded->session->engine->stats().n_cached_tokens - n_cached, 2u * 15u);
}

TEST_P(SplitPlanOf, StepsAreTheSameWithoutRecordings) {
  std::vector<std::vector<TokenIds>> texts;
  for (const bool record : {true, false}) {
    options_.record_steps = record;
    const auto loaded = Load(GetParam());
    ASSERT_TRUE(loaded);
    texts.push_back(Generate(*loaded->session, prompts_, 12));
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST_F(SplitPlan, TheLastLayersAreOnTheGpuWithTheirCache) {
  const auto loaded = Load(1);
  ASSERT_TRUE(loaded);
  const ModelSession& session = *loaded->session;
  ASSERT_THAT(DevicesOf(session), ElementsAre("cpu", "hip:0"));
  EXPECT_EQ(session.parts[0].last_layer, 0);
  EXPECT_EQ(session.parts[1].first_layer, 1);
  EXPECT_EQ(session.parts[1].last_layer, 1);
  EXPECT_EQ(session.parts[0].memory.kv_cache, session.parts[1].memory.kv_cache);
  EXPECT_EQ(session.memory.Total(), session.parts[0].memory.Total() + session.parts[1].memory.Total());
  for (const StepInfo& step : session.steps) {
    if (step.layer < 0) continue;
    EXPECT_EQ(step.device, step.layer == 0 ? "cpu" : "hip:0");
  }
  EXPECT_EQ(session.steps.back().device, "hip:0");
  // The batch's arrays beside it, with 12 KiB for changes of each sequence's logits.
  EXPECT_LE(shim_.live_bytes(), session.parts[1].memory.Total() + 4096 + 4 * 12 * 1024);
}

// What the plan says is what the GPU must have; a GPU that says it has less gets fewer layers, down to none.
TEST_F(SplitPlan, WithoutANumberAsManyLayersAsFit) {
  uint64_t needed[3] = {};
  for (const int32_t n : {1, 2}) {
    const auto loaded = Load(n);
    ASSERT_TRUE(loaded);
    needed[n] = loaded->session->parts.back().memory.Total();
  }
  const auto load_with = [this](uint64_t free) {
    shim_.claimed_free = free;
    const auto loaded = Load(std::nullopt);
    EXPECT_TRUE(loaded);
    EXPECT_FALSE(Generate(*loaded->session, prompts_, 3).empty());
    return DevicesOf(*loaded->session);
  };
  EXPECT_THAT(load_with(needed[2] + needed[2] / 14), ElementsAre("hip:0"));
  EXPECT_THAT(load_with(needed[2]), ElementsAre("cpu", "hip:0"));  // no margin is left
  EXPECT_THAT(load_with(needed[1] + needed[1] / 14), ElementsAre("cpu", "hip:0"));
  EXPECT_THAT(load_with(needed[1]), ElementsAre("cpu"));  // no margin is left
  EXPECT_THAT(load_with(1), ElementsAre("cpu"));
}

// The request whose step it was ends; the next one has both devices again.
TEST_F(SplitPlan, EveryCallOfARequestRunsOutOfMemoryOnce) {
  options_.use_prefix_cache = false;
  const auto loaded = Load(1);
  ASSERT_TRUE(loaded);
  const std::vector<TokenIds> one = {prompts_[3]};
  const int before = shim_.n_calls;
  const auto expected = Generate(*loaded->session, one, 5);
  const int n_calls = shim_.n_calls - before;
  ASSERT_GT(n_calls, 50);
  for (int n = 0; n < n_calls; ++n) {
    shim_.fail_at = shim_.n_calls + n;
    shim_.code = hip::kGpuOutOfMemory;
    Answer failed;
    ASSERT_TRUE(loaded->session->engine->Submit(RequestFor(one[0], 5, failed)));
    static_cast<void>(loaded->session->engine->RunToCompletion());
    if (failed.result.value().error) {
      EXPECT_EQ(failed.result->error->code, ErrorCode::kOutOfMemory) << n;
    } else {
      EXPECT_EQ(failed.ids, expected[0]) << n;  // a call that it can do without, or one that was not made this time
    }
    shim_.fail_at = -1;
    ASSERT_EQ(Generate(*loaded->session, one, 5), expected) << n;
  }
}

}  // namespace
}  // namespace rf
