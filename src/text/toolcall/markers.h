// The texts that a format's syntax consists of.
#pragma once

#include <string_view>
#include <vector>

#include "text/toolcall/detect.h"

namespace rf {

/// All literals of the style: of its openers and programs, of reasoning, and those that it ignores.
std::vector<std::string_view> MarkersOf(const ReplyStyle& style);

/// Whether `text`, a control token's, is part of one of them: the reply's reader must see it, although nobody else
/// does.
bool IsMarker(const std::vector<std::string_view>& markers, std::string_view text);

}  // namespace rf
