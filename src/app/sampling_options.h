// The flags that say how tokens are chosen.
#pragma once

#include <CLI/App.hpp>

#include "engine/sampler/sampling_params.h"

namespace rf::app {

/// Declares --temp, --top-k, --top-p, --min-p, --repeat-penalty, --repeat-last-n, --presence-penalty,
/// --frequency-penalty and --logit-bias. The values that `params` holds are the command's defaults and are shown in its
/// help; `params` must live as long as `command`. The seed is AddModelOptions' business.
void AddSamplingOptions(CLI::App& command, SamplingParams& params);

}  // namespace rf::app
