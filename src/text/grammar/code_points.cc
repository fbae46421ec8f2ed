#include "text/grammar/code_points.h"

#include <algorithm>

namespace rf::grammar {
namespace {

constexpr char32_t kFirstSurrogate = 0xD800;
constexpr char32_t kLastSurrogate = 0xDFFF;

int Encode(char32_t c, uint8_t* out) {
  if (c < 0x80) {
    out[0] = static_cast<uint8_t>(c);
    return 1;
  }
  const int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  constexpr uint8_t kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = length - 1; i > 0; --i, c >>= 6) out[i] = static_cast<uint8_t>(0x80 | (c & 0x3F));
  out[0] = static_cast<uint8_t>(kLead[length] | c);
  return length;
}

}  // namespace

CodePointSet::CodePointSet(std::initializer_list<CodePointRange> ranges) : CodePointSet(Of(ranges)) {}

CodePointSet CodePointSet::Of(const std::vector<CodePointRange>& ranges) {
  CodePointSet set;
  for (const CodePointRange& range : ranges) {
    if (range.first < kFirstSurrogate)
      set.ranges_.push_back({range.first, std::min<char32_t>(range.last, kFirstSurrogate - 1)});
    if (range.last > kLastSurrogate)
      set.ranges_.push_back({std::max<char32_t>(range.first, kLastSurrogate + 1), range.last});
  }
  set.Normalize();
  return set;
}

CodePointSet CodePointSet::All() {
  return {{0, kLastCodePoint}};
}

void CodePointSet::Add(const CodePointSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  Normalize();
}

void CodePointSet::Normalize() {
  std::erase_if(ranges_, [](const CodePointRange& range) { return range.first > range.last; });
  std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<CodePointRange> merged;
  for (const CodePointRange& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  ranges_ = std::move(merged);
}

CodePointSet CodePointSet::Complement() const {
  std::vector<CodePointRange> rest;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (range.first > next) rest.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint) rest.push_back({next, kLastCodePoint});
  return Of(rest);
}

CodePointSet CodePointSet::Intersection(const CodePointSet& other) const {
  CodePointSet both;
  size_t i = 0;
  size_t k = 0;
  while (i < ranges_.size() && k < other.ranges_.size()) {
    const char32_t first = std::max(ranges_[i].first, other.ranges_[k].first);
    const char32_t last = std::min(ranges_[i].last, other.ranges_[k].last);
    if (first <= last) both.ranges_.push_back({first, last});
    ranges_[i].last < other.ranges_[k].last ? ++i : ++k;
  }
  return both;
}

bool CodePointSet::Contains(char32_t code_point) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const CodePointRange& range) {
    return range.first <= code_point && code_point <= range.last;
  });
}

// Splits until every range has the same lead bytes and full continuation bytes after the first that varies.
std::vector<ByteSequence> Utf8Sequences(char32_t first, char32_t last) {
  constexpr char32_t kLengthEnds[] = {0x7F, 0x7FF, 0xFFFF, kLastCodePoint};
  std::vector<ByteSequence> sequences;
  std::vector<CodePointRange> todo = {{first, last}};
  while (!todo.empty()) {
    CodePointRange range = todo.back();
    todo.pop_back();
    for (const char32_t end : kLengthEnds) {
      if (range.first > end || range.last <= end) continue;
      todo.push_back({end + 1, range.last});
      range.last = end;
    }
    for (int i = 1; i < 4; ++i) {
      const char32_t mask = (char32_t{1} << (6 * i)) - 1;
      if (range.last <= 0x7F || (range.first & ~mask) == (range.last & ~mask)) continue;
      if ((range.first & mask) != 0) {
        todo.push_back({(range.first | mask) + 1, range.last});
        range.last = range.first | mask;
      } else if ((range.last & mask) != mask) {
        todo.push_back({range.last & ~mask, range.last});
        range.last = (range.last & ~mask) - 1;
      }
    }
    ByteSequence sequence{};
    sequence.length = Encode(range.first, sequence.first);
    Encode(range.last, sequence.last);
    sequences.push_back(sequence);
  }
  return sequences;
}

}  // namespace rf::grammar
