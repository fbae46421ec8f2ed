// What a grammar may cost. Everything here is reached by input, so everything has a bound; docs/grammars.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rf::grammar {

inline constexpr size_t kMaxSourceBytes = size_t{256} << 10;  ///< of a grammar, a schema or a regular expression
inline constexpr size_t kMaxRules = 10'000;
inline constexpr size_t kMaxNesting = 128;          ///< of parentheses, and of JSON in a schema
inline constexpr uint32_t kMaxRepetition = 2'000;   ///< a bound in {m,n}
inline constexpr uint32_t kMaxCounted = 1'000'000;  ///< the same where the repeated thing is a single character
inline constexpr size_t kMaxStates = 100'000;       ///< of all rules together, before and after determinization
inline constexpr int64_t kMaxSteps = 5'000'000;     ///< of compiling: edges looked at

inline constexpr uint32_t kMaxDepth = 1'000;                      ///< of calls while matching, e.g. nested JSON arrays
inline constexpr size_t kMaxConfigurations = 1'000;               ///< readings of one text at the same time
inline constexpr size_t kMaxTableBytes = size_t{64} << 20;        ///< cached sets, moves and masks of one grammar
inline constexpr size_t kMaxSharedMasksBytes = size_t{32} << 20;  ///< masks shared by all grammars of a vocabulary

}  // namespace rf::grammar
