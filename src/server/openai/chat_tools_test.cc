// Tool calls and reasoning in chat completions, with a model that writes a script.
#include "server/test_util/api_fixture.h"

namespace rf::server {
namespace {

using test_util::Json;
using test_util::RawResponse;
using testing::HasSubstr;

constexpr const char* kChatPath = "/v1/chat/completions";
constexpr const char* kCall =
    "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";

// Prints tools and calls as the Hermes family does.
constexpr const char* kHermesTemplate =
    "{% for t in tools or [] %}{{ t | tojson }}\n{% endfor %}"
    "{% for m in messages %}{{ m.role }}:{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<tool_call>\n{{ {'name': c.function.name, 'arguments': c.function.arguments} | "
    "tojson }}\n</tool_call>{% endfor %}\n{% endfor %}{{ '>' }}";

Json Tools() {
  return Json::parse(R"([{"type": "function", "function": {"name": "get_weather", "description": "Weather",
      "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])");
}

class ChatToolsTest : public test_util::ApiTest {
 protected:
  void StartWith(const std::string& script, const std::string& chat_template = kHermesTemplate) {
    controls_->script = script;
    test_util::FakeModelOptions model;
    model.context = 2048;
    model.chat_template = chat_template;
    Start(model);
  }
  Json Choice(const Json& more = {{"tools", Tools()}}) { return AskChat(more)["choices"][0]; }

  // All chunks' deltas of a stream, and the reason why it ended.
  std::pair<std::vector<Json>, std::string> Stream(const Json& more) {
    Json body = Chat(more);
    body["stream"] = true;
    std::vector<Json> deltas;
    std::string reason;
    for (const std::string& event : Events(PostTo(kChatPath, body.dump()).body)) {
      if (event == "[DONE]") break;
      const Json choice = Json::parse(event)["choices"][0];
      if (!choice["delta"].empty()) deltas.push_back(choice["delta"]);
      if (choice["finish_reason"].is_string()) reason = choice["finish_reason"];
    }
    return {deltas, reason};
  }
};

TEST_F(ChatToolsTest, ACallIsNoText) {
  StartWith(std::string("Let me look.\n") + kCall);
  const Json choice = Choice();
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_EQ(choice["message"]["content"], "Let me look.");
  ASSERT_EQ(choice["message"]["tool_calls"].size(), 1u);
  const Json call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["type"], "function");
  EXPECT_EQ(call["id"].get<std::string>().substr(0, 5), "call_");
  EXPECT_EQ(call["function"]["name"], "get_weather");
  EXPECT_EQ(Json::parse(call["function"]["arguments"].get<std::string>()), (Json{{"city", "Oslo"}}));
}

TEST_F(ChatToolsTest, ContentIsNullBesideCallsOnly) {
  StartWith(kCall);
  EXPECT_TRUE(Choice()["message"]["content"].is_null());
}

TEST_F(ChatToolsTest, StreamedCallsJoinToTheWhole) {
  StartWith(std::string("<think>hm</think>Look:\n") + kCall + "\n" + kCall);
  const auto [deltas, reason] = Stream({{"tools", Tools()}});
  EXPECT_EQ(reason, "tool_calls");
  std::string content, reasoning;
  std::vector<Json> calls;
  for (const Json& delta : deltas) {
    content += delta.contains("content") && delta["content"].is_string() ? delta["content"].get<std::string>() : "";
    reasoning += delta.value("reasoning_content", "");
    for (const Json& call : delta.value("tool_calls", Json::array())) {
      const size_t index = call["index"];
      if (index == calls.size()) {
        EXPECT_TRUE(call.contains("id"));
        EXPECT_EQ(call["type"], "function");
        EXPECT_EQ(call["function"]["name"], "get_weather");
        EXPECT_EQ(call["function"]["arguments"], "");
        calls.push_back(call);
      } else {
        ASSERT_LT(index, calls.size());
        EXPECT_FALSE(call.contains("id"));
        calls[index]["function"]["arguments"] =
            calls[index]["function"]["arguments"].get<std::string>() + call["function"]["arguments"].get<std::string>();
      }
    }
  }
  EXPECT_EQ(content, "Look:");
  EXPECT_EQ(reasoning, "hm");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_NE(calls[0]["id"], calls[1]["id"]);
  for (const Json& call : calls) EXPECT_EQ(call["function"]["arguments"], "{\"city\":\"Oslo\"}");
}

TEST_F(ChatToolsTest, OneCallOnlyWhereNoMoreAreWanted) {
  StartWith(std::string(kCall) + kCall);
  EXPECT_EQ(Choice()["message"]["tool_calls"].size(), 2u);
  EXPECT_EQ(Choice({{"tools", Tools()}, {"parallel_tool_calls", false}})["message"]["tool_calls"].size(), 1u);
}

TEST_F(ChatToolsTest, ABrokenCallIsText) {
  const std::string broken = "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": }}</tool_call>";
  StartWith(broken);
  const Json choice = Choice();
  EXPECT_EQ(choice["finish_reason"], "stop");
  EXPECT_EQ(choice["message"]["content"], broken);
  EXPECT_FALSE(choice["message"].contains("tool_calls"));
  std::string content;
  const auto [deltas, reason] = Stream({{"tools", Tools()}});
  for (const Json& delta : deltas) {
    EXPECT_FALSE(delta.contains("tool_calls"));
    content += delta.value("content", "");
  }
  EXPECT_EQ(content, broken);
  EXPECT_EQ(reason, "stop");
}

