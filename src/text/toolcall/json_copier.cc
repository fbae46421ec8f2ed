#include "text/toolcall/json_copier.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace rf::toolcall {
namespace {

constexpr size_t kMaxNumberBytes = 1024;
constexpr size_t kMaxLiteralBytes = 8;
constexpr size_t kMaxKeyBytes = 1024;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsKeyByte(char c) {
  return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == '.' || c == '$' || (c & 0x80) != 0;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Whether `text` (digits, signs, points, e) is a JSON number within a double: readers of JSON refuse 1e999.
bool IsNumber(std::string_view text) {
  return nlohmann::json::accept(text);
}

std::string_view JsonWord(std::string_view word) {
  if (word == "true" || word == "True") return "true";
  if (word == "false" || word == "False") return "false";
  return word == "null" || word == "None" ? "null" : "";
}

// What a letter behind a backslash stands for; -1: nothing.
int SimpleEscape(char c) {
  constexpr std::string_view kLetters = "\"\\'/bfnrtav0";
  constexpr std::string_view kMeanings("\"\\'/\b\f\n\r\t\a\v\0", 12);
  const size_t i = kLetters.find(c);
  return i == std::string_view::npos ? -1 : kMeanings[i];
}

size_t HexEscapeDigits(char c) {
  return c == 'u' ? 4 : c == 'U' ? 8 : c == 'x' ? 2 : 0;
}

}  // namespace

Step JsonCopier::Run(Input& in, std::string& out) {
  for (;;) {
    if (state_ == State::kAfterValue && open_.empty()) return Step::kDone;
    if (state_ != State::kString && state_ != State::kWord && state_ != State::kBareKey) SkipSpace(in);
    if (in.AtEnd()) return Step::kMore;
    const Step step = Next(in, out);
    if (step != Step::kDone) return step;
  }
}

Step JsonCopier::Next(Input& in, std::string& out) {
  switch (state_) {
    case State::kValue: return BeginValue(in, out);
    case State::kValueOrEnd: return in.Peek() == ']' ? Pop(in, out) : BeginValue(in, out);
    case State::kKey: return BeginKey(in, out);
    case State::kKeyOrEnd: return in.Peek() == '}' ? Pop(in, out) : BeginKey(in, out);
    case State::kColon:
      if (in.Peek() != ':') return Step::kFail;
      Push(in, out, State::kValue);
      return Step::kDone;
    case State::kString: return RunString(in, out);
    case State::kBareKey: return CopyBareKey(in, out);
    case State::kWord: return RunNumberOrWord(in, out);
    case State::kAfterValue: return AfterValue(in, out);
  }
  return Step::kFail;
}

// Copies one character of structure.
void JsonCopier::Push(Input& in, std::string& out, State state) {
  out += in.Peek();
  ++in.pos;
  state_ = state;
}

Step JsonCopier::Pop(Input& in, std::string& out) {
  has_comma_ = false;
  open_.pop_back();
  Push(in, out, State::kAfterValue);
  return Step::kDone;
}

void JsonCopier::BeginElement(std::string& out) {
  if (has_comma_) out += ',';
  has_comma_ = false;
}

Step JsonCopier::OpenString(Input& in, std::string& out, size_t n_bytes, char quote) {
  BeginElement(out);
  out += '"';
  in.pos += n_bytes;
  quote_ = quote;
  state_ = State::kString;
  return Step::kDone;
}

Step JsonCopier::BeginValue(Input& in, std::string& out) {
  const char c = in.Peek();
  is_key_ = false;
  if (c == '{' || c == '[') {
    if (open_.size() == kMaxJsonNesting) return Step::kFail;
    BeginElement(out);
    open_ += c;
    Push(in, out, c == '{' ? State::kKeyOrEnd : State::kValueOrEnd);
    return Step::kDone;
  }
  if (c == '"' || c == '\'') return OpenString(in, out, 1, c);
  if (!dialect_.quote.empty() && c == dialect_.quote[0]) {
    const Step step = TakeLiteral(in, dialect_.quote);
    return step == Step::kDone ? OpenString(in, out, 0, 0) : step;
  }
  if (c != '-' && !IsDigit(c) && !IsLetter(c)) return Step::kFail;
  state_ = State::kWord;
  return Step::kDone;
}

Step JsonCopier::BeginKey(Input& in, std::string& out) {
  const char c = in.Peek();
  is_key_ = true;
  if (dialect_.bare_keys_only) {
    state_ = State::kBareKey;
    return IsKeyByte(c) ? Step::kDone : Step::kFail;
  }
  return c == '"' || c == '\'' ? OpenString(in, out, 1, c) : Step::kFail;
}

Step JsonCopier::CopyBareKey(Input& in, std::string& out) {
  std::string key;
  const Step step = TakeRun(in, kMaxKeyBytes, key, IsKeyByte);
  if (step != Step::kDone) return step;
  BeginElement(out);
  out += JsonString(key);
  state_ = State::kColon;
  return Step::kDone;
}

Step JsonCopier::AfterValue(Input& in, std::string& out) {
  const char c = in.Peek();
  const bool is_object = open_.back() == '{';
  if (c == (is_object ? '}' : ']')) return Pop(in, out);
  if (c != ',') return Step::kFail;
  ++in.pos;
  has_comma_ = true;
  state_ = is_object ? State::kKeyOrEnd : State::kValueOrEnd;
  return Step::kDone;
}

Step JsonCopier::RunNumberOrWord(Input& in, std::string& out) {
  std::string word;
  const bool is_word = IsLetter(in.Peek());
  const Step step =
      is_word ? TakeRun(in, kMaxLiteralBytes, word, IsLetter) : TakeRun(in, kMaxNumberBytes, word, [](char c) {
        return IsDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
      });
  if (step != Step::kDone) return step;
  const std::string_view json = is_word ? JsonWord(word) : IsNumber(word) ? std::string_view(word) : "";
  if (json.empty()) return Step::kFail;
  BeginElement(out);
  out += json;
  state_ = State::kAfterValue;
  return Step::kDone;
}

void JsonCopier::FlushSurrogate(std::string& out) {
  if (high_surrogate_ != 0) out += kReplacementUtf8;
  high_surrogate_ = 0;
}

void JsonCopier::AppendCodePoint(std::string& out, uint32_t value) {
  if (value >= 0xDC00 && value <= 0xDFFF && high_surrogate_ != 0) {
    value = 0x10000 + ((high_surrogate_ - 0xD800) << 10) + (value - 0xDC00);
    high_surrogate_ = 0;
  }
  FlushSurrogate(out);
  if (value >= 0xD800 && value <= 0xDBFF) {
    high_surrogate_ = value;
    return;
  }
  std::string bytes;
  AppendUtf8(bytes, value);
  AppendEscaped(out, bytes);
}

Step JsonCopier::RunEscape(Input& in, std::string& out) {
  if (in.pos + 1 >= in.text.size()) return Step::kMore;
  const char c = in.text[in.pos + 1];
  if (const size_t n_digits = HexEscapeDigits(c); n_digits > 0) {
    uint64_t value = 0;
    size_t n = 0;
    while (n < n_digits && in.pos + 2 + n < in.text.size() && HexDigit(in.text[in.pos + 2 + n]) >= 0) {
      value = value << 4 | static_cast<uint64_t>(HexDigit(in.text[in.pos + 2 + n]));
      ++n;
    }
    if (n < n_digits && in.pos + 2 + n >= in.text.size()) return Step::kMore;
    if (n == n_digits) {
      in.pos += 2 + n;
      AppendCodePoint(out, static_cast<uint32_t>(value));
      return Step::kDone;
    }
  }
  FlushSurrogate(out);
  const int meaning = SimpleEscape(c);
  const bool joins_lines = c == '\n';
  in.pos += meaning >= 0 || joins_lines ? 2 : 1;
  const char byte = meaning >= 0 ? static_cast<char>(meaning) : '\\';
  if (!joins_lines) AppendEscaped(out, {&byte, 1});
  return Step::kDone;
}

Step JsonCopier::RunString(Input& in, std::string& out) {
  const std::string_view rest = in.Rest();
  const std::array<char, 2> stops = {quote_ != 0 ? quote_ : dialect_.quote[0], '\\'};
  const size_t n_plain = std::min(rest.size(), rest.find_first_of({stops.data(), quote_ != 0 ? size_t{2} : size_t{1}}));
  if (n_plain > 0) FlushSurrogate(out);
  AppendEscaped(out, rest.substr(0, n_plain));
  in.pos += n_plain;
  if (in.AtEnd()) return Step::kMore;
  if (quote_ != 0 && in.Peek() == '\\') return RunEscape(in, out);
  if (quote_ == 0) {
    const Step step = TakeLiteral(in, dialect_.quote);
    if (step == Step::kMore) return step;
    if (step == Step::kFail) {
      AppendEscaped(out, in.Rest().substr(0, 1));
      ++in.pos;
      return Step::kDone;
    }
  } else {
    ++in.pos;
  }
  FlushSurrogate(out);
  out += '"';
  state_ = is_key_ ? State::kColon : State::kAfterValue;
  return Step::kDone;
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
}

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  AppendEscaped(out, text);
  return out + '"';
}

bool CopyWhole(std::string_view text, std::string& out) {
  Input in;
  in.text = text;
  in.is_ended = true;
  if (JsonCopier().Run(in, out) != Step::kDone) return false;
  SkipSpace(in);
  return in.AtEnd();
}

std::string DecodeString(std::string_view json) {
  std::string text;
  if (json.size() < 2) return text;
  json = json.substr(1, json.size() - 2);
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      text += json[i];
      continue;
    }
    const char c = json[++i];
    int code = 0;
    for (size_t n = 0; c == 'u' && n < 4 && i + 1 < json.size(); ++n)
      code = code * 16 + std::max(0, HexDigit(json[++i]));
    text += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'u' ? static_cast<char>(code) : c;
  }
  return text;
}

}  // namespace rf::toolcall
