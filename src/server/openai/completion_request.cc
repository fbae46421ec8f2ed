#include "server/openai/completion_request.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace rf::server {
namespace {

using Json = Fields::Json;

constexpr int kMaxLogprobs = 5;

std::vector<TokenId> ReadTokens(Fields& fields, const std::string& path, const Json& list, int32_t n_vocab) {
  std::vector<TokenId> ids;
  ids.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const bool is_id = list[i].is_number_integer() && list[i] >= 0 && list[i] < n_vocab;
    if (!is_id) {
      fields.Fail(fmt::format("{}[{}]", path, i),
                  fmt::format("a token must be a whole number from 0 to {}", n_vocab - 1));
      break;
    }
    ids.push_back(list[i].get<TokenId>());
  }
  return ids;
}

void ReadPrompt(Fields& fields, int32_t n_vocab, std::vector<CompletionPrompt>& prompts) {
  const Json* prompt = fields.Find("prompt");
  constexpr const char* kWanted =
      "'prompt' must be a string, a list of strings, a list of token ids, or a list of those";
  if (prompt != nullptr && prompt->is_string()) return prompts.emplace_back(prompt->get<std::string>()), void();
  if (prompt == nullptr || !prompt->is_array() || prompt->empty()) return fields.Fail("prompt", kWanted);
  if (prompt->front().is_number()) return prompts.emplace_back(ReadTokens(fields, "prompt", *prompt, n_vocab)), void();
  if (prompt->size() > kMaxRequestChoices) {
    return fields.Fail("prompt", fmt::format("{} prompts (max {})", prompt->size(), kMaxRequestChoices));
  }
  for (size_t i = 0; i < prompt->size() && fields.ok(); ++i) {
    const Json& one = (*prompt)[i];
    const std::string path = fmt::format("prompt[{}]", i);
    if (one.is_string() && prompt->front().is_string()) {
      prompts.emplace_back(one.get<std::string>());
    } else if (one.is_array() && prompt->front().is_array()) {
      prompts.emplace_back(ReadTokens(fields, path, one, n_vocab));
    } else {
      fields.Fail(path, kWanted);
    }
  }
}

}  // namespace

CompletionRequest ReadCompletionRequest(Fields& fields, int32_t n_vocab) {
  CompletionRequest request;
  GenerationParams& params = request.params;
  params = ReadGenerationParams(fields, n_vocab);
  ReadPrompt(fields, n_vocab, request.prompts);
  params.max_tokens =
      static_cast<int32_t>(fields.Integer("max_tokens", 0, Fields::kMaxInt).value_or(kDefaultCompletionTokens));
  if (const auto n_top = fields.Integer("logprobs", 0, kMaxLogprobs)) {
    params.n_top_logprobs = static_cast<int32_t>(*n_top);
  }
  request.echo = fields.Bool("echo").value_or(false);
  request.parse_special = fields.Bool("parse_special").value_or(true);
  const auto best_of = fields.Integer("best_of", 1, kMaxChoices);
  if (best_of && *best_of != params.n) fields.Unsupported("best_of", "it must equal 'n'");
  const auto suffix = fields.String("suffix", std::numeric_limits<size_t>::max());
  if (suffix && !suffix->empty()) fields.Unsupported("suffix", "text cannot be filled in yet");
  if (request.prompts.size() * static_cast<size_t>(params.n) > kMaxRequestChoices) {
    fields.Fail("n", fmt::format("{} prompts times n = {} is more than {} choices", request.prompts.size(), params.n,
                                 kMaxRequestChoices));
  }
  return request;
}

}  // namespace rf::server
