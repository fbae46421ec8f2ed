// Requests that do not end well: full queues, clients that leave, readers that stop, failing devices, shutdown.
#include "server/test_util/api_fixture.h"

namespace rf::server {
namespace {

using std::chrono::milliseconds;
using test_util::Json;
using test_util::RawClient;
using test_util::RawResponse;
using testing::HasSubstr;
using testing::Not;

class RequestsTest : public test_util::ApiTest {
 protected:
  // A stream of capitals that goes on for as long as the context allows.
  static std::string LongStream(Json more = Json::object()) {
    more.update({{"stream", true}, {"max_tokens", 1'000'000}});
    return Post("/v1/completions", Completion("A", more).dump());
  }
};

TEST_F(RequestsTest, AFullQueueIsA429) {
  controls_->step_ms = 20;
  Start({.max_sequences = 1, .max_queue = 2});
  RawClient running(port_), waiting1(port_), waiting2(port_);
  running.Send(LongStream());
  ASSERT_TRUE(running.ReadUntil("data: "));
  ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_running == 1; }));
  waiting1.Send(LongStream());
  waiting2.Send(LongStream());
  ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_waiting == 2; }));
  const RawResponse refused = PostTo("/v1/chat/completions", Chat().dump());
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(RawClient::Header(refused, "Retry-After"), "1");
  const Json error = Json::parse(refused.body)["error"];
  EXPECT_EQ(error["type"], "rate_limit_error");
  EXPECT_EQ(PostTo("/v1/chat/completions", Chat({{"n", 5}, {"stream", true}}).dump()).status, 429);
  EXPECT_EQ(Get("/health").status, 200);
  for (RawClient* client : {&running, &waiting1, &waiting2}) client->Close();
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }));
  EXPECT_EQ(PostTo("/v1/chat/completions", Chat().dump()).status, 200);
}

TEST_F(RequestsTest, AnIdleServerTakesAnyNumberOfChoices) {
  controls_->step_ms = 5;  // the engine's thread sleeps while they are handed over
  Start({.max_sequences = 1, .max_queue = 1});
  // 16 times 206 tokens: more than the four contexts of 256 that may wait.
  const std::string text(200, 'x');
  const Json answer = AskChat({{"n", 16}, {"max_tokens", 2}, {"messages", {{{"role", "user"}, {"content", text}}}}});
  ASSERT_EQ(answer["choices"].size(), 16u);
  for (const Json& choice : answer["choices"]) EXPECT_EQ(choice["message"]["content"], "ab");
  Json prompts = Json::array();
  for (int i = 0; i < 64; ++i) prompts.push_back(text + ">");
  const Json texts = AskCompletion("", {{"prompt", prompts}, {"n", 2}, {"max_tokens", 1}});
  ASSERT_EQ(texts["choices"].size(), 128u);
  for (const Json& choice : texts["choices"]) EXPECT_EQ(choice["text"], "a");
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }));
}

TEST_F(RequestsTest, AnEchoThatNobodyReadsIsGivenUp) {
  ApiOptions options;
  options.stream_buffer_bytes = 16 << 10;
  Start({.context = 8192}, options);
  RawClient client(port_, /*receive_buffer=*/4096);
  const Json more = {{"echo", true}, {"logprobs", 5}, {"max_tokens", 0}, {"stream", true}};
  client.Send(Post("/v1/completions", Completion(std::string(6000, 'A'), more).dump()));
  // How far the prompt gets before the request is given up is the machine's business.
  ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_prompt_tokens > 0 && IsIdle(); }, 30000));
  const std::string all = client.ReadAll();
  EXPECT_THAT(all, HasSubstr("the client takes the stream too slowly"));
  EXPECT_THAT(all, Not(HasSubstr("[DONE]")));
}

TEST_F(RequestsTest, ClientsThatLeaveFreeEverything) {  // H36
  controls_->step_ms = 10;
  Start({.max_sequences = 1, .prefill_chunk = 1});
  const std::string prompt(200, 'A');
  {
    RawClient in_decode(port_), queued(port_), queued_whole(port_);
    in_decode.Send(LongStream());
    ASSERT_TRUE(in_decode.ReadUntil("\"text\":\"C\""));
    queued.Send(LongStream());
    queued_whole.Send(Post("/v1/completions", Completion("A", {{"max_tokens", 200}, {"n", 3}}).dump()));
    ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_waiting == 4; }));
  }
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }));
  const uint64_t n_steps = api_->engine().stats().n_steps;
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(api_->engine().stats().n_steps, n_steps) << "the engine works for nobody";
  {
    RawClient in_prefill(port_);
    in_prefill.Send(Post("/v1/completions", Completion(prompt).dump()));
    ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_prompt_tokens > 5; }));
  }
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }, 500));
  EXPECT_LT(api_->engine().stats().n_prompt_tokens, 150u);
}

