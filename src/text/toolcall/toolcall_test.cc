// The reply parser without reference data: what each mechanism takes, what it leaves as text, what a stream shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "text/toolcall/detect.h"
#include "text/toolcall/instructions.h"
#include "text/toolcall/json_copier.h"
#include "text/toolcall/markers.h"
#include "text/toolcall/reply_parser.h"

namespace rf {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using toolcall::FindFormat;
using toolcall::ToolSchemas;

const ordered_json& Tools() {
  static const auto* const tools = new ordered_json(ordered_json::parse(R"([
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
      "text": {"type": "string"}, "n": {"type": "integer"}, "maybe": {"type": ["string", "null"]},
      "any": {}, "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
      "kind": {"enum": ["1", "2"]}, "list": {"type": "array"}}}}},
    {"type": "function", "function": {"name": "python", "parameters": {"type": "object", "properties": {
      "source": {"type": "string"}}}}}])"));
  return *tools;
}

ParsedReply Parse(const char* format, const std::string& text, bool is_truncated = false,
                  std::string_view prompt_end = {}) {
  return ParseReply(*FindFormat(format), {.tools = ToolSchemas(Tools()), .prompt_end = prompt_end}, text, is_truncated);
}

// "content|reasoning|name(arguments)…", then "?name" for a call that is pending.
std::string Show(const ParsedReply& reply) {
  std::string shown = reply.content + "|" + reply.reasoning + "|";
  for (const ToolCall& call : reply.calls) shown += call.name + "(" + call.arguments + ")";
  return reply.pending_name ? shown + "?" + *reply.pending_name : shown;
}

std::string Copied(const std::string& text) {
  std::string json;
  return toolcall::CopyWhole(text, json) ? json : "no value";
}

