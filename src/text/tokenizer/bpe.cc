#include "text/tokenizer/bpe.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

// Models other than "gpt2" bear the name of their pre-tokenizer.
const PreTokenizer& ChoosePreTokenizer(const VocabData& data) {
  const std::string& name = data.model == "gpt2" ? data.pre : data.model;
  if (name.empty()) {
    Log(LogLevel::kWarning, "tokenizer.ggml.pre is missing; 'default' is used, which few models want");
    return *FindPreTokenizer("default");
  }
  if (const PreTokenizer* pre = FindPreTokenizer(name); pre != nullptr) return *pre;
  Log(LogLevel::kWarning,
      fmt::format("tokenizer.ggml.pre '{}' is unknown; taken as '{}', which most models resemble: words may be cut "
                  "differently than in training",
                  EscapeForMessage(name, 32), kFallbackPreTokenizer));
  return *FindPreTokenizer(kFallbackPreTokenizer);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreateBpe(VocabData data) {
  if (data.merges.empty()) {
    return Error{ErrorCode::kCorruptFile,
                 fmt::format("tokenizer.ggml.merges is missing or empty; model '{}' needs it", data.model),
                 {}};
  }
  const PreTokenizer& pre = ChoosePreTokenizer(data);
  return pre.symbols == BpeSymbols::kBytes ? CreateByteBpe(std::move(data), pre) : CreateRawBpe(std::move(data), pre);
}

}  // namespace rf
