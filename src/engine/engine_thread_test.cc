#include "engine/engine_thread.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "engine/test_util/answer.h"
#include "engine/test_util/fake_runner.h"

namespace rf {
namespace {

using test::Answer;
using test::FakeRunner;
using Tokens = std::vector<int32_t>;

constexpr int32_t kSmallVocab = 50;

std::unique_ptr<Engine> NewEngine(int32_t max_queue = 512) {
  const RunnerLimits limits{.n_vocab = kSmallVocab,
                            .max_tokens = 40,
                            .max_sequences = 4,
                            .max_outputs = 4,
                            .page_tokens = 8,
                            .n_pages = 128,
                            .max_pages_per_sequence = 128};
  EngineOptions options;
  options.context_length = 1024;
  options.prefill_chunk = 32;
  options.max_queue = max_queue;
  return std::make_unique<Engine>(std::make_unique<FakeRunner>(limits), options);
}

Request NewRequest(Tokens prompt, int32_t max_tokens, std::promise<Answer>& promise) {
  auto answer = std::make_shared<Answer>();
  Request request = test::RequestFor(std::move(prompt), max_tokens, *answer);
  request.on_finish = [answer, &promise, tell = std::move(request.on_finish)](const RequestResult& result) {
    tell(result);
    promise.set_value(*answer);
  };
  return request;
}

TEST(EngineThread, ManyCallersGetTheirOwnTexts) {
  EngineThread engine(NewEngine());
  std::vector<std::thread> callers;
  for (int32_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&engine, caller] {
      for (int32_t round = 0; round < 5; ++round) {
        const Tokens prompt(static_cast<size_t>(caller + 1), round);
        std::promise<Answer> promise;
        ASSERT_TRUE(engine.Submit(NewRequest(prompt, 20, promise)));
        EXPECT_EQ(promise.get_future().get().ids, FakeRunner::Continue(prompt, 20, kSmallVocab));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(engine.health());
}

TEST(EngineThread, CancelEndsARunningRequest) {
  EngineThread engine(NewEngine());
  std::promise<Answer> promise;
  const auto id = engine.Submit(NewRequest({1}, 1000, promise));
  ASSERT_TRUE(id);
  engine.Cancel(*id);
  EXPECT_EQ(promise.get_future().get().result->reason, FinishReason::kCancelled);
  engine.Cancel(*id);  // again: it is gone
}

TEST(EngineThread, ShuttingDownCancelsWhatIsLeft) {
  std::promise<Answer> running, waiting;
  {
    EngineThread engine(NewEngine());
    ASSERT_TRUE(engine.Submit(NewRequest({1}, 1000, running)));
    ASSERT_TRUE(engine.Submit(NewRequest({2}, 1000, waiting)));
  }
  EXPECT_EQ(running.get_future().get().result->reason, FinishReason::kCancelled);
  EXPECT_EQ(waiting.get_future().get().result->reason, FinishReason::kCancelled);
}

TEST(EngineThread, UnsoundRequestsAndAFullQueueAreRefusedAtOnce) {
  EngineThread engine(NewEngine(/*max_queue=*/1));
  std::promise<Answer> unused;
  EXPECT_EQ(engine.Submit(NewRequest({}, 1, unused)).error().code, ErrorCode::kInvalidArgument);
  int n_busy = 0;
  std::vector<std::promise<Answer>> promises(200);
  std::vector<std::future<Answer>> accepted;
  for (auto& promise : promises) {
    auto id = engine.Submit(NewRequest({1}, 200, promise));
    if (id)
      accepted.push_back(promise.get_future());
    else if (id.error().code == ErrorCode::kBusy)
      ++n_busy;
  }
  EXPECT_GT(n_busy, 0);
  EXPECT_EQ(accepted.size() + static_cast<size_t>(n_busy), promises.size());
  for (auto& answer : accepted) EXPECT_EQ(answer.get().ids, FakeRunner::Continue({1}, 200, kSmallVocab));
}

TEST(EngineThread, AGroupOfAnySizeIsTakenWhenNobodyWaits) {
  EngineThread engine(NewEngine(/*max_queue=*/1));
  std::vector<std::promise<Answer>> promises(100);
  std::vector<Request> requests;
  // 6,400 prompt tokens: more than the four contexts that may wait.
  for (auto& promise : promises) requests.push_back(NewRequest(Tokens(64, 3), 4, promise));
  const auto ids = engine.SubmitAll(std::move(requests));
  ASSERT_TRUE(ids) << ids.error().ToString();
  EXPECT_EQ(ids->size(), promises.size());
  for (auto& promise : promises) {
    EXPECT_EQ(promise.get_future().get().ids, FakeRunner::Continue(Tokens(64, 3), 4, kSmallVocab));
  }
}

TEST(EngineThread, OfAGroupThatIsRefusedNothingRuns) {
  std::vector<std::promise<Answer>> promises(20), others(6);
  std::vector<std::future<Answer>> never;
  {
    EngineThread engine(NewEngine(/*max_queue=*/4));
    const auto group = [&](size_t n) {
      std::vector<Request> requests;
      for (size_t i = 0; i < n; ++i) requests.push_back(NewRequest({1}, 1000, promises[i]));
      return requests;
    };
    std::vector<Request> unsound = group(3);
    unsound[2].prompt.clear();
    EXPECT_EQ(engine.SubmitAll(std::move(unsound)).error().code, ErrorCode::kInvalidArgument);
    std::vector<Request> requests;
    for (auto& other : others) requests.push_back(NewRequest({2}, 1000, other));  // four run, two wait
    ASSERT_TRUE(engine.SubmitAll(std::move(requests)));
    EXPECT_EQ(engine.SubmitAll(group(10)).error().code, ErrorCode::kBusy);
    EXPECT_EQ(engine.stats().n_running + engine.stats().n_waiting, 6);
    for (auto& promise : promises) never.push_back(promise.get_future());
  }
  for (auto& answer : never) EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

}  // namespace
}  // namespace rf
