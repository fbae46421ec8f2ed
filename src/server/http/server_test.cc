// The HTTP layer against a client on a plain socket: limits, framing, deadlines, hosts, pipelines, ends.
#include "server/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/test_util/raw_client.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using test_util::RawClient;
using test_util::RawResponse;
using testing::HasSubstr;
using testing::Not;

// Counts handlers at work, also those that are cancelled.
struct AtWork {
  explicit AtWork(std::atomic<int>& counter) : n(counter) { ++n; }
  ~AtWork() { --n; }
  std::atomic<int>& n;
};

class HttpTest : public testing::Test {
 protected:
  void Start(HttpLimits limits = {}, const std::string& host = "127.0.0.1") {
    auto server = HttpServer::Bind(host, 0, limits);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_->Listen(MakeRouter()));
    port_ = static_cast<uint16_t>(std::stoi(server_->address().substr(server_->address().rfind(':') + 1)));
    thread_ = std::thread([this] {
      try {
        server_->Run();
      } catch (const std::exception& error) {
        run_error_ = error.what();
        n_at_work_after_error_ = n_at_work_;
      }
    });
  }

  void TearDown() override {
    if (server_) server_->Stop();
    if (thread_.joinable()) thread_.join();
    EXPECT_EQ(n_at_work_, 0);
  }

  Router MakeRouter() {
    Router router;
    router.Add("GET", "/hello",
               [](const HttpRequest&) -> asio::awaitable<HandlerResult> { co_return JsonResponse("hello"); });
    router.Add("GET", "/things/*", [](const HttpRequest& request) -> asio::awaitable<HandlerResult> {
      co_return JsonResponse(request.path);
    });
    router.Add("POST", "/echo", [this](const HttpRequest& request) -> asio::awaitable<HandlerResult> {
      ++n_echos_;
      HttpResponse response;
      response.body = request.body;
      co_return response;
    });
    router.Add("GET", "/slow", [this](const HttpRequest&) -> asio::awaitable<HandlerResult> {
      const AtWork at_work(n_at_work_);
      asio::steady_timer timer(server_->context(), std::chrono::hours(1));
      co_await timer.async_wait(asio::use_awaitable);
      co_return JsonResponse("late");
    });
    router.Add("GET", "/throw", [](const HttpRequest&) -> asio::awaitable<HandlerResult> {
      throw std::runtime_error("secret detail");
      co_return JsonResponse("never");
    });
    router.Add("GET", "/stream", [this](const HttpRequest& request) -> asio::awaitable<HandlerResult> {
      co_return MakeStream(std::stoul(request.query));
    });
    return router;
  }

  StreamBody MakeStream(size_t n) {
    return [this, n](EventStream& events) { return Stream(events, n); };
  }

  // n events of 1,000 bytes.
  asio::awaitable<bool> Stream(EventStream& events, size_t n) {
    const AtWork at_work(n_at_work_);
    for (size_t i = 0; i < n; ++i) {
      const std::string event = SseEvent(fmt::format("{} {}", i, std::string(1000, 'x')));
      if (!co_await events.Send(event)) co_return false;
      ++n_events_;
    }
    co_return true;
  }

  // Sends one request on a connection of its own and reads the answer.
  RawResponse Ask(const std::string& bytes) {
    RawClient client(port_);
    client.Send(bytes);
    return client.ReadResponse();
  }
  int Status(const std::string& request_line, const std::string& more = "") {
    return Ask(fmt::format("{} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", request_line, more)).status;
  }
  static std::string Post(const std::string& headers, const std::string& body = "") {
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + headers + "\r\n" + body;
  }
  bool WaitFor(const std::function<bool()>& condition, int timeout_ms = 5000) {
    for (int waited = 0; waited < timeout_ms && !condition(); waited += 5) std::this_thread::sleep_for(milliseconds(5));
    return condition();
  }

  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  uint16_t port_ = 0;
  std::atomic<int> n_at_work_ = 0;
  std::string run_error_;  ///< what Run() threw
  int n_at_work_after_error_ = 0;
  std::atomic<int> n_echos_ = 0;
  std::atomic<size_t> n_events_ = 0;
};