TEST(JsonCopierTest, TakesWhatModelsWrite) {
  EXPECT_EQ(Copied(R"( {"a" : [1, -2.5e3, true] , "b":null} )"), R"({"a":[1,-2.5e3,true],"b":null})");
  EXPECT_EQ(Copied("{'a': True, 'b': [False, None,],}"), R"({"a":true,"b":[false,null]})");
  EXPECT_EQ(Copied(R"('it\'s "x"')"), R"("it's \"x\"")");
  EXPECT_EQ(Copied("\"a\nb\tc\""), R"("a\nb\tc")");
  EXPECT_EQ(Copied(R"("\d+ \x41 \u00fc \/ \0")"), "\"\\\\d+ A ü / \\u0000\"");
  EXPECT_EQ(Copied(R"("\ud83c\udf89 \ud83c \udf89")"), "\"🎉 \xEF\xBF\xBD \xEF\xBF\xBD\"");
  EXPECT_EQ(Copied(R"('\U0001F389 \u12')"), "\"🎉 \\\\u12\"");
}

TEST(JsonCopierTest, RefusesWhatIsNoValue) {
  for (const char* text : {"", "{", "[1 2]", "{\"a\"}", "{a: 1}", "01", "1.", "-", "+1", "nul", "NaN", "tru e", "{,}",
                           "[,]", "\"", "1 2", "[1}", "(1, 2)", "{\"a\": }"}) {
    EXPECT_EQ(Copied(text), "no value") << text;
  }
  EXPECT_EQ(Copied("[1e999]"), "no value") << "readers of JSON have no number for it";
  EXPECT_EQ(Copied("[1e308, -1e-999]"), "[1e308,-1e-999]");
}

TEST(JsonCopierTest, NestingIsBounded) {
  const auto nested = [](size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(Copied(nested(toolcall::kMaxJsonNesting)), nested(toolcall::kMaxJsonNesting));
  EXPECT_EQ(Copied(nested(toolcall::kMaxJsonNesting + 1)), "no value");
  EXPECT_EQ(Copied(std::string(1'000'000, '[')), "no value");
}

TEST(ToolSchemasTest, TheSchemaTellsStringsFromOtherValues) {
  const ToolSchemas schemas(Tools());
  const auto value = [&schemas](const char* parameter, const char* text) {
    return toolcall::TypedValue(text, schemas.TypeOf("f", parameter));
  };
  EXPECT_EQ(value("text", "42"), "\"42\"");
  EXPECT_EQ(value("text", "null"), "\"null\"");
  EXPECT_EQ(value("n", "42"), "42");
  EXPECT_EQ(value("n", "many"), "\"many\"");
  EXPECT_EQ(value("maybe", "42"), "\"42\"");
  EXPECT_EQ(value("maybe", "None"), "null");
  EXPECT_EQ(value("either", "42"), "42");
  EXPECT_EQ(value("either", "[42]"), "\"[42]\"");
  EXPECT_EQ(value("kind", "1"), "\"1\"");
  EXPECT_EQ(value("list", "['a', True]"), "[\"a\",true]");
  EXPECT_EQ(value("any", "{\"a\": 1}"), "{\"a\":1}");
  EXPECT_EQ(value("any", "\"quoted\""), R"("\"quoted\"")");
  EXPECT_EQ(value("unheard_of", "some words"), "\"some words\"");
}

TEST(ToolSchemasTest, AnythingIsTaken) {
  for (const char* text : {"null", "5", "[1, null, {}]", R"([{"function": {"name": 5}}])",
                           R"([{"function": {"name": "f", "parameters": {"properties": {"a": 5, "b": {"type": 1}}}}}])",
                           R"([{"name": "f", "parameters": {"properties": []}}])"}) {
    EXPECT_TRUE(ToolSchemas(ordered_json::parse(text)).TypeOf("f", "a").is_unknown()) << text;
  }
}

TEST(ReplyParserTest, JsonBetweenMarkers) {
  EXPECT_EQ(Show(Parse("hermes", R"(A <tool_call>{"name": "f", "arguments": {"n": 1}}</tool_call> B)")),
            "A\nB||f({\"n\":1})");
  // Without arguments, as a string, nested as OpenAI's clients do, as a list, with another key's name.
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>{"name": "f"}</tool_call>)")), "||f({})");
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>{"name": "f", "arguments": null}</tool_call>)")), "||f({})");
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>{"name": "f", "arguments": "{\"n\": 1}"}</tool_call>)")),
            "||f({\"n\":1})");
  EXPECT_EQ(Show(Parse("hermes",
                       R"(<tool_call>{"type": "function", "function": {"name": "f", "arguments": {}}}</tool_call>)")),
            "||f({})");
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>[{"name": "f"}, {"name": "g", "parameters": {}}]</tool_call>)")),
            "||f({})g({})");
  EXPECT_EQ(Show(Parse("hermes", "<tool_call>{'name': 'f', 'arguments': {'text': None}}</tool_call>")),
            "||f({\"text\":null})");
}

TEST(ReplyParserTest, ClosingMarkersMayBeMissing) {
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>{"name": "f"})")), "||f({})");
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>{"name": "f"} done)")), "done||f({})");
  EXPECT_EQ(Show(Parse("hermes", R"(<tool_call>{"name": "f"}<tool_call>{"name": "g"}</tool_call>)")), "||f({})g({})");
  EXPECT_TRUE(Parse("hermes", R"(<tool_call>{"name": "f"})").warnings.empty());
}

TEST(ReplyParserTest, WhatIsNoCallIsTextAndWarnsOnce) {
  for (const char* text : {
           R"(<tool_call>{"name": "f", "arguments": {"n": }}</tool_call>)",
           R"(<tool_call>{"name": "f", "arguments": "no object"}</tool_call>)",
           R"(<tool_call>{"name": "f", "arguments": [1]}</tool_call>)",
           R"(<tool_call>{"arguments": {}}</tool_call>)",
           R"(<tool_call>{"name": "f", "name": "g"}</tool_call>)",
           R"(<tool_call>{"name": ""}</tool_call>)",
           R"(<tool_call>{"name": "f", "arguments": {"text": "never closed}})",
           "<tool_call>[]</tool_call>",
           "Say <tool_call> to call.",
       }) {
    const ParsedReply reply = Parse("hermes", text);
    EXPECT_EQ(Show(reply), std::string(text) + "||") << text;
    EXPECT_EQ(reply.warnings.size(), 1u) << text;
  }
}

