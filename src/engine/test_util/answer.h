// A request of a test, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/request.h"

namespace rf::test {

struct Answer {
  std::vector<int32_t> ids;
  std::optional<RequestResult> result;  ///< nothing before the request's end
};

/// A greedy request that writes into `answer`, which must outlive it.
inline Request RequestFor(std::vector<int32_t> prompt, int32_t max_tokens, Answer& answer) {
  Request request;
  request.prompt = std::move(prompt);
  request.max_tokens = max_tokens;
  request.on_token = [&answer](const GeneratedToken& token) {
    answer.ids.push_back(token.id);
    return true;
  };
  request.on_finish = [&answer](const RequestResult& result) {
    EXPECT_FALSE(answer.result.has_value()) << "told twice";
    answer.result = result;
  };
  return request;
}

}  // namespace rf::test
