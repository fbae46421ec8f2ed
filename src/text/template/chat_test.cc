// ChatTemplate: what probing finds out, and how messages are adapted. The templates here are written for the tests; the
// published ones are tried in tests/golden/template_golden_test.cc.
#include "text/template/chat.h"

#include <gtest/gtest.h>

#include <string>

#include "base/log.h"

namespace rf {
namespace {

using nlohmann::ordered_json;

constexpr const char* kPlain =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif "
    "%}";
// Adds strings, wants alternating roles and no system message.
constexpr const char* kNoSystem =
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{{ '[' + m.role + ']' + m.content + eos_token }}{% endfor %}";
constexpr const char* kParts =
    "{% for m in messages %}<{{ m.role }}>{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% endfor %}";
constexpr const char* kOnlyParts =
    "{% for m in messages %}<{{ m.role }}>{% for p in m.content %}{{ p['text'] }}{% endfor %}{% endfor %}";
constexpr const char* kCalls =
    "{% for t in tools %}{{ t.function.name }};{% endfor %}{% for m in messages %}<{{ m.role }}>{{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ c.function.name }}{{ c.function.arguments|tojson }}{% endfor %}{% endfor %}";
constexpr const char* kTextCalls =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ '(' + c.function.arguments + ')' }}{% endfor %}{% endfor %}";

ChatTemplate Load(const char* source) {
  auto chat = ChatTemplate::Create(source);
  EXPECT_TRUE(chat) << chat.error().ToString();
  return std::move(chat).value();
}

ChatTemplateInput Input(ordered_json messages) {
  ChatTemplateInput input;
  input.messages = std::move(messages);
  input.bos = "<s>";
  input.eos = "</s>";
  return input;
}

ordered_json Message(const char* role, ordered_json content) {
  return {{"role", role}, {"content", std::move(content)}};
}

ordered_json TextPart(const char* text) {
  return {{"type", "text"}, {"text", text}};
}

ordered_json Call(ordered_json arguments) {
  ordered_json message = Message("assistant", nullptr);
  message["tool_calls"] = ordered_json::array(
      {{{"id", "1"}, {"type", "function"}, {"function", {{"name", "f"}, {"arguments", std::move(arguments)}}}}});
  return message;
}

TEST(ChatTemplate, PlainChat) {
  ChatTemplateInput input = Input(ordered_json::array({Message("system", "S"), Message("user", "U")}));
  EXPECT_EQ(*Load(kPlain).Apply(input), "<system>S<user>U<assistant>");
  input.add_generation_prompt = false;
  EXPECT_EQ(*Load(kPlain).Apply(input), "<system>S<user>U");
}

TEST(ChatTemplate, NullAndMissingContentBecomeEmpty) {
  const ordered_json messages = ordered_json::array({Message("user", nullptr), {{"role", "assistant"}}});
  EXPECT_EQ(*Load(kPlain).Apply(Input(messages)), "<user><assistant><assistant>");
}

TEST(ChatTemplate, PartsAreJoinedWhereTheTemplateDoesNotWalkThem) {
  const ordered_json messages =
      ordered_json::array({Message("user", ordered_json::array({TextPart("a "), TextPart("b")}))});
  EXPECT_FALSE(Load(kPlain).capabilities().user_parts);
  EXPECT_EQ(*Load(kPlain).Apply(Input(messages)), "<user>a b<assistant>");
  EXPECT_TRUE(Load(kParts).capabilities().user_parts);
  EXPECT_EQ(*Load(kParts).Apply(Input(messages)), "<user>a b");
}

TEST(ChatTemplate, TextBecomesPartsWhereOnlyTheseAreTaken) {
  EXPECT_FALSE(Load(kOnlyParts).capabilities().text_content);
  EXPECT_EQ(*Load(kOnlyParts).Apply(Input(ordered_json::array({Message("user", "ab")}))), "<user>ab");
}

TEST(ChatTemplate, OtherPartsAreRefusedByPath) {
  const ordered_json messages = ordered_json::array(
      {Message("user", ordered_json::array({TextPart("a"), {{"type", "image_url"}, {"image_url", "x"}}}))});
  const auto result = Load(kPlain).Apply(Input(messages));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().where, "messages[0].content[1]");
}

