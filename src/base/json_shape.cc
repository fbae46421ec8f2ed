#include "base/json_shape.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rf {
namespace {

Error BadJson(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

Error TooManyMembers() {
  return BadJson("the JSON has objects with too many members");
}

// Index of the quote that ends the string that begins at `begin`, or beyond the text.
size_t EndOfString(std::string_view text, size_t begin) {
  size_t i = begin + 1;
  while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
  return i;
}

class Scanner {
 public:
  Scanner(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  Status Run() {
    for (size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"') i = EndOfString(text_, i);
      if (c == '{' || c == '[') RF_RETURN_IF_ERROR(Open(i));
      if (c == '}' || c == ']') Close();
      if (c == ',') RF_RETURN_IF_ERROR(Next());
      if (n_values_ > limits_.n_values) {
        return BadJson(fmt::format("the JSON has more than {} values", limits_.n_values));
      }
    }
    return {};
  }

 private:
  struct Container {
    bool is_object;
    uint64_t n_members;
  };

  Status Open(size_t i) {
    if (open_.size() == limits_.depth) {
      return BadJson(fmt::format("the JSON at byte {} is nested too deeply: depth > {}", i, limits_.depth));
    }
    open_.push_back({text_[i] == '{', 1});
    ++n_values_;
    return {};
  }

  void Close() {
    if (open_.empty()) return;
    if (open_.back().is_object) work_ += open_.back().n_members * open_.back().n_members;
    open_.pop_back();
  }

  // Counted while the object is open: what never closes is built all the same before the parser notices.
  Status Next() {
    ++n_values_;
    if (open_.empty()) return {};
    Container& open = open_.back();
    ++open.n_members;
    const uint64_t work = work_ + (open.is_object ? open.n_members * open.n_members : 0);
    return work > limits_.member_work ? Status(TooManyMembers()) : Status();
  }

  std::string_view text_;
  const JsonLimits& limits_;
  std::vector<Container> open_;
  uint64_t work_ = 0;
  size_t n_values_ = 0;
};

}  // namespace

Status CheckJsonShape(std::string_view text, const JsonLimits& limits) {
  return Scanner(text, limits).Run();
}

}  // namespace rf
