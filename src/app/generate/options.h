// The flags of `generate`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/grammar_options.h"
#include "app/model_options.h"
#include "engine/sampler/sampling_params.h"

namespace rf::app {

struct GenerateOptions {
  ModelOptions model;
  SamplingParams sampling;
  GrammarOptions grammar_flags;
  std::shared_ptr<const grammar::CompiledGrammar> grammar;  ///< what the flags ask for, of all prompts; null: nothing
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
