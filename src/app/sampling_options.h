// The flags that say how tokens are chosen.
#pragma once

#include <CLI/App.hpp>

#include "engine/sampler/sampling_params.h"

namespace rf::app {

/// Declares a flag for each line of sampling_params.def, and --samplers, --logit-bias, --ban-token, --allow-token and
/// --dry-sequence-breaker. The values that `params` holds are the command's defaults and are shown in its help;
/// `params` must live as long as `command`. The seed is AddModelOptions' business.
void AddSamplingOptions(CLI::App& command, SamplingParams& params);

}  // namespace rf::app
