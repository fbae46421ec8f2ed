// The reply parser against 541 replies in 31 formats (in the golden data, if there): whole, cut at every place, and
// byte by byte.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "golden_files.h"
#include "text/toolcall/reply_parser.h"

namespace rf {
namespace {

using nlohmann::ordered_json;

// Malformed replies without any marker, and with no name of a tool: ordinary text, nothing to warn about.
const std::set<std::string> kNoWarning = {"llama3-json/malformed-2", "generic-json/not-json"};

struct Case {
  std::string name;
  const toolcall::ToolFormat* format = nullptr;
  ordered_json line;
  ordered_json tools = ordered_json::array();
  std::string text;
  std::string prompt_end;
  bool is_truncated = false;

  ReplyParserOptions Options(bool stream_arguments) const {
    return {.tools = toolcall::ToolSchemas(tools), .prompt_end = prompt_end, .stream_arguments = stream_arguments};
  }
};

std::vector<Case> ReadCases() {
  std::map<std::string, ordered_json> schemas;
  const std::string tools = golden::ReadFile(golden::TemplateFolder() / "toolcall_tools.json");
  for (const ordered_json& tool : ordered_json::parse(tools)) schemas[tool["function"]["name"]] = tool;
  std::vector<Case> cases;
  for (const ordered_json& line : golden::ReadJsonLines(golden::TemplateFolder() / "toolcalls.jsonl")) {
    Case added;
    added.line = line;
    const std::string format = added.line["format"];
    added.name = format + "/" + added.line["case"].get<std::string>();
    added.format = toolcall::FindFormat(format);
    for (const auto& tool : added.line["tools"]) added.tools.push_back(schemas.at(tool.get<std::string>()));
    added.text = added.line["model_output"];
    added.prompt_end = added.line.value("prompt_suffix", "");
    added.is_truncated = added.line.value("truncated", false);
    cases.push_back(std::move(added));
  }
  return cases;
}

std::string Trim(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \n\t\r");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \n\t\r") - begin + 1);
}

std::string TextOf(const ordered_json& value) {
  return value.is_string() ? Trim(value.get<std::string>()) : "";
}

std::string Difference(const ParsedReply& reply, const ordered_json& line) {
  const ordered_json& expected = line["expected"];
  if (Trim(reply.content) != TextOf(expected["content"])) return "content: " + reply.content;
  if (Trim(reply.reasoning) != TextOf(expected["reasoning_content"])) return "reasoning: " + reply.reasoning;
  if (reply.calls.size() != expected["tool_calls"].size()) return std::to_string(reply.calls.size()) + " calls";
  for (size_t i = 0; i < reply.calls.size(); ++i) {
    const ordered_json& call = expected["tool_calls"][i];
    if (reply.calls[i].name != call["name"].get<std::string>()) return "name: " + reply.calls[i].name;
    // Not ordered: the order of keys means nothing.
    const auto arguments = nlohmann::json::parse(reply.calls[i].arguments, nullptr, false);
    if (arguments != nlohmann::json::parse(call["arguments"].dump())) return "arguments: " + reply.calls[i].arguments;
    if (reply.calls[i].id != call.value("id", "")) return "id: " + reply.calls[i].id;
  }
  const std::string pending = reply.pending_name.value_or("");
  const ordered_json wanted = line.value("pending", ordered_json());
  return pending == (wanted.is_object() ? wanted["name"].get<std::string>() : "") ? "" : "pending: " + pending;
}

struct Joined {
  ParsedReply reply;
  bool operator==(const Joined& other) const {
    const auto same_calls = [](const ToolCall& a, const ToolCall& b) {
      return a.name == b.name && a.arguments == b.arguments && a.id == b.id;
    };
    return reply.content == other.reply.content && reply.reasoning == other.reply.reasoning &&
           std::equal(reply.calls.begin(), reply.calls.end(), other.reply.calls.begin(), other.reply.calls.end(),
                      same_calls) &&
           reply.pending_name == other.reply.pending_name && reply.warnings == other.reply.warnings;
  }
};

Joined ParseParts(const Case& one, const std::vector<std::string_view>& parts, bool stream_arguments) {
  ReplyParser parser(*one.format, one.Options(stream_arguments));
  std::vector<ReplyDelta> deltas;
  for (const std::string_view part : parts) parser.Feed(part, deltas);
  parser.Finish(one.is_truncated, deltas);
  ReplyBuilder builder;
  for (const ReplyDelta& delta : deltas) {
    EXPECT_TRUE(stream_arguments || delta.kind != ReplyDelta::Kind::kCallTaken) << one.name;
    builder.Add(delta);
  }
  Joined joined{builder.Build()};
  if (one.is_truncated) joined.reply.pending_name = parser.pending_name();
  joined.reply.warnings = parser.warnings();
  return joined;
}

class ToolCallGoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(golden::TemplateFolder()))
      GTEST_SKIP() << "no golden data at " << golden::TemplateFolder();
    cases_ = ReadCases();
    ASSERT_EQ(cases_.size(), 541u);
    for (const Case& one : cases_) ASSERT_NE(one.format, nullptr) << one.name;
  }
  std::vector<Case> cases_;
};

TEST_F(ToolCallGoldenTest, WholeReplies) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const Case& one : cases_) {
    const ParsedReply reply = ParseReply(*one.format, one.Options(false), one.text, one.is_truncated);
    const std::string difference = Difference(reply, one.line);
    EXPECT_EQ(difference, "") << one.name << "\n" << one.text;
    const bool warns = one.line.value("malformed", false) && !kNoWarning.contains(one.name);
    EXPECT_EQ(!reply.warnings.empty(), warns) << one.name;
    auto& [good, all] = counts[one.line["format"]];
    good += difference.empty() ? 1 : 0;
    ++all;
  }
  EXPECT_EQ(counts.size(), 31u);
  for (const auto& [format, count] : counts) {
    std::printf("%-20s %3d of %3d\n", format.c_str(), count.first, count.second);
  }
}

TEST_F(ToolCallGoldenTest, PartsJoinToTheWholeAtAnyCut) {
  for (const Case& one : cases_) {
    const Joined whole = ParseParts(one, {one.text}, false);
    const std::string_view text = one.text;
    for (const bool stream_arguments : {false, true}) {
      for (size_t cut = 0; cut <= text.size(); ++cut) {
        ASSERT_EQ(ParseParts(one, {text.substr(0, cut), text.substr(cut)}, stream_arguments), whole)
            << one.name << " cut at " << cut;
      }
      std::vector<std::string_view> bytes;
      for (size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
      ASSERT_EQ(ParseParts(one, bytes, stream_arguments), whole) << one.name << " byte by byte";
    }
  }
}

// A stream so far, wherever it stops: what it shows is the beginning of what the whole reply shows.
TEST_F(ToolCallGoldenTest, WhatIsShownStands) {
  for (Case one : cases_) {
    if (one.is_truncated) continue;
    const ParsedReply whole = ParseParts(one, {one.text}, false).reply;
    const std::string text = one.text;
    one.is_truncated = true;
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      const ParsedReply part = ParseParts(one, {std::string_view(text).substr(0, cut)}, false).reply;
      ASSERT_TRUE(whole.content.starts_with(Trim(part.content)) || whole.content.starts_with(part.content))
          << one.name << " cut at " << cut << ": " << part.content;
      ASSERT_TRUE(whole.reasoning.starts_with(part.reasoning)) << one.name << " cut at " << cut;
      ASSERT_LE(part.calls.size(), whole.calls.size()) << one.name << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace rf
