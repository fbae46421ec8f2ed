// Tokenizes the input with a small vocabulary of each kind (tests/data/tokenizer). Bytes come back as they were from
// the kinds that keep every byte; a stream of the ids is valid UTF-8 and loses nothing; no text spells a control token.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "gguf/reader.h"
#include "model/vocab.h"
#include "text/tokenizer/space_sign.h"
#include "text/tokenizer/tokenizer.h"

namespace {

using rf::Tokenizer;

std::unique_ptr<Tokenizer> Load(const std::string& name) {
  const auto file =
      rf::GgufFile::Open(RF_SOURCE_DIR "/tests/data/tokenizer/" + name + ".gguf", {.vocab_only_ok = true});
  if (!file) __builtin_trap();
  auto vocab = rf::ReadVocab(*file);
  if (!vocab) __builtin_trap();
  auto tokenizer = Tokenizer::Create(std::move(*vocab));
  if (!tokenizer) __builtin_trap();
  return std::move(*tokenizer);
}

const std::vector<std::unique_ptr<Tokenizer>>& Tokenizers() {
  static const auto* const all = [] {
    auto* list = new std::vector<std::unique_ptr<Tokenizer>>;
    for (const char* name : {"bpe", "plamo2", "raw-bpe", "raw-bpe-lines", "raw-bpe-words", "rwkv", "unigram",
                             "unigram-bytes", "wordpiece", "wordpiece-cased"}) {
      list->push_back(Load(name));
    }
    return list;
  }();
  return *all;
}

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

// What Decode must give for the ids of `text`, where the kind says so.
void CheckRoundTrip(const Tokenizer& tokenizer, const std::string& text, const std::string& decoded) {
  const std::string& model = tokenizer.data().model;
  if (model == "rwkv" || model == "plamo2") Check(decoded == text);
  if (tokenizer.data().pre == "gpt-2" && rf::IsValidUtf8(text)) Check(decoded == text);
  if (model != "gemma4") return;
  std::string spaced;
  Check(decoded == (rf::ReplaceSpaceSigns(text, spaced) ? spaced : text));
}

void CheckStream(const Tokenizer& tokenizer, const std::vector<rf::TokenId>& ids) {
  rf::StreamingDecoder stream(tokenizer, true);
  std::string streamed;
  for (const rf::TokenId id : ids) {
    const std::string added = stream.Add(id);
    Check(rf::IsValidUtf8(added));
    streamed += added;
  }
  streamed += stream.Finish();
  Check(streamed == rf::ReplaceInvalidUtf8(tokenizer.Decode(ids, {.clean_spaces = false})));
}

// No span of `text` that is plain becomes a control token; without any span all of it may.
void CheckPlain(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<rf::TextSpan> all = {{0, text.size()}};
  const auto plain = tokenizer.Encode(text, {.add_special = false, .parse_special = true}, all);
  const auto unparsed = tokenizer.Encode(text, {.add_special = false});
  Check(plain == unparsed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto& tokenizer : Tokenizers()) {
    for (const bool parse_special : {false, true}) {
      const auto ids = tokenizer->Encode(text, {.add_special = false, .parse_special = parse_special});
      for (const rf::TokenId id : ids) Check(tokenizer->IsInRange(id));
      CheckRoundTrip(*tokenizer, text, tokenizer->Decode(ids, {.unparse_special = true, .clean_spaces = false}));
      CheckStream(*tokenizer, ids);
    }
    if (size > 0) CheckPlain(*tokenizer, text);
  }
  // The bytes as ids: any sequence of tokens can be streamed.
  for (const auto& tokenizer : Tokenizers()) {
    std::vector<rf::TokenId> ids;
    for (size_t i = 0; i + 1 < size; i += 2) {
      ids.push_back(static_cast<rf::TokenId>((data[i] << 8 | data[i + 1]) % tokenizer->size()));
    }
    CheckStream(*tokenizer, ids);
  }
  return 0;
}
