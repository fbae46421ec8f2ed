// Chat completions over HTTP with a model that writes the alphabet.
#include <cmath>

#include "server/test_util/api_fixture.h"

namespace rf::server {
namespace {

using test_util::Json;
using test_util::RawClient;
using test_util::RawResponse;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kAlphabet = "abcdefghijklmnopqrstuvwxyz";
constexpr const char* kPath = "/v1/chat/completions";

class ChatTest : public test_util::ApiTest {
 protected:
  // The chunks of a stream that ended well.
  std::vector<Json> Stream(const Json& more) {
    Json body = Chat(more);
    body["stream"] = true;
    std::vector<std::string> events = Events(PostTo(kPath, body.dump()).body);
    EXPECT_FALSE(events.empty());
    EXPECT_EQ(events.back(), "[DONE]");
    std::vector<Json> chunks;
    for (size_t i = 0; i + 1 < events.size(); ++i) chunks.push_back(Json::parse(events[i]));
    return chunks;
  }
  std::string StreamedText(const Json& more, size_t index = 0) {
    std::string text;
    for (const Json& chunk : Stream(more)) {
      for (const Json& choice : chunk["choices"]) {
        if (choice["index"] == index) text += choice["delta"].value("content", "");
      }
    }
    return text;
  }
  std::string Text(const Json& more) { return AskChat(more)["choices"][0]["message"]["content"]; }
};

TEST_F(ChatTest, WholeAnswer) {
  Start();
  const Json answer = AskChat();
  EXPECT_THAT(answer["id"].get<std::string>(), StartsWith("chatcmpl-"));
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_GT(answer["created"], 1'600'000'000);
  EXPECT_EQ(answer["model"], "abc");
  EXPECT_THAT(answer["system_fingerprint"].get<std::string>(), StartsWith("fp_"));
  ASSERT_EQ(answer["choices"].size(), 1u);
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(answer["choices"][0]["message"]["content"], kAlphabet);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(answer["choices"][0]["logprobs"].is_null());
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 9);  // "user:Hi\n>"
  EXPECT_EQ(answer["usage"]["completion_tokens"], 27);
  EXPECT_EQ(answer["usage"]["total_tokens"], 36);
  EXPECT_EQ(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
}

TEST_F(ChatTest, StreamHasTheChunksThatClientsExpect) {
  Start();
  const auto chunks = Stream({{"stream_options", {{"include_usage", true}}}});
  ASSERT_GE(chunks.size(), 4u);
  EXPECT_EQ(chunks[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(chunks[0]["choices"][0]["delta"]["content"], "");
  for (const Json& chunk : chunks) {
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_EQ(chunk["id"], chunks[0]["id"]);
    EXPECT_EQ(chunk["created"], chunks[0]["created"]);
  }
  const Json& usage = chunks.back();
  EXPECT_TRUE(usage["choices"].empty());
  EXPECT_EQ(usage["usage"]["completion_tokens"], 27);
  const Json& last = chunks[chunks.size() - 2];
  EXPECT_EQ(last["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(last["choices"][0]["delta"].empty());
  EXPECT_TRUE(last["usage"].is_null() && last.contains("usage"));
  EXPECT_TRUE(chunks[1]["choices"][0]["finish_reason"].is_null());
  EXPECT_EQ(StreamedText(Json::object()), kAlphabet);
  EXPECT_FALSE(Stream(Json::object())[0].contains("usage"));
}

TEST_F(ChatTest, StopStringsCutTheText) {
  Start();
  const std::pair<Json, const char*> cases[] = {
      {"def", "abc"},
      {"a", ""},
      {"z", "abcdefghijklmnopqrstuvwxy"},
      {Json::array({"xyz", "cd"}), "ab"},
      {"xyz!", kAlphabet},
      {"zz", kAlphabet},
      {Json::array(), kAlphabet},
      {nullptr, kAlphabet},
      {Json::array({"hij", "ghijk"}), "abcdefg"},
      {Json::array({"j", "hij"}), "abcdefg"},
  };
  for (const auto& [stop, text] : cases) {
    EXPECT_EQ(Text({{"stop", stop}}), text) << stop;
    EXPECT_EQ(StreamedText({{"stop", stop}}), text) << stop;
  }
  const Json answer = AskChat({{"stop", "def"}, {"max_tokens", 20}});
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 6);
}

TEST_F(ChatTest, LengthLimits) {
  Start();
  for (const char* name : {"max_tokens", "max_completion_tokens"}) {
    const Json answer = AskChat({{name, 3}});
    EXPECT_EQ(answer["choices"][0]["message"]["content"], "abc");
    EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  }
  EXPECT_EQ(Text({{"max_tokens", 2147483647}}), kAlphabet);
  // Capitals never end: the context does.
  const Json answer = AskCompletion("A", {{"max_tokens", 1'000'000}});
  EXPECT_EQ(answer["usage"]["total_tokens"], 256);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
}

TEST_F(ChatTest, SeveralChoices) {
  Start();
  const Json answer = AskChat({{"n", 6}, {"max_tokens", 4}});
  ASSERT_EQ(answer["choices"].size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(answer["choices"][i]["index"], i);
    EXPECT_EQ(answer["choices"][i]["message"]["content"], "abcd");
    EXPECT_EQ(StreamedText({{"n", 6}, {"max_tokens", 4}}, i), "abcd");
  }
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 9);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 24);
}

TEST_F(ChatTest, LogProbabilities) {
  Start();
  const Json fields = {{"logprobs", true}, {"top_logprobs", 2}, {"stop", "cd"}};
  const Json content = AskChat(fields)["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 2u) << content;  // a, b: what the stop cuts off has none
  EXPECT_EQ(content[1]["token"], "b");
  EXPECT_EQ(content[1]["bytes"], Json::array({'b'}));
  // log(exp(10) / (exp(10) + exp(5) + 256))
  const double norm = std::log(std::exp(10.0) + std::exp(5.0) + 256.0);
  EXPECT_NEAR(content[1]["logprob"], 10 - norm, 1e-5);
  ASSERT_EQ(content[1]["top_logprobs"].size(), 2u);
  EXPECT_EQ(content[1]["top_logprobs"][1]["token"], "c");
  EXPECT_NEAR(content[1]["top_logprobs"][1]["logprob"], 5 - norm, 1e-5);

  Json streamed = Json::array();
  for (const Json& chunk : Stream(fields)) {
    for (const Json& choice : chunk["choices"]) {
      if (choice["logprobs"].is_null()) continue;
      for (const Json& token : choice["logprobs"]["content"]) streamed.push_back(token);
    }
  }
  EXPECT_EQ(streamed, content);
  EXPECT_EQ(AskChat({{"logprobs", true}})["choices"][0]["logprobs"]["content"][0]["top_logprobs"], Json::array());
}

TEST_F(ChatTest, ContentPartsAndToolsThatAreNotUsed) {
  Start();
  const Json parts = Json::array({{{"type", "text"}, {"text", "H"}}, {{"type", "text"}, {"text", "i"}}});
  const Json tools = Json::array({{{"type", "function"}, {"function", {{"name", "f"}}}}});
  const Json answer = AskChat({{"messages", Json::array({{{"role", "user"}, {"content", parts}}})},
                               {"tools", tools},
                               {"tool_choice", "none"},
                               {"response_format", {{"type", "text"}}},
                               {"user", "someone"}});
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 9);
}

TEST_F(ChatTest, SameSeedSameText) {
  Start();
  const Json fields = {{"temperature", 2}, {"seed", -1}, {"max_tokens", 40}};
  EXPECT_EQ(Text(fields), Text(fields));
  EXPECT_NE(Text(fields), Text({{"temperature", 2}, {"seed", 5}, {"max_tokens", 40}}));
}

TEST_F(ChatTest, BadRequestsNameTheField) {
  Start();
  const auto param = [&](const Json& body) {
    const RawResponse response = PostTo(kPath, body.dump());
    EXPECT_EQ(response.status, 400) << body << response.body;
    const Json error = Json::parse(response.body)["error"];
    EXPECT_EQ(error["type"], "invalid_request_error");
    EXPECT_LE(error["message"].get<std::string>().size(), 300u);
    return error["param"].is_string() ? error["param"].get<std::string>() : "";
  };
  EXPECT_EQ(param(Chat({{"temprature", 1}})), "temprature");
  EXPECT_EQ(param(Chat({{"max_tokens", 1}, {"max_completion_tokens", 2}})), "max_tokens");
  EXPECT_EQ(param(Chat({{"top_logprobs", 2}})), "top_logprobs");
  EXPECT_EQ(param(Chat({{"stream_options", Json::object()}})), "stream_options");
  EXPECT_EQ(param(Chat({{"stream", true}, {"stream_options", {{"include_usage", 1}}}})),
            "stream_options.include_usage");
  EXPECT_EQ(param(Chat({{"messages", Json::array()}})), "messages");
  EXPECT_EQ(param({{"model", "abc"}}), "messages");
  const auto message = [](const Json& one) { return Chat({{"messages", Json::array({one})}}); };
  EXPECT_EQ(param(message({{"role", "wizard"}, {"content", "x"}})), "messages[0].role");
  EXPECT_EQ(param(message({{"content", "x"}})), "messages[0].role");
  EXPECT_EQ(param(message({{"role", "user"}})), "messages[0].content");
  EXPECT_EQ(param(message({{"role", "user"}, {"content", nullptr}})), "messages[0].content");
  EXPECT_EQ(param(message({{"role", "user"}, {"content", 5}})), "messages[0].content");
  EXPECT_EQ(param(message({{"role", "user"}, {"content", Json::array()}})), "messages[0].content");
  const Json image = Json::array({{{"type", "image_url"}, {"image_url", {{"url", "file:///etc/passwd"}}}}});
  EXPECT_EQ(param(message({{"role", "user"}, {"content", image}})), "messages[0].content[0]");
  EXPECT_EQ(param(message("hi")), "messages[0]");
  EXPECT_EQ(param(message({{"role", "user"}, {"content", std::string(300, 'x')}})), "messages");  // context
}

TEST_F(ChatTest, WhatTheTemplateRefusesIsABadRequest) {
  Start();
  const auto body = Chat({{"messages", Json::array({{{"role", "user"}, {"content", "raise"}}})}});
  const RawResponse response = PostTo(kPath, body.dump());
  EXPECT_EQ(response.status, 400) << response.body;
  const Json error = Json::parse(response.body)["error"];
  EXPECT_EQ(error["param"], "messages");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("I am told to"));
}

TEST_F(ChatTest, WhatIsMissingIsRefusedByName) {
  Start();
  const std::pair<const char*, Json> cases[] = {
      {"tool_choice", "required"},
      {"tool_choice", {{"type", "function"}, {"function", {{"name", "f"}}}}},
      {"functions", Json::array({1})},
      {"function_call", "auto"},
      {"modalities", Json::array({"text", "audio"})},
      {"audio", {{"voice", "x"}}},
      {"reasoning_effort", "high"},
      {"store", true},
  };
  for (const auto& [name, value] : cases) {
    const RawResponse response = PostTo(kPath, Chat({{name, value}}).dump());
    EXPECT_EQ(response.status, 400) << name;
    EXPECT_EQ(Json::parse(response.body)["error"]["param"], name);
    EXPECT_THAT(response.body, HasSubstr(fmt::format("'{}' is not supported", name)));
  }
}

TEST_F(ChatTest, UnknownModel) {
  Start();
  for (const std::string& name : {std::string("gpt-4"), std::string("../../etc/passwd"), std::string(1 << 20, 'x')}) {
    const RawResponse response = PostTo(kPath, Chat({{"model", name}}).dump());
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(Json::parse(response.body)["error"]["code"], "model_not_found");
    EXPECT_LT(response.body.size(), 500u);
  }
  EXPECT_EQ(PostTo(kPath, Chat({{"model", "The alphabet"}}).dump()).status, 200);
}

TEST_F(ChatTest, BodiesThatAreNoGoodJson) {
  Start();
  for (const char* body : {"", "[]", "{", "null", "{\"messages\": NaN}", "{\"temperature\": 1e400}", "\xff",
                           "{\"a\":1}x", "{\"model\": \"\xc3\x28\"}", "{\"model\": \"\\ud800\"}"}) {
    const RawResponse response = PostTo(kPath, body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_TRUE(Json::accept(response.body)) << response.body;
  }
  // Of a key that is there twice the last one counts.
  std::string body = Chat().dump();
  body.insert(body.size() - 1, ",\"max_tokens\":9,\"max_tokens\":2");
  EXPECT_EQ(Json::parse(PostTo(kPath, body).body)["choices"][0]["message"]["content"], "ab");
}

TEST_F(ChatTest, ResponseFormatsAreEnforced) {
  Start();
  const auto schema = [](Json inner) {
    return Json{
        {"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"schema", std::move(inner)}}}}}};
  };
  Json request = schema({{"enum", {"xyz", "a longer one"}}});
  request["n"] = 3;
  const Json answer = AskChat(request);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answer["choices"][i]["finish_reason"], "stop");
    const std::string text = answer["choices"][i]["message"]["content"];
    EXPECT_TRUE(text == "\"xyz\"" || text == "\"a longer one\"") << text;
  }
  EXPECT_EQ(Json::parse(StreamedText(schema({{"const", {{"a", 1}}}}))), Json({{"a", 1}}));
  const std::string object = Text({{"response_format", {{"type", "json_object"}}}, {"max_tokens", 200}});
  EXPECT_THAT(object, StartsWith("{"));

  const RawResponse refused = PostTo(kPath, Chat(schema({{"type", "object"}, {"not", Json::object()}})).dump());
  EXPECT_EQ(refused.status, 400);
  const Json error = Json::parse(refused.body)["error"];
  EXPECT_EQ(error["param"], "response_format");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("#/not"));
  for (const Json& bad : {Json{{"type", "yaml"}}, Json{{"type", "json_schema"}}, Json{{"type", 5}},
                          Json{{"type", "json_schema"}, {"json_schema", {{"name", "x"}}}}}) {
    EXPECT_EQ(PostTo(kPath, Chat({{"response_format", bad}}).dump()).status, 400) << bad;
  }
}

TEST_F(ChatTest, ModelsAndHealth) {
  Start();
  const Json list = Json::parse(Get("/v1/models").body);
  EXPECT_EQ(list["object"], "list");
  EXPECT_EQ(list["data"][0]["id"], "abc");
  EXPECT_EQ(list["data"][0]["object"], "model");
  EXPECT_EQ(Json::parse(Get("/v1/models/abc").body)["id"], "abc");
  EXPECT_EQ(Json::parse(Get("/v1/models/The%20alphabet").body)["id"], "abc");
  const RawResponse missing = Get("/v1/models/gpt-4");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(Json::parse(missing.body)["error"]["code"], "model_not_found");
  for (const char* path : {"/health", "/v1/health"}) EXPECT_EQ(Json::parse(Get(path).body)["status"], "ok");
  controls_->fails = true;
  EXPECT_EQ(PostTo(kPath, Chat().dump()).status, 503);
  EXPECT_TRUE(WaitFor([&] { return Get("/health").status == 503; }));
  controls_->fails = false;
  EXPECT_EQ(PostTo(kPath, Chat().dump()).status, 200);
}

}  // namespace
}  // namespace rf::server
