// Methods of strings that search and split.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "text/template/builtin_tools.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kPieceBytes = 96;  // about what a part of a string takes

// A list of parts of `self`.
Result<Value> Pieces(const Value& self, const std::vector<std::string_view>& parts, Meter& meter) {
  RF_RETURN_IF_ERROR(meter.Charge(parts.size() * kPieceBytes));
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(Value::SubStr(self, part));
  return Value::ListOf(std::move(items));
}

std::vector<std::string_view> SplitSpace(std::string_view text, size_t max_splits) {
  std::vector<std::string_view> parts;
  text = Strip(text, true, false);
  while (!text.empty()) {
    if (parts.size() == max_splits) {
      parts.push_back(Strip(text, false, true));
      break;
    }
    size_t end = 0;
    while (end < text.size() && !IsSpace(DecodeAt(text, end).value)) end += DecodeAt(text, end).size;
    parts.push_back(text.substr(0, end));
    text = Strip(text.substr(end), true, false);
  }
  return parts;
}

std::vector<std::string_view> SplitSpaceFromRight(std::string_view text, size_t max_splits) {
  std::vector<std::string_view> parts;
  text = Strip(text, false, true);
  while (!text.empty()) {
    if (parts.size() == max_splits) {
      parts.push_back(Strip(text, true, false));
      break;
    }
    size_t begin = text.size();
    while (begin > 0) {
      const size_t size = SizeBefore(text, begin);
      if (IsSpace(DecodeAt(text, begin - size).value)) break;
      begin -= size;
    }
    parts.push_back(text.substr(begin));
    text = Strip(text.substr(0, begin), false, true);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> SplitAt(std::string_view text, std::string_view separator, size_t max_splits) {
  std::vector<std::string_view> parts;
  while (parts.size() < max_splits) {
    const size_t at = Find(text, separator);
    if (at == kNone) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

// Begins of the separators as rsplit takes them: from the right, not overlapping.
std::vector<std::string_view> SplitAtFromRight(std::string_view text, std::string_view separator, size_t max_splits) {
  std::vector<std::string_view> parts;
  while (parts.size() < max_splits && text.size() >= separator.size()) {
    size_t at = text.size() - separator.size() + 1;
    while (at > 0 && text.substr(at - 1, separator.size()) != separator) --at;
    if (at == 0) break;
    parts.push_back(text.substr(at - 1 + separator.size()));
    text = text.substr(0, at - 1);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

// The cost of a search from the right, which compares at every place.
Status SearchFromRight(Interpreter& in, std::string_view text, std::string_view needle) {
  constexpr size_t kMaxNeedle = 1024;
  if (needle.size() > kMaxNeedle) {
    return Fail(fmt::format("a text to search for from the right has more than {} bytes", kMaxNeedle));
  }
  return in.meter().Walk(text.size() * (1 + needle.size() / 16));
}

template <bool kFromRight>
Result<Value> Split(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const auto separator, TextArgument(args, 0));
  RF_ASSIGN_OR_RETURN(const int64_t limit, IntArgument(args, 1, -1));
  const size_t max_splits = limit < 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(limit);
  if (separator && separator->empty()) return Fail("empty separator");
  if (separator && kFromRight) RF_RETURN_IF_ERROR(SearchFromRight(in, self.str(), *separator));
  const std::string_view text = self.str();
  if (!separator)
    return Pieces(self, kFromRight ? SplitSpaceFromRight(text, max_splits) : SplitSpace(text, max_splits), in.meter());
  return Pieces(self,
                kFromRight ? SplitAtFromRight(text, *separator, max_splits) : SplitAt(text, *separator, max_splits),
                in.meter());
}

Result<Value> SplitLinesMethod(Interpreter& in, const Value& self, const Args& args) {
  return Pieces(self, SplitLines(self.str(), BoolArgument(args, 0, false)), in.meter());
}

Result<std::string_view> Needle(const Args& args) {
  RF_ASSIGN_OR_RETURN(const auto text, TextArgument(args, 0));
  if (!text) return Fail("an argument must be str, not NoneType");
  return *text;
}

template <bool kFromRight>
Result<Value> Partition(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string_view separator, Needle(args));
  if (separator.empty()) return Fail("empty separator");
  const std::string_view text = self.str();
  if (kFromRight) RF_RETURN_IF_ERROR(SearchFromRight(in, text, separator));
  const size_t at = kFromRight ? text.rfind(separator) : Find(text, separator);
  const Value empty = Value::Str("");
  if (at == kNone) {
    return Value::TupleOf(kFromRight ? std::vector<Value>{empty, empty, self} : std::vector<Value>{self, empty, empty});
  }
  return Value::TupleOf({Value::SubStr(self, text.substr(0, at)),
                         Value::SubStr(self, text.substr(at, separator.size())),
                         Value::SubStr(self, text.substr(at + separator.size()))});
}

// The bytes of self[start:end], by code points, for the methods that take these.
struct Window {
  size_t begin = 0;
  std::string_view text;
  bool is_valid = true;  // false: start lies behind the end
};

Result<Window> WindowOf(Interpreter& in, const Value& self, const Args& args) {
  const std::string_view text = self.str();
  if (!args.Has(1) && !args.Has(2)) return Window{0, text, true};
  RF_RETURN_IF_ERROR(in.meter().Walk(text.size()));
  const auto length = static_cast<int64_t>(CountCodePoints(text));
  const auto clamp = [length](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + length : i, 0, length); };
  const bool has_start = args.Has(1) && !args[1]->is_none();
  const bool has_end = args.Has(2) && !args[2]->is_none();
  RF_ASSIGN_OR_RETURN(const int64_t start, has_start ? IntArgument(args, 1, 0) : Result<int64_t>(0));
  RF_ASSIGN_OR_RETURN(const int64_t end, has_end ? IntArgument(args, 2, 0) : Result<int64_t>(length));
  if (start > length || clamp(start) > clamp(end)) return Window{0, {}, false};
  const size_t begin = ByteOffset(text, static_cast<size_t>(clamp(start)));
  const size_t size = ByteOffset(text.substr(begin), static_cast<size_t>(clamp(end) - clamp(start)));
  return Window{begin, text.substr(begin, size), true};
}

// find, rfind, index, rindex: a position in code points, -1 or an error.
template <bool kFromRight, bool kMustFind>
Result<Value> FindMethod(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string_view needle, Needle(args));
  RF_ASSIGN_OR_RETURN(const Window window, WindowOf(in, self, args));
  size_t at = kNone;
  if (window.is_valid && kFromRight) {
    RF_RETURN_IF_ERROR(SearchFromRight(in, window.text, needle));
    at = window.text.rfind(needle);
  } else if (window.is_valid) {
    at = Find(window.text, needle);
  }
  if (at == kNone) return kMustFind ? Result<Value>(Fail("substring not found")) : Value::Int(-1);
  RF_RETURN_IF_ERROR(in.meter().Walk(window.begin + at));
  return Value::Int(static_cast<int64_t>(CountCodePoints(self.str().substr(0, window.begin + at))));
}

Result<Value> Count(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string_view needle, Needle(args));
  RF_ASSIGN_OR_RETURN(const Window window, WindowOf(in, self, args));
  if (!window.is_valid) return Value::Int(0);
  RF_RETURN_IF_ERROR(in.meter().Walk(window.text.size()));
  if (needle.empty()) return Value::Int(static_cast<int64_t>(CountCodePoints(window.text)) + 1);
  int64_t count = 0;
  for (size_t at = 0; (at = Find(window.text, needle, at)) != kNone; at += needle.size()) ++count;
  return Value::Int(count);
}

// startswith and endswith, with one text or a tuple of them.
template <bool kAtEnd>
Result<Value> Affix(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Window window, WindowOf(in, self, args));
  const std::vector<Value> one = {*args[0]};
  const std::vector<Value>& wanted = args[0]->Is(Type::kTuple) ? args[0]->items() : one;
  RF_RETURN_IF_ERROR(in.meter().Step(wanted.size()));
  for (const Value& affix : wanted) {
    if (!affix.is_string()) {
      return Fail(fmt::format("{} first arg must be str or a tuple of str, not {}", kAtEnd ? "endswith" : "startswith",
                              affix.TypeName()));
    }
    if (!window.is_valid) continue;
    if (kAtEnd ? window.text.ends_with(affix.str()) : window.text.starts_with(affix.str())) return Value::Bool(true);
  }
  return Value::Bool(false);
}

