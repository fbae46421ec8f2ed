// The sampling parameters of a line of `generate --jsonl`.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "engine/sampler/sampling_params.h"

namespace rf::app {

/// Whether a member of a line is one of those that ReadSamplingFields reads.
bool IsSamplingField(std::string_view key);

/// Takes over the members that a line has: the keys of sampling_params.def, "temp" for "temperature", "seed",
/// "samplers". Errors: kInvalidArgument naming the member; the ranges of the numbers are the engine's business.
Status ReadSamplingFields(const nlohmann::ordered_json& line, SamplingParams& params);

}  // namespace rf::app
