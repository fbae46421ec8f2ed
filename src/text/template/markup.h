// HTML escaping, which safe strings bring in.
#pragma once

#include <string>
#include <string_view>

#include "text/template/value.h"

namespace rf::jinja {

/// & < > " ' as entities, in markupsafe's spelling. At most six times as long.
std::string EscapeHtml(std::string_view text);

/// A safe string as it is, any other escaped. REQUIRES: a string.
Value EscapeUnsafe(const Value& text);

/// Text without tags and comments, white space collapsed, the common entities resolved.
std::string StripTags(std::string_view text);

}  // namespace rf::jinja
