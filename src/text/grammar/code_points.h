// Sets of Unicode code points.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace rf::grammar {

struct CodePointRange {
  char32_t first;
  char32_t last;
  bool operator==(const CodePointRange&) const = default;
};

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

/// Ranges, ascending, apart from each other. Surrogates are never members: UTF-8 has no form for them.
class CodePointSet {
 public:
  CodePointSet() = default;
  CodePointSet(std::initializer_list<CodePointRange> ranges);

  /// Of ranges in any order, which may overlap.
  static CodePointSet Of(const std::vector<CodePointRange>& ranges);
  /// All code points but surrogates.
  static CodePointSet All();

  void Add(const CodePointSet& other);
  CodePointSet Complement() const;
  CodePointSet Intersection(const CodePointSet& other) const;
  bool Contains(char32_t code_point) const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<CodePointRange>& ranges() const { return ranges_; }

 private:
  void Normalize();
  std::vector<CodePointRange> ranges_;
};

/// Bytes first[i]..last[i] at place i, for `length` places.
struct ByteSequence {
  int length;
  uint8_t first[4];
  uint8_t last[4];
};

/// The UTF-8 forms of first..last as few sequences of byte ranges. REQUIRES: no surrogates between.
std::vector<ByteSequence> Utf8Sequences(char32_t first, char32_t last);

}  // namespace rf::grammar
