#include "base/json_shape.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf {
namespace {

constexpr size_t kMaxShownSteps = 8;
constexpr size_t kMaxShownKeyBytes = 40;

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
      if (c == '"') i = String(i);
      if (c == '{' || c == '[') RF_RETURN_IF_ERROR(Open(i));
      if (c == '}' || c == ']') Close();
      if (c == ',') RF_RETURN_IF_ERROR(Next());
      if (n_values_ > limits_.n_values) {
        return Bad(fmt::format("the JSON has more than {} values", limits_.n_values), open_.size() - 1);
      }
    }
    return {};
  }

 private:
  struct Container {
    bool is_object;
    uint64_t n_members;
    bool has_key = false;  ///< of the member that is being read
    size_t key_begin = 0, key_end = 0;
  };

  /// At what the first `n_steps` open containers are reading.
  Error Bad(std::string message, size_t n_steps) const {
    std::string where;
    for (size_t i = 0; i < std::min({n_steps, open_.size(), kMaxShownSteps}); ++i) {
      const Container& container = open_[i];
      if (!container.is_object) {
        where += fmt::format("[{}]", container.n_members - 1);
      } else if (container.has_key) {
        const std::string_view key = text_.substr(container.key_begin, container.key_end - container.key_begin);
        where += fmt::format("{}{}", where.empty() ? "" : ".", EscapeForMessage(key, kMaxShownKeyBytes));
      }
    }
    return {ErrorCode::kInvalidArgument, std::move(message), std::move(where)};
  }

  /// The end of the string; an object's first string in a member is its key.
  size_t String(size_t begin) {
    const size_t end = EndOfString(text_, begin);
    if (!open_.empty() && open_.back().is_object && !open_.back().has_key) {
      open_.back().has_key = true;
      open_.back().key_begin = begin + 1;
      open_.back().key_end = std::min(end, text_.size());
    }
    return end;
  }

  Status Open(size_t i) {
    if (open_.size() == limits_.depth) {
      return Bad(fmt::format("the JSON at byte {} is nested too deeply: depth > {}", i, limits_.depth), open_.size());
    }
    open_.push_back({.is_object = text_[i] == '{', .n_members = 1});
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
    open.has_key = false;
    const uint64_t work = work_ + (open.is_object ? open.n_members * open.n_members : 0);
    if (work <= limits_.member_work) return {};
    return Bad("the JSON has objects with too many members", open_.size() - 1);
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
