// What the readers of one reply share: the text that has come so far, where they are in it, and the call they build.
//
// Every reader is a state machine over a growing text: Run takes what it can, moves `pos` forward and returns kMore
// when a decision needs text that has not come. What it decides never depends on where the text was cut.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rf::toolcall {

enum class Step {
  kMore,  ///< needs more text; `pos` may have moved
  kDone,
  kFail,  ///< the text is not what the reader reads; `pos` is where that became certain
};

struct Input {
  std::string text;
  size_t pos = 0;
  bool is_ended = false;  ///< nothing follows `text`

  bool AtEnd() const { return pos >= text.size(); }
  char Peek() const { return text[pos]; }
  std::string_view Rest() const { return std::string_view(text).substr(pos); }
};

inline bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

inline void SkipSpace(Input& in) {
  while (!in.AtEnd() && IsSpace(in.Peek())) ++in.pos;
}

/// Takes `literal`; kMore while the text ends inside it.
Step TakeLiteral(Input& in, std::string_view literal);

/// TakeLiteral behind any white space.
inline Step TakeToken(Input& in, std::string_view literal) {
  SkipSpace(in);
  return TakeLiteral(in, literal);
}

/// Takes the longest run of at most `max_bytes` bytes that `accepts` into `run`, which must not be empty. kMore while
/// the text ends with the run.
template <typename Accepts>
Step TakeRun(Input& in, size_t max_bytes, std::string& run, Accepts accepts) {
  size_t end = in.pos;
  while (end < in.text.size() && end - in.pos <= max_bytes && accepts(in.text[end])) ++end;
  if (end - in.pos > max_bytes) return Step::kFail;
  if (end == in.text.size() && !in.is_ended) return Step::kMore;
  if (end == in.pos) return Step::kFail;
  run.assign(in.text, in.pos, end - in.pos);
  in.pos = end;
  return Step::kDone;
}

/// Length of the longest end of `text` that is a proper beginning of `literal`.
size_t PartialMatch(std::string_view text, std::string_view literal);

/// A call while it is read.
struct Draft {
  std::string name;
  std::string id;
  std::string arguments;    ///< JSON text of an object, as far as it is read
  bool looks_sure = false;  ///< something was read that only a call has: failing is worth a warning
};

inline constexpr size_t kMaxNameBytes = 256;

/// Whether a function's name may hold the byte where nothing else marks the name's end.
bool IsNameByte(char c);

/// Takes a function's name behind white space.
Step TakeName(Input& in, std::string& name);

/// Where finished calls go.
class CallSink {
 public:
  Draft draft;
  /// The draft is a whole call, and the text up to in.pos is read.
  virtual void Complete(const Input& in) = 0;
  /// Text for the user that the syntax wraps.
  virtual void Text(std::string_view text) = 0;

 protected:
  ~CallSink() = default;
};

}  // namespace rf::toolcall
