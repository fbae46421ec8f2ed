#include "server/openai/json_body.h"

#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

// ordered_json finds members by looking at all of them, so an object of m members costs about m * m / 2 comparisons to
// build. The sum over all objects is bounded by this: 2,000 members in one object, or 40,000 in objects of 100.
constexpr uint64_t kMaxMemberWork = 4'000'000;

Error BadJson(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

// Counts brackets and commas outside of strings. Needs no valid JSON: what it passes, the parser still refuses.
class Scanner {
 public:
  Status Run(std::string_view body) {
    for (size_t i = 0; i < body.size(); ++i) {
      const char c = body[i];
      if (c == '"') {
        i = EndOfString(body, i);
      } else if (c == '{' || c == '[') {
        if (open_.size() == kMaxJsonDepth) {
          return BadJson(fmt::format("the JSON at byte {} is nested too deeply: depth > {}", i, kMaxJsonDepth));
        }
        open_.push_back({c == '{', 1});
      } else if ((c == '}' || c == ']') && !open_.empty()) {
        if (open_.back().is_object) work_ += open_.back().n_members * open_.back().n_members;
        open_.pop_back();
      }
      // Counted while the object is open: what never closes is built all the same before the parser notices.
      if (c == ',' && !open_.empty()) {
        Open& open = open_.back();
        ++open.n_members;
        if (open.is_object && work_ + open.n_members * open.n_members > kMaxMemberWork) return TooManyMembers();
      }
      if (c == ',' || c == '{' || c == '[') ++n_nodes_;
      if (n_nodes_ > kMaxJsonNodes) return BadJson(fmt::format("the JSON has more than {} values", kMaxJsonNodes));
      if (work_ > kMaxMemberWork) return TooManyMembers();
    }
    return {};
  }

 private:
  struct Open {
    bool is_object;
    uint64_t n_members;
  };

  static Error TooManyMembers() { return BadJson("the JSON has objects with too many members"); }

  static size_t EndOfString(std::string_view body, size_t begin) {
    size_t i = begin + 1;
    while (i < body.size() && body[i] != '"') i += body[i] == '\\' ? 2 : 1;
    return i;
  }

  std::vector<Open> open_;
  uint64_t work_ = 0;
  size_t n_nodes_ = 0;
};

}  // namespace

Result<nlohmann::ordered_json> ParseJsonBody(std::string_view body) {
  const size_t valid = ValidUtf8Prefix(body);
  if (valid != body.size()) return BadJson(fmt::format("the body has invalid UTF-8 at byte {}", valid));
  RF_RETURN_IF_ERROR(Scanner().Run(body));
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