TEST_F(HttpTest, MethodsAndPaths) {  // H02
  Start();
  EXPECT_EQ(Status("GET /hello"), 200);
  EXPECT_EQ(Status("TRACE /hello"), 405);
  EXPECT_EQ(Status("FOO /hello"), 405);
  EXPECT_EQ(Status("OPTIONS /echo"), 405);
  EXPECT_EQ(Status("GET /nothing"), 404);
  EXPECT_EQ(Status("GET /things"), 404);
  EXPECT_EQ(Status("GET /things/"), 404);
  EXPECT_EQ(Status(fmt::format("GET /{}", std::string(9 << 10, 'a'))), 414);
  for (const char* path : {"/%00", "/../", "/hello/..", "/./hello", "//v1", "/a//b", "/%", "/%4", "/%zz", "/a\\b", "*",
                           "hello", "http://localhost/hello", "/%ff"}) {
    EXPECT_EQ(Status(fmt::format("GET {}", path)), 400) << path;
  }
  EXPECT_EQ(Status("GET /hello?a=/../%zz"), 200);
  EXPECT_EQ(Ask("GET /things/a%20b/c HTTP/1.1\r\nHost: localhost\r\n\r\n").body, "\"/things/a b/c\"");
  const RawResponse refused = Ask("PUT /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(RawClient::Header(refused, "Allow"), "GET, HEAD");
  EXPECT_THAT(refused.body, HasSubstr("\"error\""));
}

TEST_F(HttpTest, HeadHasNoBody) {
  Start();
  RawClient client(port_);
  client.Send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const RawResponse head = client.ReadResponse(/*is_head_request=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(RawClient::Header(head, "Content-Length"), "7");
  EXPECT_EQ(client.ReadResponse().body, "\"hello\"");
}

TEST_F(HttpTest, HeadersOutsideTheLimits) {  // H03
  Start();
  const auto headers = [](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += fmt::format("X-{}: y\r\n", i);
    return text;
  };
  EXPECT_EQ(Status("GET /hello", headers(99)), 200);  // and Host
  EXPECT_EQ(Status("GET /hello", headers(100)), 431);
  EXPECT_EQ(Status("GET /hello", fmt::format("X: {}\r\n", std::string((8 << 10) - 3, 'y'))), 200);
  EXPECT_EQ(Status("GET /hello", fmt::format("X: {}\r\n", std::string((8 << 10) - 2, 'y'))), 431);
  std::string large;
  for (int i = 0; i < 5; ++i) large += fmt::format("X-{}: {}\r\n", i, std::string(7 << 10, 'y'));
  EXPECT_EQ(Status("GET /hello", large), 431);
  for (const char* bad : {"no colon\r\n", "X : y\r\n", "X\t: y\r\n", ": y\r\n", "X: a\r\n folded\r\n", "X: a\nY: b\r\n",
                          "X: a\rY: b\r\n", "X: \x01\r\n", "X@[]: y\r\n"}) {
    EXPECT_EQ(Status("GET /hello", bad), 400) << bad;
  }
  EXPECT_EQ(Status("GET /hello", std::string("X: a\0b\r\n", 8)), 400);
  EXPECT_EQ(Ask("GET /hello HTTP/1.1\nHost: localhost\n\n").status, 400);
  EXPECT_EQ(Ask("nonsense\r\n\r\n").status, 400);
  EXPECT_EQ(Ask("GET /hello HTTP/2.0\r\nHost: localhost\r\n\r\n").status, 400);
  EXPECT_EQ(Ask("GET  /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
}

TEST_F(HttpTest, AmbiguousFramingIsRefusedAndClosed) {  // H04
  Start();
  const std::string hidden = Post("Content-Length: 2\r\n", "{}");
  const std::pair<const char*, const char*> cases[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"},
      {"Content-Length: 2\r\nContent-Length: 2\r\n", "{}"},
      {"Content-Length: 2\r\nContent-Length: 3\r\n", "{}"},
      {"Content-Length: -1\r\n", "{}"},
      {"Content-Length: +2\r\n", "{}"},
      {"Content-Length: 1e3\r\n", "{}"},
      {"Content-Length: 18446744073709551616\r\n", "{}"},
      {"Content-Length: 2,2\r\n", "{}"},
      {"Content-Length:\r\n", "{}"},
      {"Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"},
      {"Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
      {"Transfer-Encoding: identity\r\n", "{}"},
      {"Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"},
  };
  for (const auto& [headers, body] : cases) {
    RawClient client(port_);
    client.Send(Post(headers, body) + hidden);
    const std::string answer = client.ReadAll();
    EXPECT_TRUE(client.ended()) << headers;
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 400 ")) << headers;
    EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << headers << ": a second answer";
  }
  EXPECT_EQ(Ask("POST /echo HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .status,
            400);
  EXPECT_EQ(n_echos_, 0);
}

TEST_F(HttpTest, Bodies) {
  Start();
  EXPECT_EQ(Ask(Post("Content-Length: 4\r\n", "[12]")).body, "[12]");
  EXPECT_EQ(Ask(Post("Transfer-Encoding: chunked\r\n", "2\r\n[1\r\n2;x=y\r\n2]\r\n0\r\n\r\n")).body, "[12]");
  EXPECT_EQ(Ask(Post("Content-Length: 0\r\n")).body, "");
  const std::string large(3 << 20, 'a');
  EXPECT_EQ(Ask(Post(fmt::format("Content-Length: {}\r\n", large.size()), large)).body, large);
}

TEST_F(HttpTest, BodiesThatAreTooLargeAreNotRead) {  // H06
  HttpLimits limits;
  limits.body_bytes = 1000;
  Start(limits);
  EXPECT_EQ(Ask(Post("Content-Length: 1000\r\n", std::string(1000, 'a'))).status, 200);
  EXPECT_EQ(Ask(Post("Content-Length: 1001\r\n")).status, 413);
  EXPECT_EQ(Ask(Post("Content-Length: 1001\r\nExpect: 100-continue\r\n")).status, 413);
  EXPECT_EQ(Ask(Post("Transfer-Encoding: chunked\r\n", fmt::format("3e8\r\n{}\r\n1\r\na\r\n", std::string(1000, 'a'))))
                .status,
            413);
  EXPECT_EQ(Ask(Post("Content-Length: 2\r\nExpect: wonders\r\n")).status, 417);
  EXPECT_EQ(n_echos_, 1);
  RawClient client(port_);
  client.Send(Post("Content-Length: 2\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.ReadResponse().status, 100);
  client.Send("{}");
  EXPECT_EQ(client.ReadResponse().body, "{}");
}

TEST_F(HttpTest, AllBodiesTogetherAreBounded) {
  HttpLimits limits;
  limits.all_bodies_bytes = 1000;
  Start(limits);
  RawClient holder(port_);
  holder.Send(Post("Content-Length: 900\r\n", std::string(800, 'a')));
  ASSERT_TRUE(WaitFor([&] { return Ask(Post("Content-Length: 300\r\n", std::string(300, 'b'))).status == 503; }));
  holder.Send(std::string(100, 'a'));
  EXPECT_EQ(holder.ReadResponse().status, 200);
  EXPECT_EQ(Ask(Post("Content-Length: 300\r\n", std::string(300, 'b'))).status, 200);
}

TEST_F(HttpTest, SlowAndSilentClients) {  // H07
  HttpLimits limits;
  limits.header_seconds = limits.body_idle_seconds = limits.keep_alive_seconds = 1;
  Start(limits);
  RawClient silent(port_), half_head(port_), half_body(port_), trickle(port_), half_closed(port_);
  half_head.Send("GET /hello HTTP/1.1\r\nHost: loc");
  half_body.Send(Post("Content-Length: 10\r\n", "abc"));
  trickle.Send(Post("Content-Length: 100000\r\n"));
  half_closed.Send("GET /hello HTTP/1.1\r\n");
  half_closed.FinishSending();
  std::atomic<bool> is_done = false;
  std::thread feeder([&] {
    while (!is_done && trickle.Send("a")) std::this_thread::sleep_for(milliseconds(100));
  });
  const auto begin = std::chrono::steady_clock::now();
  for (RawClient* client : {&silent, &half_head, &half_body, &half_closed}) {
    const std::string answer = client->ReadAll(8000);
    EXPECT_TRUE(client->ended());
    EXPECT_THAT(answer, Not(HasSubstr(" 200 ")));
  }
  trickle.ReadAll(8000);
  EXPECT_TRUE(trickle.ended());
  is_done = true;
  feeder.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(7));
  EXPECT_EQ(Status("GET /hello"), 200);
  RawClient idle(port_);
  idle.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(idle.ReadResponse().status, 200);
  idle.ReadAll(8000);
  EXPECT_TRUE(idle.ended()) << "an idle connection stays open";
}

TEST_F(HttpTest, MediaTypes) {  // H08
  Start();
  const auto status = [&](const std::string& headers) {
    return Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n" + headers + "\r\n{}").status;
  };
  EXPECT_EQ(status("Content-Type: application/json; charset=UTF-8\r\n"), 200);
  EXPECT_EQ(status("content-type: Application/JSON\r\n"), 200);
  EXPECT_EQ(status(""), 415);
  EXPECT_EQ(status("Content-Type: text/plain\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/jsonx\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/x-www-form-urlencoded\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/json; charset=utf-16\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/json\r\nContent-Type: text/plain\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/json\r\nContent-Encoding: br\r\n"), 415);
  EXPECT_EQ(status("Content-Type: application/json\r\nContent-Encoding: gzip\r\n"), 415);
}

TEST_F(HttpTest, ForeignHostsAreRefusedOnLoopback) {  // H32
  Start();
  const auto status = [&](const std::string& hosts) { return Ask("GET /hello HTTP/1.1\r\n" + hosts + "\r\n").status; };
  for (const char* good : {"localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1", "127.0.0.1:8080", "127.1.2.3",
                           "[::1]", "[::1]:8080", "localhost."}) {
    EXPECT_EQ(status(fmt::format("Host: {}\r\n", good)), 200) << good;
  }
  for (const char* bad : {"evil.com", "evil.com:8080", "localhost.evil.com", "127.0.0.1.evil.com", "notlocalhost", "",
                          "10.0.0.1", "[::2]", "[::1", "0.0.0.0", "2130706433"}) {
    EXPECT_EQ(status(fmt::format("Host: {}\r\n", bad)), 403) << bad;
  }
  EXPECT_EQ(status(""), 403);
  EXPECT_EQ(status("Host: localhost\r\nHost: evil.com\r\n"), 403);
  EXPECT_EQ(status("Host: localhost\r\nHost: localhost\r\n"), 403);
}

TEST_F(HttpTest, AnyHostOnAPublicAddress) {
  Start({}, "0.0.0.0");
  EXPECT_FALSE(server_->is_local());
  EXPECT_EQ(Ask("GET /hello HTTP/1.1\r\nHost: example.org\r\n\r\n").status, 200);
  EXPECT_EQ(Ask("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status, 400);
  EXPECT_EQ(Ask("GET /hello HTTP/1.1\r\n\r\n").status, 400);
}

TEST_F(HttpTest, ManyRequestsOnOneConnection) {  // H39
  Start();
  RawClient client(port_);
  for (int i = 0; i < 10'000; ++i) {
    const std::string body = std::to_string(i);
    ASSERT_TRUE(client.Send(Post(fmt::format("Content-Length: {}\r\n", body.size()), body)));
    ASSERT_EQ(client.ReadResponse().body, body);
  }
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInOrder) {  // H39
  Start();
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += Post(fmt::format("Content-Length: {}\r\n", i < 10 ? 1 : 2), std::to_string(i));
  RawClient client(port_);
  client.Send(requests);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.ReadResponse().body, std::to_string(i));

  RawClient broken(port_);
  const std::string good = Post("Content-Length: 1\r\n", "7");
  broken.Send(good + good + Post("Content-Length: x\r\n") + good);
  EXPECT_EQ(broken.ReadResponse().status, 200);
  EXPECT_EQ(broken.ReadResponse().status, 200);
  EXPECT_EQ(broken.ReadResponse().status, 400);
  EXPECT_EQ(broken.ReadAll(), "");
  EXPECT_TRUE(broken.ended());
}

TEST_F(HttpTest, WhatIsPipelinedBehindASlowRequestIsBounded) {
  Start();
  RawClient client(port_);
  client.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { return n_at_work_ == 1; }));
  client.Send(std::string(60 << 10, 'x'));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(n_at_work_, 1);
  client.Close();
  EXPECT_TRUE(WaitFor([&] { return n_at_work_ == 0; }));
}

TEST_F(HttpTest, ClientGoneCancelsTheHandler) {  // H36
  Start();
  {
    RawClient client(port_);
    client.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(WaitFor([&] { return n_at_work_ == 1; }));
  }
  EXPECT_TRUE(WaitFor([&] { return n_at_work_ == 0; }));
  {
    RawClient client(port_);
    client.Send("GET /stream?1000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(client.ReadUntil("data: 5 "));
  }
  EXPECT_TRUE(WaitFor([&] { return n_at_work_ == 0; }));
}

TEST_F(HttpTest, StreamsAreChunkedEvents) {
  Start();
  RawClient client(port_);
  client.Send("GET /stream?3 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const RawResponse response = client.ReadResponse();
  EXPECT_EQ(RawClient::Header(response, "Content-Type"), "text/event-stream")
      << response.head << response.body.substr(0, 200);
  const std::string tail = fmt::format(" {}\n\n", std::string(1000, 'x'));
  EXPECT_TRUE(response.body == "data: 0" + tail + "data: 1" + tail + "data: 2" + tail);
  EXPECT_EQ(client.ReadResponse().body, "\"hello\"") << "the connection lives on";

  RawClient old(port_);
  old.Send("GET /stream?2 HTTP/1.0\r\nHost: localhost\r\n\r\n");
  const std::string all = old.ReadAll();
  EXPECT_TRUE(all.ends_with("\r\n\r\ndata: 0" + tail + "data: 1" + tail));
  EXPECT_THAT(all, Not(HasSubstr("chunked")));
}

TEST_F(HttpTest, AReaderThatStopsIsCut) {  // H38
  HttpLimits limits;
  limits.write_stall_seconds = 1;
  Start(limits);
  RawClient client(port_, /*receive_buffer=*/4096);
  client.Send("GET /stream?1000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { return n_at_work_ == 1; }));
  EXPECT_TRUE(WaitFor([&] { return n_at_work_ == 0; }, 8000));
  EXPECT_LT(n_events_, 2000u) << "the system holds too much for a client that does not read";
}

TEST_F(HttpTest, RequestIdsAreNotReflected) {  // H43
  Start();
  const auto response = Ask("GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: spy\r\n\r\n");
  EXPECT_THAT(response.head + response.body, Not(HasSubstr("spy")));
  EXPECT_EQ(Status("GET /hello", fmt::format("X-Request-Id: {}\r\n", std::string(10 << 10, 'a'))), 431);
  EXPECT_EQ(Status("GET /hello", "X-Request-Id: a\rSet-Cookie: b\r\n"), 400);
}

TEST_F(HttpTest, WhatAHandlerThrowsIsA500) {
  Start();
  RawClient client(port_);
  client.Send("GET /throw HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const RawResponse response = client.ReadResponse();
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(HttpTest, TooManyConnectionsWaitForAPlace) {
  HttpLimits limits;
  limits.max_connections = 2;
  Start(limits);
  RawClient first(port_), second(port_);
  for (RawClient* client : {&first, &second}) {
    client->Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_EQ(client->ReadResponse().status, 200);
  }
  RawClient third(port_);
  third.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_FALSE(third.ReadUntil("HTTP", 300));
  first.Close();
  EXPECT_EQ(third.ReadResponse().status, 200);
}

TEST_F(HttpTest, DrainLetsRequestsFinish) {
  Start();
  RawClient idle(port_), busy(port_);
  idle.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_EQ(idle.ReadResponse().status, 200);
  busy.Send(Post("Content-Length: 2\r\n", "["));
  ASSERT_TRUE(WaitFor([&] { return Status("GET /hello") == 200; }));
  std::atomic<bool> is_over_time = false;
  server_->Drain(std::chrono::seconds(20), [&] { is_over_time = true; });
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(RawClient(port_).is_connected());
  busy.Send("]");
  const RawResponse response = busy.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(RawClient::Header(response, "Connection"), "close");
  busy.Close();
  thread_.join();
  EXPECT_FALSE(is_over_time);
}

TEST_F(HttpTest, DrainEndsAtItsTimeout) {
  Start();
  RawClient client(port_);
  client.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { return n_at_work_ == 1; }));
  std::atomic<bool> is_over_time = false;
  const auto begin = std::chrono::steady_clock::now();
  server_->Drain(milliseconds(200), [&] { is_over_time = true; });
  thread_.join();
  EXPECT_TRUE(is_over_time);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
}

TEST_F(HttpTest, WhenRunThrowsNoHandlerIsLeft) {
  Start();
  RawClient waiting(port_), reading(port_), idle(port_);
  waiting.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  reading.Send("GET /stream?1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { return n_at_work_ == 2; }));
  asio::post(server_->context(), [] { throw std::runtime_error("no memory, say"); });
  thread_.join();
  EXPECT_EQ(run_error_, "no memory, say");
  EXPECT_EQ(n_at_work_after_error_, 0);
}

TEST(HttpServerTest, BindErrors) {
  const auto server = HttpServer::Bind("127.0.0.1", 0, {});
  ASSERT_TRUE(server);
  ASSERT_TRUE((*server)->Listen({}));
  const std::string address = (*server)->address();
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const auto second = HttpServer::Bind("127.0.0.1", port, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("port {} is in use", port)));
  EXPECT_EQ(HttpServer::Bind("nonsense", 0, {}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace rf::server
