#include "server/openai/json_body.h"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/json_shape.h"
#include "base/utf8.h"

namespace rf::server {
namespace {

// ordered_json finds members by looking at all of them, so an object of m members costs about m * m / 2 comparisons to
// build. The sum over all objects is bounded by this: 2,000 members in one object, or 40,000 in objects of 100.
constexpr uint64_t kMaxMemberWork = 4'000'000;

Error BadJson(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

}  // namespace

Result<nlohmann::ordered_json> ParseJsonBody(std::string_view body) {
  const size_t valid = ValidUtf8Prefix(body);
  if (valid != body.size()) return BadJson(fmt::format("the body has invalid UTF-8 at byte {}", valid));
  RF_RETURN_IF_ERROR(CheckJsonShape(body, {kMaxJsonDepth, kMaxJsonNodes, kMaxMemberWork}));
  try {
    auto json = nlohmann::ordered_json::parse(body);
    if (!json.is_object()) return BadJson("the body must be a JSON object");
    return json;
  } catch (const nlohmann::ordered_json::parse_error& error) {
    return BadJson(fmt::format("the body is not valid JSON at byte {}", error.byte));
  } catch (const nlohmann::ordered_json::exception&) {
    return BadJson("the body has a number that is out of range");
  }
}

}  // namespace rf::server