// str.isalpha and others: every code point, and at least one.
template <typename P>
Result<Value> Every(Interpreter& in, const Value& self, P predicate) {
  const std::string_view text = self.str();
  RF_RETURN_IF_ERROR(in.meter().Walk(text.size()));
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    if (!predicate(c.value)) return Value::Bool(false);
    at += c.size;
  }
  return Value::Bool(!text.empty());
}

template <bool (*kPredicate)(uint32_t)>
Result<Value> EveryIs(Interpreter& in, const Value& self, const Args&) {
  return Every(in, self, kPredicate);
}

bool IsAlphaNumeric(uint32_t c) {
  return IsAlpha(c) || IsDigit(c);
}

bool IsAsciiCodePoint(uint32_t c) {
  return c < 0x80;
}

template <bool kUpper>
Result<Value> CaseIs(Interpreter& in, const Value& self, const Args& args) {
  return FindTest(kUpper ? "upper" : "lower")->function(in, self, args);
}

constexpr std::array kSearchMethods = {
    Builtin{"split", "?sep ?maxsplit", Split<false>},
    Builtin{"rsplit", "?sep ?maxsplit", Split<true>},
    Builtin{"splitlines", "?keepends", SplitLinesMethod},
    Builtin{"partition", "sep", Partition<false>},
    Builtin{"rpartition", "sep", Partition<true>},
    Builtin{"find", "sub ?start ?end", FindMethod<false, false>},
    Builtin{"rfind", "sub ?start ?end", FindMethod<true, false>},
    Builtin{"index", "sub ?start ?end", FindMethod<false, true>},
    Builtin{"rindex", "sub ?start ?end", FindMethod<true, true>},
    Builtin{"count", "sub ?start ?end", Count},
    Builtin{"startswith", "prefix ?start ?end", Affix<false>},
    Builtin{"endswith", "suffix ?start ?end", Affix<true>},
    Builtin{"isalpha", "", EveryIs<IsAlpha>},
    Builtin{"isdigit", "", EveryIs<IsDigit>},
    Builtin{"isdecimal", "", EveryIs<IsDigit>},
    Builtin{"isnumeric", "", EveryIs<IsDigit>},
    Builtin{"isalnum", "", EveryIs<IsAlphaNumeric>},
    Builtin{"isspace", "", EveryIs<IsSpace>},
    Builtin{"isascii", "", EveryIs<IsAsciiCodePoint>},
    Builtin{"isupper", "", CaseIs<true>},
    Builtin{"islower", "", CaseIs<false>},
};

}  // namespace

std::span<const Builtin> StringSearchMethods() {
  return kSearchMethods;
}

}  // namespace rf::jinja
