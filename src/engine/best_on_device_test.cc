// Sampling from the best logits that a GPU gives, under the block emulator: the same text as from whole rows.
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "engine/model_session.h"
#include "engine/sampler/passes.h"
#include "engine/test_util/answer.h"
#include "gguf/test_util/base_model.h"
#include "gguf/test_util/fake_files.h"
#include "hip/emulation/emulator.h"
#include "hip/hip_device.h"

namespace rf {
namespace {

// How many rows were asked for their best only, and how many of those were fetched all the same.
struct Counts {
  int n_rows = 0;
  int n_best = 0;
  int n_fetched = 0;
};

class CountingRunner final : public Runner {
 public:
  CountingRunner(std::unique_ptr<Runner> inner, Counts& counts) : inner_(std::move(inner)), counts_(counts) {}
  const RunnerLimits& limits() const override { return inner_->limits(); }
  Result<std::span<const float>> Run(const StepBatch& batch) override {
    for (size_t i = 0; i < batch.output_rows.size(); ++i) {
      ++counts_.n_rows;
      if (batch.WantsBest(i)) ++counts_.n_best;
    }
    return inner_->Run(batch);
  }
  BestOfRow Best(size_t output) const override { return inner_->Best(output); }
  Status FetchRow(size_t output) override {
    ++counts_.n_fetched;
    return inner_->FetchRow(output);
  }
  Status CopyPage(int32_t source, int32_t destination) override { return inner_->CopyPage(source, destination); }

 private:
  std::unique_ptr<Runner> inner_;
  Counts& counts_;
};

// One of each way to choose, several of which the best of a row decide, often, seldom or never.
std::vector<Request> Requests() {
  std::vector<SamplingParams> params(9);
  params[1].repetition_penalty = 1.4f;
  params[1].dry_multiplier = 0.8f;
  params[2] = {.temperature = 0.9f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f};
  params[3] = {.temperature = 0.4f, .top_p = 0.7f, .frequency_penalty = 0.7f};
  params[4] = {.temperature = 1.5f, .top_p = 0.95f};
  params[5] = {.temperature = 0.7f, .min_p = 0.3f, .repetition_penalty = 1.2f};
  params[5].logit_bias = {{40, 4.0f}, {41, 3.0f}, {40, -1.0f}};
  params[5].banned_ids = {50};
  params[6] = {.temperature = 1.0f};
  params[7] = {.temperature = 0.8f, .top_k = 20, .xtc_probability = 0.5f, .presence_penalty = 1.0f};
  params[8] = {.temperature = 1.0f, .min_p = 0.01f};
  params[8].allowed_ids = {30, 31, 32};
  std::vector<Request> requests;
  for (size_t i = 0; i < params.size(); ++i) {
    Request& request = requests.emplace_back();
    request.prompt = {1, static_cast<int32_t>(10 + i), 30, 30, 31};
    request.max_tokens = 12;
    request.sampling = params[i];
    request.sampling.seed = 7 + i;
  }
  requests.push_back(requests[2]);
  requests.back().n_top_logprobs = 3;
  return requests;
}

class BestOnDevice : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    files_.Put("model.gguf", bytes_);
    auto device = hip::CreateHipDevice(hip::emulation::Api(), "emulated", GetParam());
    ASSERT_TRUE(device) << device.error().ToString();
    device_ = *std::move(device);
  }

  Result<std::unique_ptr<ModelSession>> Load(bool best_on_device, Counts& counts) {
    Device* const devices[] = {device_.get()};
    SessionOptions options;
    options.context_length = 64;
    options.max_sequences = 4;
    options.best_on_device = best_on_device;
    options.syscalls = &files_.syscalls();
    options.wrap_runner = [&counts](std::unique_ptr<Runner> runner) {
      return std::make_unique<CountingRunner>(std::move(runner), counts);
    };
    return LoadModel("model.gguf", devices, options);
  }

  // The requests' tokens, several sequences at a time.
  std::vector<std::vector<int32_t>> Generate(bool best_on_device, Counts& counts) {
    const auto session = Load(best_on_device, counts);
    EXPECT_TRUE(session) << session.error().ToString();
    std::vector<Request> requests = Requests();
    std::vector<std::vector<int32_t>> ids(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      requests[i].on_token = [&ids, i](const GeneratedToken& token) {
        ids[i].push_back(token.id);
        return true;
      };
      EXPECT_TRUE((*session)->engine->Submit(std::move(requests[i])));
    }
    EXPECT_TRUE((*session)->engine->RunToCompletion());
    return ids;
  }

