#include "engine/engine.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "base/check.h"
#include "engine/test_util/answer.h"
#include "engine/test_util/fake_runner.h"

namespace rf {
namespace {

using test::Answer;
using test::FakeRunner;
using test::RequestFor;
using Tokens = std::vector<int32_t>;

constexpr int32_t kVocab = 97;

RunnerLimits Limits() {
  return {.n_vocab = kVocab,
          .max_tokens = 24,
          .max_sequences = 8,
          .max_outputs = 8,
          .page_tokens = 4,
          .n_pages = 64,
          .max_pages_per_sequence = 16};
}

EngineOptions Options() {
  EngineOptions options;
  options.context_length = 64;
  options.prefill_chunk = 16;
  return options;
}

// An engine over a fake runner, and what its requests were told.
class Harness {
 public:
  explicit Harness(const RunnerLimits& limits = Limits(), const EngineOptions& options = Options()) {
    auto runner = std::make_unique<FakeRunner>(limits);
    runner_ = runner.get();
    engine_ = std::make_unique<Engine>(std::move(runner), options);
  }

  RequestId Submit(Tokens prompt, int32_t max_tokens, Answer& answer) {
    auto id = engine_->Submit(RequestFor(std::move(prompt), max_tokens, answer));
    EXPECT_TRUE(id.has_value());
    return id ? *id : 0;
  }

  Engine& engine() { return *engine_; }
  FakeRunner& runner() { return *runner_; }

 private:
  FakeRunner* runner_;
  std::unique_ptr<Engine> engine_;
};

Tokens RandomPrompt(std::mt19937& random, size_t n) {
  Tokens tokens;
  while (tokens.size() < n) tokens.push_back(static_cast<int32_t>(random() % kVocab));
  return tokens;
}

TEST(Engine, OneRequestGivesTheGreedyContinuation) {
  Harness harness;
  Answer outcome;
  harness.Submit({1, 2, 3}, 10, outcome);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(outcome.ids, FakeRunner::Continue({1, 2, 3}, 10, kVocab));
  ASSERT_TRUE(outcome.result);
  EXPECT_EQ(outcome.result->reason, FinishReason::kLength);
  EXPECT_EQ(outcome.result->n_prompt, 3);
  EXPECT_EQ(outcome.result->n_generated, 10);
  EXPECT_EQ(harness.engine().stats().n_free_pages, 64);
}

TEST(Engine, StopTokensEndAnAnswerAndAreNotReported) {
  Harness harness;
  const Tokens expected = FakeRunner::Continue({5}, 6, kVocab);
  Answer outcome;
  Request request = RequestFor({5}, 50, outcome);
  request.stop_ids = {expected[4]};
  ASSERT_TRUE(harness.engine().Submit(std::move(request)));
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(outcome.ids, Tokens(expected.begin(), expected.begin() + 4));
  EXPECT_EQ(outcome.result->reason, FinishReason::kStop);
}

TEST(Engine, ACallbackCanEndAnAnswer) {
  Harness harness;
  Answer outcome;
  Request request = RequestFor({5}, 50, outcome);
  int n = 0;
  request.on_token = [&n](const GeneratedToken&) { return ++n < 3; };
  ASSERT_TRUE(harness.engine().Submit(std::move(request)));
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(n, 3);
  EXPECT_EQ(outcome.result->reason, FinishReason::kStop);
}

TEST(Engine, TheContextEndsAnAnswer) {
  Harness harness;
  Answer outcome;
  harness.Submit(Tokens(60, 1), kUnlimitedTokens, outcome);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(outcome.ids.size(), 4u);
  EXPECT_EQ(outcome.result->reason, FinishReason::kLength);
}

TEST(Engine, LongPromptsAreCutIntoChunksBesideRunningAnswers) {
  Harness harness;
  Answer decoding, filling;
  harness.Submit({1}, 20, decoding);
  ASSERT_TRUE(harness.engine().Step());
  harness.Submit(Tokens(40, 2), 1, filling);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(harness.engine().Step());
  EXPECT_EQ(harness.runner().step_sizes, (std::vector<size_t>{1, 17, 17, 9}));
  EXPECT_EQ(decoding.ids.size(), 4u);
  EXPECT_EQ(filling.ids.size(), 1u);
}

// Any mix of requests, chunk sizes, small caches and cancellations: each text is the one it would have alone.
TEST(Engine, TextsDoNotDependOnWhatRunsBeside) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    RunnerLimits limits = Limits();
    limits.n_pages = static_cast<int32_t>(16 + random() % 24);  // from one context up: preemption is common
    limits.max_sequences = static_cast<int32_t>(1 + random() % 8);
    EngineOptions options = Options();
    options.prefill_chunk = static_cast<int32_t>(1 + random() % 16);
    options.use_prefix_cache = seed % 3 != 0;
    options.max_queue_tokens = 100000;
    Harness harness(limits, options);

