// The template interpreter against what Jinja2 3.1.6 gave, in the environment that Hugging Face transformers builds:
// small unit cases (in this folder), and published chat templates over conversations (in the golden data, if there).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "golden_files.h"
#include "text/template/template.h"

namespace rf {
namespace {

using nlohmann::ordered_json;

// What is known to differ from the reference, and why. Counted: a case that is listed and does not differ fails too.
const std::set<std::string> kKnownUnitDifferences = {};
const std::set<std::string> kKnownTemplateDifferences = {};

std::filesystem::path GoldenDir() {
  return golden::Folder("templates");
}

// The clock of the golden data: 2026-01-15 12:00:00.
RenderOptions FixedClock() {
  using namespace std::chrono;
  RenderOptions options;
  options.now = sys_days(year(2026) / January / 15) + hours(12);
  return options;
}

Result<std::string> RenderText(const std::string& source, const ordered_json& context, const RenderOptions& options) {
  RF_ASSIGN_OR_RETURN(const Template parsed, Template::Parse(source));
  return parsed.Render(context, options);
}

// Empty if the result is what the line wants, else how it differs.
std::string Difference(const Result<std::string>& result, const ordered_json& line) {
  if (line.contains("output")) {
    if (!result) return "failed: " + result.error().ToString();
    return *result == line["output"].get<std::string>() ? "" : "got: " + *result;
  }
  if (result) return "succeeded with: " + *result;
  const bool raised = !line.contains("error_type") || line["error_type"] == "raise_exception";
  if (raised && result.error().message != line["error"].get<std::string>()) return "raised: " + result.error().message;
  if (raised && result.error().code != ErrorCode::kRejected) return "has the wrong error code";
  return "";
}

TEST(JinjaUnitsTest, GivesWhatTheReferenceGives) {
  const std::vector<ordered_json> cases = golden::ReadJsonLines(RF_SOURCE_DIR "/tests/golden/jinja-units.jsonl");
  ASSERT_EQ(cases.size(), 494u);
  int n_equal = 0;
  for (const ordered_json& line : cases) {
    const std::string source = line["template"].get<std::string>();
    const std::string difference = Difference(RenderText(source, line["context"], FixedClock()), line);
    EXPECT_EQ(!difference.empty(), kKnownUnitDifferences.contains(source)) << line.dump() << "\n" << difference;
    n_equal += difference.empty() ? 1 : 0;
  }
  std::printf("%d of %zu unit cases equal\n", n_equal, cases.size());
}

class PublishedTemplateTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(GoldenDir())) GTEST_SKIP() << "no golden data at " << GoldenDir();
  }
};

// The variables that transformers passes; `lenient` leaves those out that the conversation does not have.
ordered_json ContextOf(const ordered_json& conversation, const ordered_json& line, bool lenient) {
  ordered_json context = {{"messages", conversation["messages"]}};
  for (const char* name : {"tools", "documents"}) {
    if (conversation.contains(name)) {
      context[name] = conversation[name];
    } else if (!lenient) {
      context[name] = nullptr;
    }
  }
  for (const char* name : {"add_generation_prompt", "bos_token", "eos_token"}) context[name] = line[name];
  context.update(line["kwargs"]);
  return context;
}

TEST_P(PublishedTemplateTest, RendersEveryConversation) {
  const auto parsed = Template::Parse(golden::ReadFile(GoldenDir() / "jinja" / (GetParam() + ".jinja")));
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  const std::vector<ordered_json> lines = golden::ReadJsonLines(GoldenDir() / "expected" / (GetParam() + ".jsonl"));
  ASSERT_EQ(lines.size(), 84u);
  int n_equal = 0, n_different = 0, n_lenient = 0;
  for (const ordered_json& line : lines) {
    const std::string name = line["conversation"].get<std::string>();
    const ordered_json conversation =
        ordered_json::parse(golden::ReadFile(GoldenDir() / "conversations" / (name + ".json")));
    const Result<std::string> result = parsed->Render(ContextOf(conversation, line, false), FixedClock());
    const std::string key = GetParam() + "/" + name;
    if (!line.contains("undefined_behaviour")) {
      const std::string difference = Difference(result, line);
      EXPECT_EQ(!difference.empty(), kKnownTemplateDifferences.contains(key)) << key << "\n" << difference;
      ++(difference.empty() ? n_equal : n_different);
      continue;
    }
    // The reference fails there by accident; so does this interpreter when it is not lenient.
    EXPECT_TRUE(!result || line["message"].get<std::string>().find("from_json") != std::string::npos) << key;
    if (!line.contains("lenient_output")) continue;
    RenderOptions lenient = FixedClock();
    lenient.lenient = true;
    const Result<std::string> output = parsed->Render(ContextOf(conversation, line, true), lenient);
    ASSERT_TRUE(output) << key << ": " << output.error().ToString();
    EXPECT_EQ(*output, line["lenient_output"].get<std::string>()) << key;
    n_lenient += *output == line["lenient_output"].get<std::string>() ? 1 : 0;
  }
  std::printf("%s: %d lines equal, %d different; %d equal where the reference fails by accident\n", GetParam().c_str(),
              n_equal, n_different, n_lenient);
}