TEST_F(RequestsTest, OthersAreNotDisturbedByOneThatLeaves) {
  controls_->step_ms = 2;
  Start();
  RawClient stays(port_);
  stays.Send(Post("/v1/chat/completions", Chat({{"stream", true}}).dump()));
  for (int i = 0; i < 10; ++i) {
    RawClient leaves(port_);
    leaves.Send(LongStream());
    if (i % 2 == 0) leaves.ReadUntil("data: ");
  }
  std::string text;
  for (const std::string& event : Events(stays.ReadResponse().body)) {
    if (event != "[DONE]") text += Json::parse(event)["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }));
}

TEST_F(RequestsTest, AReaderThatStopsIsGivenUp) {  // H38
  HttpLimits limits;
  limits.write_stall_seconds = 1;
  Start({.context = 1 << 16}, {}, limits);
  RawClient client(port_, /*receive_buffer=*/4096);
  client.Send(LongStream({{"logprobs", 5}}));
  // It may have been given up before anyone could see it run.
  ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_generated_tokens > 0; }));
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }, 10'000));
  EXPECT_LT(api_->engine().stats().n_generated_tokens, 60'000u) << "all of it was made for nobody";
}

TEST_F(RequestsTest, AnErrorInAStreamIsItsLastEvent) {
  controls_->step_ms = 5;
  Start();
  RawClient client(port_);
  client.Send(LongStream());
  ASSERT_TRUE(client.ReadUntil("\"text\":\"C\""));
  controls_->fails = true;
  const std::string all = client.ReadAll();
  EXPECT_TRUE(client.ended());
  EXPECT_THAT(all, HasSubstr("data: {\"error\":{\"message\":\"the fake device is lost\""));
  EXPECT_THAT(all, Not(HasSubstr("[DONE]")));
  EXPECT_THAT(all.substr(all.size() - 7), Not(HasSubstr("0\r\n\r\n"))) << "the body must not look complete";
}

TEST_F(RequestsTest, ARequestThatTakesTooLong) {
  controls_->step_ms = 50;
  ApiOptions options;
  options.request_timeout = std::chrono::seconds(1);
  Start({}, options);
  const RawResponse response = PostTo("/v1/completions", Completion("A", {{"max_tokens", 200}}).dump());
  EXPECT_EQ(response.status, 408);
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }));
}

TEST_F(RequestsTest, DrainFinishesStreamsAndRefusesNewOnes) {
  controls_->step_ms = 5;
  Start();
  RawClient client(port_);
  client.Send(Post("/v1/chat/completions", Chat({{"stream", true}}).dump()));
  ASSERT_TRUE(client.ReadUntil("\"content\":\"b\""));
  server_->Drain(std::chrono::seconds(20), [&] { api_->CancelAll(); });
  ASSERT_TRUE(WaitFor([&] { return !RawClient(port_).is_connected(); }));
  EXPECT_THAT(client.ReadResponse().body, HasSubstr("[DONE]"));
  client.Close();
  thread_.join();
}

TEST_F(RequestsTest, WhatIsLeftAtTheDrainTimeoutGetsAnError) {
  controls_->step_ms = 20;
  Start({.max_sequences = 2});
  RawClient stream(port_), whole(port_);
  stream.Send(LongStream());
  whole.Send(Post("/v1/completions", Completion("A", {{"max_tokens", 250}}).dump()));
  ASSERT_TRUE(stream.ReadUntil("\"text\":\"C\""));
  ASSERT_TRUE(WaitFor([&] { return api_->engine().stats().n_running == 2; }));
  server_->Drain(milliseconds(100), [&] { api_->CancelAll(); });
  const std::string all = stream.ReadAll();
  EXPECT_THAT(all, HasSubstr("data: {\"error\":{\"message\":\"the request was cancelled"));
  EXPECT_THAT(all, Not(HasSubstr("[DONE]")));
  EXPECT_EQ(whole.ReadResponse().status, 503);
  whole.Close();
  thread_.join();
}

TEST_F(RequestsTest, ManyAtOnceGetWhatTheyGetAlone) {
  controls_->step_ms = 1;
  Start({.context = 64, .max_sequences = 4});
  std::vector<std::thread> clients;
  std::atomic<int> n_right = 0;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back([&, i] {
      const std::string begin(1, static_cast<char>('a' + i % 20));
      std::string wanted;
      for (char c = static_cast<char>(begin[0] + 1); c <= 'z'; ++c) wanted += c;
      const RawResponse response = PostTo("/v1/completions", Completion(begin, {{"max_tokens", 60}}).dump());
      const Json answer = Json::parse(response.body, nullptr, false);
      if (response.status == 200 && answer["choices"][0]["text"] == wanted) ++n_right;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(n_right, 32);
  EXPECT_TRUE(WaitFor([&] { return IsIdle(); }));
}

}  // namespace
}  // namespace rf::server
