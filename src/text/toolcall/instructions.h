// Tools for models whose chat template knows none.
#pragma once

#include <nlohmann/json.hpp>

#include "text/template/chat.h"

namespace rf {

/// Puts the tools into the system message (a new one if there is none) with the convention of the format
/// "generic-json", and writes earlier calls and their results as text in that convention. `input.tools` becomes null.
/// Messages that are no objects stay as they are: the template refuses them.
void DescribeTools(ChatTemplateInput& input);

}  // namespace rf