// All strings of a JSON value, keys too.
void CollectStrings(const ordered_json& value, std::string& out) {
  if (value.is_string()) out += value.get<std::string>() + "\n";
  for (const auto& [key, item] : value.items()) {
    if (value.is_object()) out += key + "\n";
    if (value.is_structured()) CollectStrings(item, out);
  }
}

// What looks like a special token in `text`: <…> and [CAPITALS] without white space. Not <name> and <kind=name> where
// `given` has the name: templates write the parameters of tools so, and vocabularies cannot have tokens for them.
std::vector<TextSpan> FindMarkers(const std::string& text, const std::string& given) {
  std::vector<TextSpan> markers;
  for (size_t at = 0; at < text.size(); ++at) {
    const char close = text[at] == '<' ? '>' : text[at] == '[' ? ']' : '\0';
    if (close == '\0') continue;
    const auto is_inside = [&](char c) {
      return close == '>' ? static_cast<uint8_t>(c) > ' ' && c != '>' && c != '<'
                          : (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
    };
    size_t end = at + 1;
    while (end < text.size() && end - at < 48 && is_inside(text[end])) ++end;
    if (end == text.size() || text[end] != close || end == at + 1) continue;
    std::string name = text.substr(at, end - at);
    name.erase(0, name.find('=') != std::string::npos ? name.find('=') + 1 : name.find_first_not_of("</"));
    const bool is_named = given.find('\n' + name + '\n') != std::string::npos;
    if (close == ']' || !is_named) markers.push_back({at, end + 1});
  }
  return markers;
}

bool Touches(const std::vector<TextSpan>& spans, TextSpan span) {
  return std::any_of(spans.begin(), spans.end(),
                     [span](const TextSpan& s) { return s.begin < span.end && span.begin < s.end; });
}

// What a template writes itself stays its own: a special token in the prompt is marked as the conversation's only if
// the conversation spells it. And what the conversation spells is marked.
TEST_P(PublishedTemplateTest, TellsItsOwnMarkersFromTheConversations) {
  const auto parsed = Template::Parse(golden::ReadFile(GoldenDir() / "jinja" / (GetParam() + ".jinja")));
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  RenderOptions options = FixedClock();
  options.own_variables = {"bos_token", "eos_token"};
  int n_own = 0;
  for (const ordered_json& line : golden::ReadJsonLines(GoldenDir() / "expected" / (GetParam() + ".jsonl"))) {
    if (!line.contains("output")) continue;
    const std::string name = line["conversation"].get<std::string>();
    const ordered_json conversation =
        ordered_json::parse(golden::ReadFile(GoldenDir() / "conversations" / (name + ".json")));
    const auto rendered = parsed->RenderMarked(ContextOf(conversation, line, false), options);
    ASSERT_TRUE(rendered) << name;
    std::string given = "\n";
    CollectStrings(conversation, given);
    CollectStrings(line["kwargs"], given);
    for (const TextSpan& span : FindMarkers(rendered->text, given)) {
      const std::string marker = rendered->text.substr(span.begin, span.end - span.begin);
      const bool is_input = Touches(rendered->input, span);
      n_own += !is_input;
      EXPECT_TRUE(!is_input || given.find(marker) != std::string::npos) << name << ": " << marker;
    }
    // The marks cover every message: what is not marked holds none of the users' texts.
    std::string own = rendered->text;
    for (const TextSpan& span : rendered->input)
      std::fill(own.begin() + static_cast<ptrdiff_t>(span.begin), own.begin() + static_cast<ptrdiff_t>(span.end), '\0');
    for (const ordered_json& message : conversation["messages"]) {
      if (!message.contains("content") || !message["content"].is_string()) continue;
      const std::string content = message["content"].get<std::string>();
      EXPECT_TRUE(content.size() <= 8 || own.find(content) == std::string::npos) << name << ": " << content;
    }
  }
  EXPECT_GT(n_own, 0);
}

std::vector<std::string> TemplateNames() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(GoldenDir() / "jinja", error)) {
    names.push_back(file.path().stem().string());
  }
  if (names.empty()) names.emplace_back("no_golden_data");
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Published, PublishedTemplateTest, ::testing::ValuesIn(TemplateNames()), [](const auto& name) {
  std::string text = name.param;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return text;
});

}  // namespace
}  // namespace rf
