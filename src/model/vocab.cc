#include "model/vocab.h"

#include <string>

#include <fmt/format.h>

namespace rf {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

std::string Key(std::string_view name) {
  return std::string(kPrefix) + std::string(name);
}

Result<std::vector<std::string>> ReadStrings(const GgufMetadata& metadata, std::string_view name) {
  RF_ASSIGN_OR_RETURN(const GgufStrings* strings, metadata.GetStringArray(Key(name)));
  std::vector<std::string> out;
  out.reserve(strings->size());
  for (size_t i = 0; i < strings->size(); ++i) out.emplace_back((*strings)[i]);
  return out;
}

Status ReadId(const GgufMetadata& metadata, std::string_view name, const VocabData& vocab, std::optional<TokenId>& id) {
  const std::string key = Key(name);
  RF_ASSIGN_OR_RETURN(const std::optional<uint64_t> value, metadata.FindU64(key));
  if (!value) return {};
  if (*value >= vocab.tokens.size()) {
    return metadata.ErrorAt(key, fmt::format("{} {} outside vocabulary of {}", key, *value, vocab.tokens.size()));
  }
  id = static_cast<TokenId>(*value);
  return {};
}

Status ReadFlag(const GgufMetadata& metadata, std::string_view name, std::optional<bool>& flag) {
  RF_ASSIGN_OR_RETURN(flag, metadata.FindBool(Key(name)));
  return {};
}

Status ReadIds(const GgufMetadata& metadata, VocabData& vocab) {
  RF_RETURN_IF_ERROR(ReadId(metadata, "bos_token_id", vocab, vocab.bos));
  RF_RETURN_IF_ERROR(ReadId(metadata, "eos_token_id", vocab, vocab.eos));
  RF_RETURN_IF_ERROR(ReadId(metadata, "unknown_token_id", vocab, vocab.unk));
  RF_RETURN_IF_ERROR(ReadId(metadata, "seperator_token_id", vocab, vocab.sep));  // the format's own spelling
  RF_RETURN_IF_ERROR(ReadId(metadata, "padding_token_id", vocab, vocab.pad));
  RF_RETURN_IF_ERROR(ReadId(metadata, "cls_token_id", vocab, vocab.cls));
  RF_RETURN_IF_ERROR(ReadId(metadata, "mask_token_id", vocab, vocab.mask));
  RF_RETURN_IF_ERROR(ReadId(metadata, "eot_token_id", vocab, vocab.eot));
  return ReadId(metadata, "eom_token_id", vocab, vocab.eom);
}

Status ReadFlags(const GgufMetadata& metadata, VocabData& vocab) {
  RF_RETURN_IF_ERROR(ReadFlag(metadata, "add_bos_token", vocab.add_bos));
  RF_RETURN_IF_ERROR(ReadFlag(metadata, "add_eos_token", vocab.add_eos));
  RF_RETURN_IF_ERROR(ReadFlag(metadata, "add_sep_token", vocab.add_sep));
  RF_RETURN_IF_ERROR(ReadFlag(metadata, "add_space_prefix", vocab.add_space_prefix));
  RF_RETURN_IF_ERROR(ReadFlag(metadata, "normalizer.lowercase", vocab.lowercase));
  RF_RETURN_IF_ERROR(ReadFlag(metadata, "normalizer.strip_accents", vocab.strip_accents));
  return ReadFlag(metadata, "remove_extra_whitespaces", vocab.remove_extra_whitespaces);
}

// An array of bytes, signed or not.
Status ReadBytes(const GgufMetadata& metadata, std::string_view name, std::string& bytes) {
  const std::string key = Key(name);
  if (!metadata.Has(key)) return {};
  RF_ASSIGN_OR_RETURN(const std::vector<int32_t> values, metadata.GetI32Array(key));
  bytes.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < -128 || values[i] > 255) {
      return metadata.ErrorAt(key, fmt::format("{}[{}] is {}, not a byte", key, i, values[i]));
    }
    bytes += static_cast<char>(values[i]);
  }
  return {};
}

}  // namespace

Result<VocabData> ReadVocab(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  VocabData vocab;
  RF_ASSIGN_OR_RETURN(const std::string_view model, metadata.GetString(Key("model")));
  vocab.model = model;
  RF_ASSIGN_OR_RETURN(const auto pre, metadata.FindString(Key("pre")));
  if (pre) vocab.pre = *pre;
  RF_ASSIGN_OR_RETURN(vocab.tokens, ReadStrings(metadata, "tokens"));
  if (metadata.Has(Key("merges"))) {
    RF_ASSIGN_OR_RETURN(vocab.merges, ReadStrings(metadata, "merges"));
  }
  if (metadata.Has(Key("scores"))) {
    RF_ASSIGN_OR_RETURN(vocab.scores, metadata.GetF32Array(Key("scores")));
  }
  if (metadata.Has(Key("token_type"))) {
    RF_ASSIGN_OR_RETURN(vocab.types, metadata.GetI32Array(Key("token_type")));
  }
  RF_RETURN_IF_ERROR(ReadBytes(metadata, "precompiled_charsmap", vocab.precompiled_charsmap));
  RF_RETURN_IF_ERROR(ReadIds(metadata, vocab));
  RF_RETURN_IF_ERROR(ReadFlags(metadata, vocab));
  return vocab;
}

}  // namespace rf
