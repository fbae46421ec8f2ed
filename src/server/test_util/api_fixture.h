// The endpoints over HTTP with a fake model.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/http/server.h"
#include "server/openai/api.h"
#include "server/test_util/fake_model.h"
#include "server/test_util/raw_client.h"

namespace rf::server::test_util {

using Json = nlohmann::ordered_json;

class ApiTest : public testing::Test {
 protected:
  void Start(const FakeModelOptions& model = {}, ApiOptions options = {}, const HttpLimits& limits = {}) {
    options.model_id = "abc";
    options.aliases = {"The alphabet"};
    auto server = HttpServer::Bind("127.0.0.1", 0, limits);
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    api_ = std::make_unique<Api>(FakeSession(controls_, model), options);
    ASSERT_TRUE(server_->Listen(api_->MakeRouter()));
    port_ = static_cast<uint16_t>(std::stoi(server_->address().substr(server_->address().rfind(':') + 1)));
    thread_ = std::thread([this] { server_->Run(); });
  }

  void TearDown() override {
    controls_->step_ms = 0;
    if (server_) server_->Stop();
    if (thread_.joinable()) thread_.join();
    api_.reset();
  }

  static std::string Post(const std::string& path, const std::string& body) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", path,
        body.size(), body);
  }
  RawResponse Send(const std::string& request) {
    RawClient client(port_);
    client.Send(request);
    return client.ReadResponse();
  }
  RawResponse PostTo(const std::string& path, const std::string& body) { return Send(Post(path, body)); }
  RawResponse Get(const std::string& path) {
    return Send(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path));
  }

  /// A chat whose answer is the alphabet, with more fields.
  static Json Chat(const Json& more = Json::object()) {
    Json body = {{"model", "abc"}, {"temperature", 0}, {"messages", {{{"role", "user"}, {"content", "Hi"}}}}};
    body.update(more);
    return body;
  }
  static Json Completion(const Json& prompt, const Json& more = Json::object()) {
    Json body = {{"model", "abc"}, {"temperature", 0}, {"prompt", prompt}};
    body.update(more);
    return body;
  }
  Json AskChat(const Json& more = Json::object()) { return Ask("/v1/chat/completions", Chat(more)); }
  Json AskCompletion(const Json& prompt, const Json& more = Json::object()) {
    return Ask("/v1/completions", Completion(prompt, more));
  }
  Json Ask(const std::string& path, const Json& body) {
    const RawResponse response = PostTo(path, body.dump());
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  /// The data of all events of a stream.
  static std::vector<std::string> Events(const std::string& body) {
    std::vector<std::string> events;
    for (size_t begin = 0; begin < body.size();) {
      const size_t end = body.find("\n\n", begin);
      EXPECT_EQ(body.substr(begin, 6), "data: ");
      if (end == std::string::npos) break;
      events.push_back(body.substr(begin + 6, end - begin - 6));
      begin = end + 2;
    }
    return events;
  }

  bool WaitFor(const std::function<bool()>& condition, int timeout_ms = 5000) {
    for (int waited = 0; waited < timeout_ms && !condition(); waited += 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return condition();
  }
  bool IsIdle() {
    const EngineStats stats = api_->engine().stats();
    return stats.n_running == 0 && stats.n_waiting == 0 && stats.n_free_pages == stats.n_pages;
  }

  std::shared_ptr<FakeControls> controls_ = std::make_shared<FakeControls>();
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Api> api_;
  std::thread thread_;
  uint16_t port_ = 0;
};

}  // namespace rf::server::test_util
