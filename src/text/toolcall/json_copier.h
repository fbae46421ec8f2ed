// Reads one value in JSON or what models write in its place, and writes it as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/toolcall/input.h"

namespace rf::toolcall {

/// What is taken beyond JSON. Always taken, since templates and models write them: Python's True, False and None,
/// strings in single quotes, Python's escapes (an unknown escape stands for itself), line breaks in strings, a comma
/// behind the last element.
struct JsonDialect {
  std::string_view quote;       ///< a further string delimiter; nothing between two of them is an escape
  bool bare_keys_only = false;  ///< keys of objects are words without quotes
};

inline constexpr size_t kMaxJsonNesting = 256;

class JsonCopier {
 public:
  explicit JsonCopier(JsonDialect dialect = {}) : dialect_(dialect) {}

  /// Appends the value to `out` as JSON without white space around its parts; what is appended when more text is
  /// needed never changes any more. Lone surrogates become U+FFFD. Linear time, no recursion.
  Step Run(Input& in, std::string& out);

 private:
  enum class State { kValue, kValueOrEnd, kKey, kKeyOrEnd, kColon, kString, kBareKey, kWord, kAfterValue };

  Step Next(Input& in, std::string& out);
  Step RunString(Input& in, std::string& out);
  Step RunEscape(Input& in, std::string& out);
  Step RunNumberOrWord(Input& in, std::string& out);
  Step BeginValue(Input& in, std::string& out);
  Step BeginKey(Input& in, std::string& out);
  Step AfterValue(Input& in, std::string& out);
  Step CopyBareKey(Input& in, std::string& out);
  void BeginElement(std::string& out);
  Step OpenString(Input& in, std::string& out, size_t n_bytes, char quote);
  void Push(Input& in, std::string& out, State state);
  Step Pop(Input& in, std::string& out);
  void FlushSurrogate(std::string& out);
  void AppendCodePoint(std::string& out, uint32_t value);

  JsonDialect dialect_;
  State state_ = State::kValue;
  std::string open_;  ///< the brackets that are open
  bool has_comma_ = false;
  bool is_key_ = false;
  char quote_ = 0;  ///< of the string being read; 0: the dialect's own
  uint32_t high_surrogate_ = 0;
};

/// Appends `text` to a JSON string: quotes, backslashes and control characters are escaped.
void AppendEscaped(std::string& out, std::string_view text);

/// `text` as a JSON string.
std::string JsonString(std::string_view text);

/// The whole of `text` (white space around it aside) as JSON; false if it is no value.
bool CopyWhole(std::string_view text, std::string& out);

/// The text of a JSON string that JsonCopier wrote (which escapes only quotes, backslashes and control characters).
std::string DecodeString(std::string_view json);

}  // namespace rf::toolcall