    constexpr size_t kRequests = 24;
    std::vector<Answer> outcomes(kRequests);
    std::vector<Tokens> prompts;
    std::vector<int32_t> lengths;
    std::vector<RequestId> ids;
    size_t n_submitted = 0;
    while (n_submitted < kRequests || harness.engine().HasWork()) {
      if (n_submitted < kRequests && random() % 2 == 0) {
        // Often a shared beginning, sometimes one that ends exactly with a page.
        Tokens prompt = Tokens(random() % 5 * 4, 7);
        for (const int32_t token : RandomPrompt(random, random() % 12)) prompt.push_back(token);
        if (prompt.empty()) prompt.push_back(3);
        lengths.push_back(static_cast<int32_t>(1 + random() % 30));
        ids.push_back(harness.Submit(prompt, lengths.back(), outcomes[n_submitted++]));
        prompts.push_back(std::move(prompt));
      }
      if (n_submitted > 0 && random() % 23 == 0) harness.engine().Cancel(ids[random() % n_submitted]);
      ASSERT_TRUE(harness.engine().Step()) << "seed " << seed;
    }
    for (size_t i = 0; i < kRequests; ++i) {
      const Tokens expected = FakeRunner::Continue(prompts[i], lengths[i], kVocab);
      ASSERT_TRUE(outcomes[i].result) << "seed " << seed << ", request " << i;
      const bool was_cancelled = outcomes[i].result->reason == FinishReason::kCancelled;
      ASSERT_LE(outcomes[i].ids.size(), expected.size());
      ASSERT_TRUE(was_cancelled || outcomes[i].ids.size() == expected.size()) << "seed " << seed;
      ASSERT_TRUE(std::equal(outcomes[i].ids.begin(), outcomes[i].ids.end(), expected.begin()))
          << "seed " << seed << ", request " << i;
    }
    EXPECT_EQ(harness.engine().stats().n_free_pages, limits.n_pages);
  }
}

TEST(Engine, ASmallCachePreemptsAndEveryoneFinishes) {
  RunnerLimits limits = Limits();
  limits.n_pages = 16;
  Harness harness(limits);
  std::vector<Answer> outcomes(6);
  for (size_t i = 0; i < outcomes.size(); ++i) harness.Submit({static_cast<int32_t>(i)}, 40, outcomes[i]);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_GT(harness.engine().stats().n_preemptions, 0u);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].ids, FakeRunner::Continue({static_cast<int32_t>(i)}, 40, kVocab));
  }
}

TEST(Engine, APrefixIsComputedOnce) {
  Harness harness;
  Answer first, second, third;
  harness.Submit(Tokens(20, 7), 1, first);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  harness.Submit(Tokens(20, 7), 5, second);  // all of it is known: only the last token is computed again
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(second.result->n_cached, 19);
  EXPECT_EQ(second.ids, FakeRunner::Continue(Tokens(20, 7), 5, kVocab));
  Request other = RequestFor(Tokens(20, 7), 1, third);
  other.cache_salt = 1;
  ASSERT_TRUE(harness.engine().Submit(std::move(other)));
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(third.result->n_cached, 0);
}

TEST(Engine, APromptThatFillsTheCacheCanBeAskedAgain) {
  RunnerLimits limits = Limits();
  limits.n_pages = 4;
  EngineOptions options = Options();
  options.context_length = 16;
  Harness harness(limits, options);
  const Tokens prompt(16, 7);
  for (int round = 0; round < 3; ++round) {
    Answer outcome;
    harness.Submit(prompt, 1, outcome);
    ASSERT_TRUE(harness.engine().RunToCompletion());
    EXPECT_EQ(outcome.ids, FakeRunner::Continue(prompt, 1, kVocab));
    EXPECT_EQ(outcome.result->n_cached, round == 0 ? 0 : 12);  // there is no page for a copy of the last one
  }
}