  const std::string bytes_ = BaseModelBytes();
  MemoryFiles files_;
  std::unique_ptr<Device> device_;
};

TEST_P(BestOnDevice, WritesTheTextThatWholeRowsGive) {
  Counts whole;
  const auto expected = Generate(false, whole);
  EXPECT_EQ(whole.n_best, 0);
  Counts counts;
  const auto ids = Generate(true, counts);
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i], expected[i]) << "request " << i;
    EXPECT_FALSE(ids[i].empty()) << "request " << i;
  }
  EXPECT_EQ(counts.n_rows, whole.n_rows);
  EXPECT_GT(counts.n_best, counts.n_rows / 2);
  EXPECT_LT(counts.n_best, counts.n_rows);
  EXPECT_GT(counts.n_fetched, 0);
  EXPECT_LT(counts.n_fetched, counts.n_best / 2);
}

TEST_P(BestOnDevice, ARequestThatForbidsEverythingIsToldSo) {
  Counts counts;
  const auto session = Load(true, counts);
  ASSERT_TRUE(session);
  test::Answer answer;
  Request request = test::RequestFor({1}, 3, answer);
  for (int32_t id = 0; id < kBaseVocab; ++id) request.sampling.banned_ids.push_back(id);
  ASSERT_TRUE((*session)->engine->Submit(std::move(request)));
  ASSERT_TRUE((*session)->engine->RunToCompletion());
  ASSERT_TRUE(answer.result && answer.result->error);
  EXPECT_EQ(answer.result->error->where, "logit_bias");
}

// An array in the device's memory.
template <typename T>
T* Place(Device& device, Stream& stream, const std::vector<T>& values, std::vector<std::unique_ptr<Buffer>>& memory) {
  memory.push_back(device.Allocate(std::max<size_t>(1, values.size() * sizeof(T)), "a test").value());
  EXPECT_TRUE(stream.CopyToDevice(memory.back()->data(), values.data(), values.size() * sizeof(T)));
  EXPECT_TRUE(stream.Synchronize());
  return static_cast<T*>(memory.back()->data());
}

TEST_P(BestOnDevice, SumsHaveTheBitsOfTheHosts) {
  constexpr size_t kVocab = 5000;
  constexpr float kFactors[] = {1.442695f, 0.3f, 7.0f};
  const auto stream = device_->CreateStream().value();
  std::vector<std::unique_ptr<Buffer>> memory;
  for (const float factor : kFactors) {
    std::vector<float> row(kVocab);
    for (size_t i = 0; i < kVocab; ++i) row[i] = 9.0f * std::sin(static_cast<float>(i * i % 977));
    row[17] = std::nanf("");
    const std::vector<float> nothing(1000, 0.0f);
    BatchView batch;
    batch.n_outputs = 1;
    batch.best_factors = Place(*device_, *stream, std::vector<float>{factor}, memory);
    batch.first_change = Place(*device_, *stream, std::vector<int32_t>{0, 0}, memory);
    const auto n_parts = BestLogits::PartsOf(kVocab);
    const TensorView logits{Place(*device_, *stream, row, memory), Format::kF32, 1, kVocab, kVocab};
    const TensorView ids{Place(*device_, *stream, nothing, memory), Format::kI32, 1, 16, 16};
    const TensorView values{Place(*device_, *stream, nothing, memory), Format::kF32, 1, 16, 16};
    const TensorView sums{Place(*device_, *stream, nothing, memory), Format::kF32, 1, n_parts, n_parts};
    const BestLogits::Args args{logits, ids, values, sums, logits, &batch};
    const auto& kernel = device_->kernels().best_logits.Get(Format::kF32);
    memory.push_back(device_->Allocate(kernel.workspace_bytes(args, 0), "a test").value());
    stream->SetWorkspace(memory.back().get());
    kernel.launch(stream->native(), args);
    std::vector<float> got(static_cast<size_t>(n_parts));
    ASSERT_TRUE(stream->CopyToHost(got.data(), sums.data, got.size() * sizeof(float)));
    ASSERT_TRUE(stream->Synchronize());

    row[17] = -1e30f;  // no weight either
    const WeightScale scale{*std::max_element(row.begin(), row.end()), factor};
    std::vector<float> weights(kVocab);
    EXPECT_EQ(SumOfParts(got), SumWeights(row, scale, weights)) << factor;
  }
}

INSTANTIATE_TEST_SUITE_P(Waves, BestOnDevice, testing::Values(0, 1));

}  // namespace
}  // namespace rf
