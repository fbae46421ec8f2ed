// The flags of `generate`.
#pragma once

#include <cstdint>
#include <string>

#include "app/model_options.h"
#include "engine/sampler/sampling_params.h"

namespace rf::app {

struct GenerateOptions {
  ModelOptions model;
  SamplingParams sampling;
  std::string prompt;
  std::string prompt_file;
  std::string tokens;
  std::string messages_file;
  std::string system;
  bool has_prompt = false;
  bool chat = false;
  bool parse_special = false;
  bool ignore_eos = false;
  bool json = false;
  bool jsonl = false;
  bool stats = false;
  int32_t n = 512;
  int32_t parallel = 8;
};

}  // namespace rf::app
