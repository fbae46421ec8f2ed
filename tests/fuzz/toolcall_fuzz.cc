// Reads the input as a reply in one of the formats. The first byte chooses the format, the second where the text is cut
// and whether it is truncated, the third what the prompt ended with. What is checked: the parts joined are the whole;
// arguments are JSON; where no call is found, nothing but markers and white space is lost.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "text/toolcall/markers.h"
#include "text/toolcall/reply_parser.h"

namespace {

using rf::toolcall::ToolFormat;

constexpr size_t kMaxTextBytes = 4096;
constexpr std::string_view kSpaces = " \n\t\r";

const nlohmann::ordered_json& Tools() {
  static const auto* const tools = new nlohmann::ordered_json(nlohmann::ordered_json::parse(R"([
    {"function": {"name": "f", "parameters": {"properties": {
      "a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": ["array", "null"]}, "d": {}}}}},
    {"function": {"name": "python", "parameters": {"properties": {"code": {"type": "string"}}}}}])"));
  return *tools;
}

void Check(bool is_true) {
  if (!is_true) __builtin_trap();
}

struct Case {
  const ToolFormat& format;
  std::string_view text;
  std::string_view prompt_end;
  bool is_truncated;
};

rf::ParsedReply Parse(const Case& one, const std::vector<std::string_view>& parts, bool is_live) {
  rf::ReplyParser parser(
      one.format,
      {.tools = rf::toolcall::ToolSchemas(Tools()), .prompt_end = one.prompt_end, .stream_arguments = is_live});
  std::vector<rf::ReplyDelta> deltas;
  for (const std::string_view part : parts) parser.Feed(part, deltas);
  parser.Finish(one.is_truncated, deltas);
  rf::ReplyBuilder builder;
  for (const rf::ReplyDelta& delta : deltas) {
    Check(is_live || delta.kind != rf::ReplyDelta::Kind::kCallTaken);
    builder.Add(delta);
  }
  rf::ParsedReply reply = builder.Build();
  reply.warnings = parser.warnings();
  reply.pending_name = parser.pending_name();
  return reply;
}

void CheckSame(const rf::ParsedReply& a, const rf::ParsedReply& b) {
  Check(a.content == b.content && a.reasoning == b.reasoning && a.warnings == b.warnings);
  Check(a.pending_name == b.pending_name && a.calls.size() == b.calls.size());
  for (size_t i = 0; i < a.calls.size(); ++i) {
    Check(a.calls[i].name == b.calls[i].name && a.calls[i].arguments == b.calls[i].arguments);
    Check(a.calls[i].id == b.calls[i].id);
  }
}

bool IsSpace(char c) {
  return kSpaces.find(c) != std::string_view::npos;
}

// Whether `out` is `text` without some markers and white space.
bool HoldsAll(std::string_view text, std::string_view out, const std::vector<std::string_view>& markers) {
  std::set<size_t> places = {0};
  const auto skip = [&] {
    for (auto place = places.begin(); place != places.end(); ++place) {
      if (*place < text.size() && IsSpace(text[*place])) places.insert(*place + 1);
      for (const std::string_view marker : markers) {
        if (text.substr(*place).starts_with(marker)) places.insert(*place + marker.size());
      }
    }
  };
  for (const char c : out) {
    if (IsSpace(c)) continue;
    skip();
    std::set<size_t> next;
    for (const size_t place : places) {
      if (place < text.size() && text[place] == c) next.insert(place + 1);
    }
    places = std::move(next);
  }
  skip();
  return places.contains(text.size());
}

// Formats that unwrap text from a syntax of their own drop more than markers.
bool DropsOnlyMarkers(const ToolFormat& format) {
  return format.start.empty() && format.name != "generic-json";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3 || size > kMaxTextBytes) return 0;
  const auto formats = rf::toolcall::AllFormats();
  const ToolFormat& format = formats[data[0] % formats.size()];
  const std::string_view prompt_ends[] = {"", format.reasoning.open, format.prompt_end,
                                          "<|start|>assistant<|channel|>"};
  const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  const Case one{format, text, prompt_ends[data[2] % 4], data[1] >= 128};
  const rf::ParsedReply whole = Parse(one, {text}, false);
  const size_t cut = text.empty() ? 0 : data[1] * size_t{131} % text.size();
  CheckSame(whole, Parse(one, {text.substr(0, cut), text.substr(cut)}, false));
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  CheckSame(whole, Parse(one, bytes, true));
  const bool is_utf8 = rf::IsValidUtf8(text);
  for (const rf::ToolCall& call : whole.calls) {
    Check(!call.name.empty());
    if (is_utf8) Check(nlohmann::json::parse(call.arguments, nullptr, false).is_object());
  }
  if (whole.calls.empty() && !one.is_truncated && DropsOnlyMarkers(format) && size < 1024) {
    const auto markers = rf::MarkersOf({&format, format.reasoning, false});
    Check(HoldsAll(text, whole.reasoning + whole.content, markers));
  }
  return 0;
}