TEST(ChatTemplate, SystemTextGoesBeforeTheUsersWhereThereIsNoSystemRole) {
  const ChatTemplate chat = Load(kNoSystem);
  EXPECT_FALSE(chat.capabilities().system_role);
  ordered_json messages = ordered_json::array({Message("system", "S"), Message("user", "U")});
  EXPECT_EQ(*chat.Apply(Input(messages)), "<s>[user]S\n\nU</s>");
  messages = ordered_json::array({Message("system", "S")});
  EXPECT_EQ(*chat.Apply(Input(messages)), "<s>[user]S</s>");
}

TEST(ChatTemplate, WithoutAdaptingTheTemplateDecides) {
  ChatTemplateInput input = Input(ordered_json::array({Message("system", "S"), Message("user", "U")}));
  input.adapt = false;
  const auto result = Load(kNoSystem).Apply(input);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kRejected);
  EXPECT_EQ(result.error().message, "System role not supported");
}

TEST(ChatTemplate, DeveloperIsSystemWhereTheTemplateDoesNotKnowIt) {
  const ordered_json messages = ordered_json::array({Message("developer", "D"), Message("user", "U")});
  EXPECT_EQ(*Load(kPlain).Apply(Input(messages)), "<system>D<user>U<assistant>");
  const ordered_json both =
      ordered_json::array({Message("system", "S"), Message("developer", "D"), Message("user", "U")});
  EXPECT_EQ(*Load(kPlain).Apply(Input(both)), "<system>S\n\nD<user>U<assistant>");
}

TEST(ChatTemplate, ArgumentsAreGivenAsTheTemplateTakesThem) {
  const ChatTemplate objects = Load(kCalls);
  EXPECT_TRUE(objects.capabilities().tool_calls);
  EXPECT_FALSE(objects.capabilities().arguments_as_text);
  EXPECT_EQ(*objects.Apply(Input(ordered_json::array({Call(R"({"a": [1, 2]})")}))), "<assistant>f{\"a\": [1, 2]}");
  EXPECT_EQ(*objects.Apply(Input(ordered_json::array({Call("not json")}))), "<assistant>f\"not json\"");
  const ChatTemplate texts = Load(kTextCalls);
  EXPECT_TRUE(texts.capabilities().arguments_as_text);
  EXPECT_EQ(*texts.Apply(Input(ordered_json::array({Call({{"a", {1, 2}}})}))), "<assistant>({\"a\": [1, 2]})");
}

TEST(ChatTemplate, NullToolsAreLeftOutWhereTheTemplateWalksThem) {
  const ChatTemplate chat = Load(kCalls);
  EXPECT_TRUE(chat.capabilities().tools_absent_when_none);
  EXPECT_TRUE(chat.capabilities().tools);
  EXPECT_EQ(*chat.Apply(Input(ordered_json::array({Message("user", "U")}))), "<user>U");
}

TEST(ChatTemplate, KwargsAreVariables) {
  ChatTemplateInput input = Input(ordered_json::array({Message("user", "U")}));
  input.kwargs = {{"enable_thinking", false}};
  EXPECT_EQ(*Load("{{ messages[0].content }}{{ enable_thinking }}").Apply(input), "UFalse");
}

TEST(ChatTemplate, BadMessagesAreNamed) {
  const ChatTemplate chat = Load(kPlain);
  const auto where = [&chat](ordered_json messages) {
    const auto result = chat.Apply(Input(std::move(messages)));
    return result ? std::string("no error") : result.error().where;
  };
  EXPECT_EQ(where(ordered_json::object()), "messages");
  EXPECT_EQ(where(ordered_json::array({1})), "messages[0]");
  EXPECT_EQ(where(ordered_json::array({Message("user", "a"), {{"content", "x"}}})), "messages[1].role");
}

TEST(ChatTemplate, HiddenCodePointsAreLogged) {
  std::string logged;
  SetLogSink([&logged](LogLevel, std::string_view line) { logged += line; });
  Load("{{ messages[0].content }}\n\u202e");
  SetLogSink(nullptr);
  EXPECT_EQ(logged, "chat template:2:1: U+202E, a bidirectional control, which a reader does not see");
}

TEST(ChatTemplate, BrokenTemplatesNameTheOverride) {
  const auto chat = ChatTemplate::Create("{% if x %}");
  ASSERT_FALSE(chat);
  EXPECT_NE(chat.error().message.find("--chat-template"), std::string::npos);
}

}  // namespace
}  // namespace rf