TEST(Engine, LogitsOfAPromptLeaveRoomForOthers) {
  Harness harness;
  Answer logits, other;
  Request request = RequestFor(Tokens(60, 3), 0, logits);
  request.on_logits = [](int32_t, std::span<const float>) {};
  ASSERT_TRUE(harness.engine().Submit(std::move(request)));
  ASSERT_TRUE(harness.engine().Step());
  harness.Submit({1, 2}, 1, other);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(harness.engine().Step());
  EXPECT_TRUE(other.result);
  EXPECT_FALSE(logits.result);
}

TEST(Engine, LogitsThatAreNotFiniteAreAnError) {
  RunnerLimits limits = Limits();
  class Broken final : public Runner {
   public:
    explicit Broken(const RunnerLimits& runner_limits) : limits_(runner_limits), logits_(kVocab, NAN) {}
    const RunnerLimits& limits() const override { return limits_; }
    Result<std::span<const float>> Run(const StepBatch&) override { return std::span<const float>(logits_); }
    Status CopyPage(int32_t, int32_t) override { return {}; }

   private:
    RunnerLimits limits_;
    std::vector<float> logits_;
  };
  Engine engine(std::make_unique<Broken>(limits), Options());
  std::optional<RequestResult> result;
  Request request;
  request.prompt = {1};
  request.on_finish = [&result](const RequestResult& ended) { result = ended; };
  ASSERT_TRUE(engine.Submit(std::move(request)));
  ASSERT_TRUE(engine.RunToCompletion());
  ASSERT_TRUE(result && result->error);
  EXPECT_EQ(result->error->code, ErrorCode::kDevice);
}

TEST(Engine, ACallbackThatThrowsIsAnErrorOfItsRequests) {
  Harness harness;
  Answer outcome;
  Request request = RequestFor({1}, 10, outcome);
  request.on_token = [](const GeneratedToken&) -> bool { throw std::length_error("too long"); };
  ASSERT_TRUE(harness.engine().Submit(std::move(request)));
  EXPECT_EQ(harness.engine().Step().error().code, ErrorCode::kInternal);
  EXPECT_EQ(outcome.result->reason, FinishReason::kError);
  EXPECT_FALSE(harness.engine().HasWork());
}

TEST(Engine, LogitsOfEveryPromptPositionComeOnceAndInOrder) {
  RunnerLimits limits = Limits();
  limits.max_outputs = 8;
  limits.n_pages = 18;  // so small that the request is preempted now and then
  Harness harness(limits);
  std::mt19937 random(3);
  const Tokens prompt = RandomPrompt(random, 50);
  Answer older, outcome;
  harness.Submit(RandomPrompt(random, 8), 50, older);
  Request request = RequestFor(prompt, 0, outcome);
  request.logits_from = 5;
  int32_t next = 5;
  request.on_logits = [&](int32_t position, std::span<const float> logits) {
    EXPECT_EQ(position, next++);
    const auto until = std::span(prompt).first(static_cast<size_t>(position) + 1);
    EXPECT_EQ(ArgMax(logits), FakeRunner::NextToken(until, kVocab));
  };
  ASSERT_TRUE(harness.engine().Submit(std::move(request)));
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(next, 50);
  EXPECT_TRUE(outcome.ids.empty());
  EXPECT_EQ(outcome.result->reason, FinishReason::kLength);
}

TEST(Engine, CancellingAWaitingRequestTouchesNobodyElse) {
  RunnerLimits limits = Limits();
  limits.max_sequences = 1;
  limits.max_outputs = 1;
  Harness harness(limits);
  Answer running, waiting;
  harness.Submit({1}, 10, running);
  const RequestId id = harness.Submit({2}, 10, waiting);
  ASSERT_TRUE(harness.engine().Step());
  harness.engine().Cancel(id);
  harness.engine().Cancel(12345);  // unknown: ignored
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(waiting.result->reason, FinishReason::kCancelled);
  EXPECT_TRUE(waiting.ids.empty());
  EXPECT_EQ(running.ids, FakeRunner::Continue({1}, 10, kVocab));
}