TEST(ReplyParserTest, AWholeCallStandsBeforeABrokenOne) {
  const ParsedReply reply = Parse("nemotron-nano-v2", R"(<TOOLCALL>[{"name": "f"}, {"name": }]</TOOLCALL>)");
  EXPECT_EQ(Show(reply), R"(, {"name": }]</TOOLCALL>||f({}))");
  EXPECT_EQ(reply.warnings.size(), 1u);
}

TEST(ReplyParserTest, ArgumentsBetweenTags) {
  const std::string head = "<tool_call>\n<function=f>\n";
  const std::string tail = "</function>\n</tool_call>";
  const auto parameter = [](const std::string& key, const std::string& value) {
    return "<parameter=" + key + ">\n" + value + "\n</parameter>\n";
  };
  EXPECT_EQ(Show(Parse("qwen3-coder-xml", head + parameter("text", "7") + parameter("n", "7") + tail)),
            R"(||f({"text":"7","n":7}))");
  EXPECT_EQ(Show(Parse("qwen3-coder-xml", head + parameter("text", "") + tail)), R"(||f({"text":""}))");
  EXPECT_EQ(Show(Parse("qwen3-coder-xml", head + parameter("list", "\n[1,\n 2]") + tail)), "||f({\"list\":[1,2]})");
  // The text of a value may hold the tag that ends values.
  EXPECT_EQ(Show(Parse("qwen3-coder-xml", head + parameter("text", "a</parameter>b") + tail)),
            R"(||f({"text":"a</parameter>b"}))");
  EXPECT_EQ(
      Show(Parse("minicpm5-xml", R"(<function name="f"><param name="text"><![CDATA[</param>]]></param></function>)")),
      R"(||f({"text":"</param>"}))");
  EXPECT_EQ(
      Show(Parse("deepseek-v4-dsml",
                 "<｜DSML｜tool_calls><｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"any\" string=\"true\">7"
                 "</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>")),
      R"(||f({"any":"7"}))");
}

TEST(ReplyParserTest, PythonSyntax) {
  EXPECT_EQ(Show(Parse("lfm2", "<|tool_call_start|>[f(text='a', n=-1,), f()]<|tool_call_end|>x")),
            R"(x||f({"text":"a","n":-1})f({}))");
  EXPECT_EQ(Show(Parse("lfm2", "<|tool_call_start|>f(any={'a': (1)})<|tool_call_end|>")),
            "<|tool_call_start|>f(any={'a': (1)})<|tool_call_end|>||");
  EXPECT_EQ(Show(Parse("llama3-json", "<|python_tag|>f.call(text=\"a\")")), R"(||f({"text":"a"}))");
  EXPECT_EQ(Show(Parse("llama3-json", "<|python_tag|>g.call(1)")), "||python({\"source\":\"g.call(1)\"})");
  EXPECT_EQ(Show(Parse("functionary-v3.2", "python\nx = {}\n>>>all\nDone.")),
            R"(Done.||python({"source":"x = {}\n"}))");
}

TEST(ReplyParserTest, BareJsonIsACallOnlyOfAKnownTool) {
  EXPECT_EQ(Show(Parse("llama3-json", R"({"name": "f", "parameters": {}})")), "||f({})");
  for (const char* text : {R"({"name": "unknown", "parameters": {}})", R"({"name": "f"})", R"({"name": "f", "age": 3})",
                           R"(See {"name": "f", "parameters": {}})"}) {
    EXPECT_EQ(Show(Parse("llama3-json", text)), std::string(text) + "||");
  }
}