TEST_F(ChatToolsTest, AnUnfinishedCallIsLeftOut) {
  StartWith(std::string("Look: ") + kCall);
  const Json choice = Choice({{"tools", Tools()}, {"max_tokens", 40}});
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(choice["message"]["content"], "Look:");
  EXPECT_FALSE(choice["message"].contains("tool_calls"));
}

TEST_F(ChatToolsTest, WithoutToolsNothingIsACall) {
  StartWith(kCall);
  EXPECT_EQ(Choice(Json::object())["message"]["content"], kCall);
  const Json none = Choice({{"tools", Tools()}, {"tool_choice", "none"}});
  EXPECT_EQ(none["message"]["content"], kCall);
  EXPECT_EQ(none["finish_reason"], "stop");
}

TEST_F(ChatToolsTest, ReasoningThatThePromptOpens) {
  StartWith("hm\n</think>\n\nYes.", std::string(kHermesTemplate) + "<think>\n");
  const Json message = Choice(Json::object())["message"];
  EXPECT_EQ(message["reasoning_content"], "hm");
  EXPECT_EQ(message["content"], "Yes.");
}

TEST_F(ChatToolsTest, ToolsReachThePromptInTheTemplatesWay) {
  StartWith("ok");
  const int plain = AskChat()["usage"]["prompt_tokens"];
  const int with_tools = AskChat({{"tools", Tools()}})["usage"]["prompt_tokens"];
  EXPECT_GT(with_tools, plain + 100);
  EXPECT_EQ(AskChat({{"tools", Tools()}, {"tool_choice", "none"}})["usage"]["prompt_tokens"], plain);
}

TEST_F(ChatToolsTest, ATemplateWithoutToolsGetsThemExplained) {
  StartWith("{\"tool_call\": {\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}}",
            test_util::FakeModelOptions().chat_template);
  const Json answer = AskChat({{"tools", Tools()}});
  EXPECT_GT(answer["usage"]["prompt_tokens"], 300);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "tool_calls");
  EXPECT_EQ(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], "{\"city\":\"Oslo\"}");
}

TEST_F(ChatToolsTest, AConversationWithCallsGoesOn) {
  StartWith("It is cold.");
  Json call = {{"id", "call_1"}, {"type", "function"}};
  call["function"] = {{"name", "get_weather"}, {"arguments", "{\"city\": \"Oslo\"}"}};
  const Json messages = Json::array({{{"role", "user"}, {"content", "Weather?"}},
                                     {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", Json::array({call})}},
                                     {{"role", "tool"}, {"tool_call_id", "call_1"}, {"content", "-3"}}});
  EXPECT_EQ(Choice({{"tools", Tools()}, {"messages", messages}})["message"]["content"], "It is cold.");
}

TEST_F(ChatToolsTest, BadToolsNameThePlace) {
  StartWith("ok");
  const auto param = [&](const Json& more) {
    const RawResponse response = PostTo(kChatPath, Chat(more).dump());
    EXPECT_EQ(response.status, 400) << more;
    return Json::parse(response.body)["error"]["param"].get<std::string>();
  };
  const auto tool = [](const Json& function) {
    return Json{{"tools", Json::array({{{"type", "function"}, {"function", function}}})}};
  };
  EXPECT_EQ(param({{"tools", Json::array({"x"})}}), "tools[0]");
  EXPECT_EQ(param({{"tools", Json::array({{{"type", "web_search"}}})}}), "tools[0]");
  EXPECT_EQ(param({{"tools", Json::array({{{"type", "function"}}})}}), "tools[0].function");
  EXPECT_EQ(param(tool(Json::object())), "tools[0].function.name");
  EXPECT_EQ(param(tool({{"name", ""}})), "tools[0].function.name");
  EXPECT_EQ(param(tool({{"name", std::string(300, 'x')}})), "tools[0].function.name");
  EXPECT_EQ(param(tool({{"name", "f"}, {"parameters", "x"}})), "tools[0].function.parameters");
  EXPECT_EQ(param(tool({{"name", "f"}, {"parameters", {{"type", "bar"}}}})), "tools[0].function.parameters");
  EXPECT_EQ(param(tool({{"name", "f"}, {"parameters", {{"$ref", "#"}}}})), "tools[0].function.parameters");
  EXPECT_EQ(param(tool({{"name", "f"}, {"description", 1}})), "tools[0].function.description");
  EXPECT_EQ(param({{"tool_choice", "maybe"}}), "tool_choice");
  EXPECT_EQ(param({{"tool_choice", 1}}), "tool_choice");
  EXPECT_EQ(param({{"tools", Json(std::vector<Json>(10'000, Tools()[0]))}}), "tools");
}

TEST_F(ChatToolsTest, LogprobsOfWhatIsHeldBackStillCome) {
  StartWith(kCall);
  Json body = Chat({{"tools", Tools()}, {"logprobs", true}, {"stream", true}});
  size_t n_tokens = 0;
  for (const std::string& event : Events(PostTo(kChatPath, body.dump()).body)) {
    if (event == "[DONE]") break;
    const Json choice = Json::parse(event)["choices"][0];
    if (!choice["logprobs"].is_null()) n_tokens += choice["logprobs"]["content"].size();
  }
  EXPECT_EQ(n_tokens, std::string(kCall).size());
}

}  // namespace
}  // namespace rf::server
