#include "app/token_list.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::app {
namespace {

Result<TokenId> CheckId(int64_t id, const Tokenizer& tokenizer, const std::string& where) {
  if (tokenizer.IsInRange(id)) return static_cast<TokenId>(id);
  return Error{ErrorCode::kInvalidArgument, fmt::format("token id {} is outside 0..{}", id, tokenizer.size() - 1),
               where};
}

}  // namespace

Result<std::vector<TokenId>> ParseTokenList(const std::string& text, const Tokenizer& tokenizer) {
  std::vector<TokenId> ids;
  if (text.find_first_not_of(" \t\n") == std::string::npos) return ids;
  for (size_t begin = 0, comma = 0; comma < text.size(); begin = comma + 1) {
    comma = std::min(text.find(',', begin), text.size());
    std::string word = text.substr(begin, comma - begin);
    word.erase(0, word.find_first_not_of(" \t\n"));
    word.erase(word.find_last_not_of(" \t\n") + 1);
    int64_t id = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), id);
    const std::string where = fmt::format("--tokens entry {}", ids.size());
    if (failed != std::errc() || end != word.data() + word.size() || word.empty()) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is not a token id", EscapeForMessage(word, 40)),
                   where};
    }
    RF_ASSIGN_OR_RETURN(const TokenId checked, CheckId(id, tokenizer, where));
    ids.push_back(checked);
  }
  return ids;
}

Result<std::vector<TokenId>> TokensFromJson(const nlohmann::ordered_json& array, const Tokenizer& tokenizer,
                                            const std::string& key) {
  if (!array.is_array()) return Error{ErrorCode::kInvalidArgument, "must be an array of token ids", key};
  std::vector<TokenId> ids;
  for (const auto& value : array) {
    const std::string where = fmt::format("{}[{}]", key, ids.size());
    if (!value.is_number_integer()) return Error{ErrorCode::kInvalidArgument, "must be a whole number", where};
    const int64_t id =
        value.is_number_unsigned() && value.get<uint64_t>() > INT32_MAX ? INT64_MAX : value.get<int64_t>();
    RF_ASSIGN_OR_RETURN(const TokenId checked, CheckId(id, tokenizer, where));
    ids.push_back(checked);
  }
  return ids;
}

}  // namespace rf::app
