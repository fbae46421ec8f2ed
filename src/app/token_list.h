// Token ids that users give: "1,2,3" and JSON arrays, checked against the vocabulary.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::app {

/// "1,2,3"; spaces are allowed. Errors: kInvalidArgument naming the entry.
Result<std::vector<TokenId>> ParseTokenList(const std::string& text, const Tokenizer& tokenizer);

/// A JSON array of whole numbers. Errors: kInvalidArgument naming `key[index]`.
Result<std::vector<TokenId>> TokensFromJson(const nlohmann::ordered_json& array, const Tokenizer& tokenizer,
                                            const std::string& key);

}  // namespace rf::app