TEST(ReplyParserTest, Reasoning) {
  EXPECT_EQ(Show(Parse("hermes", "<think>\na\n</think>\n\nb ")), "b |a|");
  EXPECT_EQ(Show(Parse("hermes", "a</think>b", false, "x<think>\n")), "b|a|");
  EXPECT_EQ(Show(Parse("hermes", "<think>a</think>b", false, "x<think>\n")), "b|a|");
  EXPECT_EQ(Show(Parse("hermes", "b <think>c</think>")), "b <think>c</think>||");
  EXPECT_EQ(Show(Parse("hermes", "<think>never closed")), "|never closed|");
  EXPECT_EQ(
      Show(Parse("gpt-oss", "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b")),
      "b|a|");
  EXPECT_EQ(Show(Parse("gpt-oss", "b", false, "<|start|>assistant<|channel|>final<|message|>")), "b||");
}

TEST(ReplyParserTest, PlainTextIsUntouched) {
  const std::string text = "\n  a < b\n\n{\"x\": 1} \n";
  for (const toolcall::ToolFormat& format : toolcall::AllFormats()) {
    EXPECT_EQ(Show(Parse(std::string(format.name).c_str(), text)), text + "||") << format.name;
  }
}

TEST(ReplyParserTest, LiveArgumentsGrowAndCanBeTakenBack) {
  using Kind = ReplyDelta::Kind;
  const auto kinds = [](const std::string& text) {
    ReplyParser parser(*FindFormat("hermes"), {.tools = ToolSchemas(Tools()), .stream_arguments = true});
    std::vector<ReplyDelta> deltas;
    for (const char c : text) parser.Feed({&c, 1}, deltas);
    parser.Finish(false, deltas);
    std::vector<Kind> seen;
    for (const ReplyDelta& delta : deltas) {
      if (seen.empty() || seen.back() != delta.kind) seen.push_back(delta.kind);
    }
    return seen;
  };
  EXPECT_THAT(kinds(R"(<tool_call>{"name": "f", "arguments": {"text": "ab"}}</tool_call>)"),
              ElementsAre(Kind::kCall, Kind::kArguments, Kind::kCallEnd));
  EXPECT_THAT(kinds(R"(<tool_call>{"name": "f", "arguments": {"text": "ab"]}</tool_call>)"),
              ElementsAre(Kind::kCall, Kind::kArguments, Kind::kCallTaken, Kind::kContent));
}

TEST(ReplyParserTest, ACallThatIsTooLongIsText) {
  const std::string text =
      R"(<tool_call>{"name": "f", "arguments": {"text": ")" + std::string(300, 'x') + "\"}}</tool_call>";
  for (const size_t step : {1u, 7u, 1000u}) {
    ReplyParser parser(*FindFormat("hermes"), {.tools = ToolSchemas(Tools()), .max_call_bytes = 100});
    std::vector<ReplyDelta> deltas;
    for (size_t i = 0; i < text.size(); i += step) parser.Feed(std::string_view(text).substr(i, step), deltas);
    parser.Finish(false, deltas);
    ReplyBuilder builder;
    for (const ReplyDelta& delta : deltas) builder.Add(delta);
    EXPECT_EQ(Show(builder.Build()), text + "||") << step;
    EXPECT_EQ(parser.warnings().size(), 1u);
  }
}

// Twice the text takes about twice the time, also where a marker never comes or never ends.
TEST(ReplyParserTest, TimeIsLinear) {
  const std::pair<const char*, std::string> cases[] = {
      {"hermes", "<"},
      {"hermes", "<tool_call>"},
      {"hermes", " "},
      {"gpt-oss", "<|start|>"},
      {"functionary-v3.2", ">"},
      {"qwen3-coder-xml", "<tool_call><function=f><parameter=text></parameter>"},
      {"hermes", "<tool_call>{\"name\": \"f\", \"arguments\": {\"text\": \""},
  };
  for (const auto& [format, piece] : cases) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    const auto begin = std::chrono::steady_clock::now();
    ReplyParser parser(*FindFormat(format), {.tools = ToolSchemas(Tools())});
    std::vector<ReplyDelta> deltas;
    for (size_t i = 0; i < text.size(); i += 3) parser.Feed(std::string_view(text).substr(i, 3), deltas);
    parser.Finish(false, deltas);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took.count(), 10.0) << format << ": " << piece;
  }
}