TEST(Engine, ADeviceErrorEndsTheBatchAndTheEngineGoesOn) {
  Harness harness;
  Answer failed, later;
  harness.Submit({1}, 10, failed);
  harness.runner().on_run = [](const StepBatch&) { return Status(Error{ErrorCode::kDevice, "lost", ""}); };
  EXPECT_FALSE(harness.engine().Step());
  EXPECT_EQ(failed.result->reason, FinishReason::kError);
  EXPECT_EQ(failed.result->error->code, ErrorCode::kDevice);
  harness.runner().on_run = nullptr;
  harness.Submit({1}, 3, later);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(later.ids, FakeRunner::Continue({1}, 3, kVocab));
  EXPECT_EQ(harness.engine().stats().n_free_pages, 64);
}

TEST(Engine, ABugInAStepIsAnErrorOfItsRequests) {
  Harness harness;
  Answer outcome;
  harness.Submit({1}, 10, outcome);
  harness.runner().on_run = [](const StepBatch&) -> Status { throw BugError("broken invariant"); };
  const Status status = harness.engine().Step();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInternal);
  EXPECT_EQ(outcome.result->reason, FinishReason::kError);
  EXPECT_FALSE(harness.engine().HasWork());
}

TEST(Engine, UnsoundRequestsAreRefusedByField) {
  Harness harness;
  const auto refusal = [&](auto change) {
    Answer outcome;
    Request request = RequestFor({1, 2}, 4, outcome);
    change(request);
    const auto id = harness.engine().Submit(std::move(request));
    EXPECT_FALSE(id);
    if (id) return std::string();
    EXPECT_EQ(id.error().code, ErrorCode::kInvalidArgument);
    return id.error().where;
  };
  EXPECT_EQ(refusal([](Request& r) { r.prompt.clear(); }), "prompt");
  EXPECT_EQ(refusal([](Request& r) { r.prompt = {kVocab}; }), "prompt");
  EXPECT_EQ(refusal([](Request& r) { r.prompt = {-1}; }), "prompt");
  EXPECT_EQ(refusal([](Request& r) { r.prompt = Tokens(65, 1); }), "prompt");
  EXPECT_EQ(refusal([](Request& r) { r.max_tokens = -1; }), "max_tokens");
  EXPECT_EQ(refusal([](Request& r) { r.sampling.temperature = NAN; }), "temperature");
  EXPECT_EQ(refusal([](Request& r) { r.sampling.top_p = 1.5f; }), "top_p");
  EXPECT_EQ(refusal([](Request& r) { r.sampling.logit_bias = {{kVocab, 1.0f}}; }), "logit_bias");
}

TEST(Engine, ARequestLargerThanTheWholeCacheIsRefusedWithTheNumbers) {
  RunnerLimits limits = Limits();
  limits.n_pages = 4;
  Harness harness(limits);
  Answer outcome;
  const auto id = harness.engine().Submit(RequestFor(Tokens(10, 1), 20, outcome));
  ASSERT_FALSE(id);
  EXPECT_NE(id.error().message.find("10 prompt tokens and 20 new ones"), std::string::npos);
  harness.Submit(Tokens(10, 1), kUnlimitedTokens, outcome);  // without a limit of its own it ends where the cache does
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_EQ(outcome.ids.size(), 6u);
}

TEST(Engine, AFullQueueIsBusy) {
  EngineOptions options = Options();
  options.max_queue = 1;
  RunnerLimits limits = Limits();
  limits.max_sequences = 1;
  Harness harness(limits, options);
  Answer a, b, c;  // one can start at once, one waits
  harness.Submit({1}, 1, a);
  harness.Submit({2}, 1, b);
  const auto refused = harness.engine().Submit(RequestFor({3}, 1, c));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  harness.Submit({3}, 1, c);
  ASSERT_TRUE(harness.engine().RunToCompletion());
  EXPECT_TRUE(c.result);
}

TEST(Engine, LogProbabilitiesAreThoseOfTheModel) {
  Harness harness;
  Answer outcome;
  Request request = RequestFor({1}, 1, outcome);
  request.n_top_logprobs = 3;
  std::optional<GeneratedToken> token;
  request.on_token = [&](const GeneratedToken& generated) {
    token = generated;
    return true;
  };
  ASSERT_TRUE(harness.engine().Submit(std::move(request)));
  ASSERT_TRUE(harness.engine().RunToCompletion());
  ASSERT_EQ(token->top.size(), 3u);
  EXPECT_EQ(token->top[0].id, token->id);
  EXPECT_FLOAT_EQ(token->top[0].logprob, token->logprob);
  EXPECT_LT(token->logprob, 0.0f);
}

}  // namespace
}  // namespace rf
