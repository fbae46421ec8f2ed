// From the strings at which DRY starts anew to tokens.
#pragma once

#include <string>
#include <vector>

#include "engine/sampler/sampling_params.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

/// If params ask for DRY, sets params.dry_breaker_ids: the tokens with one of params.dry_breakers in their text.
void ResolveDryBreakers(const Tokenizer& tokenizer, SamplingParams& params);

}  // namespace rf