TEST(ReplyParserTest, RandomMarkupCutAnywhereJoinsToTheWhole) {
  std::mt19937 random(7);
  const auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  for (const toolcall::ToolFormat& format : toolcall::AllFormats()) {
    const std::vector<std::string_view> markers = MarkersOf({&format, format.reasoning, false});
    const std::string_view words[] = {"f",  "python", "{", "}", "\"", "name", "arguments", ":", " ",
                                      "\n", "x",      "[", "1", ",",  "(",    ")",         "="};
    for (int round = 0; round < 200; ++round) {
      std::string text;
      for (size_t n = below(24); n > 0; --n)
        text += below(2) == 0 ? markers[below(markers.size())] : words[below(std::size(words))];
      const auto joined = [&](size_t max_step, bool is_live) {
        ReplyParser parser(format, {.tools = ToolSchemas(Tools()), .stream_arguments = is_live});
        std::vector<ReplyDelta> deltas;
        for (size_t i = 0; i < text.size();) {
          const size_t n = 1 + below(max_step);
          parser.Feed(std::string_view(text).substr(i, n), deltas);
          i += n;
        }
        parser.Finish(false, deltas);
        ReplyBuilder builder;
        for (const ReplyDelta& delta : deltas) builder.Add(delta);
        return Show(builder.Build());
      };
      const std::string whole = Show(ParseReply(format, {.tools = ToolSchemas(Tools())}, text));
      ASSERT_EQ(joined(1, false), whole) << format.name << ": " << text;
      ASSERT_EQ(joined(9, true), whole) << format.name << ": " << text;
    }
  }
}

TEST(DetectReplyStyleTest, FromWhatTheTemplatePrints) {
  const auto detect = [](const char* source) {
    const auto chat = ChatTemplate::Create(source);
    EXPECT_TRUE(chat);
    return DetectReplyStyle(*chat);
  };
  const ReplyStyle seed = detect(
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% for c in m.tool_calls or [] %}<seed:tool_call>\n"
      "<function={{ c.function.name }}>\n{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>{{ v }}"
      "</parameter>\n{% endfor %}</function>\n</seed:tool_call>{% endfor %}{% endfor %}"
      "{% if add_generation_prompt %}<assistant>[THINK]{% endif %}");
  EXPECT_EQ(seed.format->name, "seed-oss");
  EXPECT_EQ(seed.reasoning.open, "[THINK]");
  EXPECT_FALSE(seed.needs_instructions);
  const ReplyStyle plain = detect("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
  EXPECT_EQ(plain.format->name, "generic-json");
  EXPECT_TRUE(plain.needs_instructions);
  EXPECT_EQ(detect("{{ raise_exception('no') }}").format->name, "generic-json");
}

TEST(DescribeToolsTest, CallsAndResultsBecomeText) {
  ChatTemplateInput input;
  input.tools = Tools();
  input.messages = ordered_json::parse(R"([
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": null, "tool_calls": [
      {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"n\": 1}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "ok"}, 5])");
  DescribeTools(input);
  EXPECT_TRUE(input.tools.is_null());
  const std::string system = input.messages[0]["content"];
  EXPECT_THAT(system, testing::StartsWith("Be brief.\n\n"));
  EXPECT_THAT(system, testing::HasSubstr("\"name\":\"python\""));
  const std::string call = input.messages[2]["content"];
  EXPECT_EQ(Show(Parse("generic-json", call)), "||f({\"n\":1})");
  EXPECT_EQ(input.messages[3], (ordered_json{{"role", "user"}, {"content", "{\"tool_result\":\"ok\"}"}}));
}

}  // namespace
}  // namespace rf
