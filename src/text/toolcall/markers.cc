#include "text/toolcall/markers.h"

#include <algorithm>

#include "text/toolcall/message_header.h"
#include "text/toolcall/section.h"

namespace rf {
namespace {

void AddProgram(toolcall::Program program, std::vector<std::string_view>& markers) {
  for (const toolcall::Op& op : program) {
    markers.push_back(op.text);
    if (op.kind == toolcall::OpKind::kGemmaArguments) markers.push_back(toolcall::kGemmaQuote);
    if (op.kind == toolcall::OpKind::kHarmony) {
      markers.insert(markers.end(), toolcall::kHarmonyMarkers.begin(), toolcall::kHarmonyMarkers.end());
    }
    if (op.tags == nullptr) continue;
    const toolcall::TagSyntax& tags = *op.tags;
    markers.insert(markers.end(), {tags.open, tags.key_close, tags.value_open, tags.value_close, tags.end});
  }
}

}  // namespace

std::vector<std::string_view> MarkersOf(const ReplyStyle& style) {
  const toolcall::ToolFormat& format = *style.format;
  std::vector<std::string_view> markers = {style.reasoning.open, style.reasoning.close, format.prompt_end};
  markers.insert(markers.end(), format.ignored.begin(), format.ignored.end());
  for (const toolcall::Opener& opener : format.openers) {
    markers.push_back(opener.text);
    AddProgram(opener.program, markers);
  }
  AddProgram(format.start, markers);
  std::erase_if(markers, [](std::string_view marker) { return marker.empty(); });
  return markers;
}

bool IsMarker(const std::vector<std::string_view>& markers, std::string_view text) {
  return !text.empty() && std::any_of(markers.begin(), markers.end(), [text](std::string_view marker) {
    return marker.find(text) != std::string_view::npos;
  });
}

}  // namespace rf
