// Global functions: range, namespace, dict, cycler, joiner, raise_exception, strftime_now.
#include <fmt/format.h>

#include <array>
#include <ctime>

#include "text/template/builtin_tools.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

constexpr int64_t kMaxRange = 100'000;  // the reference's sandbox has the same limit

Result<Value> RangeFunction(Interpreter&, const Value&, const Args& args) {
  constexpr int64_t kFar = int64_t{1} << 52;
  RF_ASSIGN_OR_RETURN(const int64_t first, IntArgument(args, 0, 0));
  RF_ASSIGN_OR_RETURN(const int64_t second, IntArgument(args, 1, 0));
  RF_ASSIGN_OR_RETURN(const int64_t step, IntArgument(args, 2, 1));
  if (step == 0) return Fail("range() arg 3 must not be zero");
  const int64_t start = args.Has(1) ? first : 0;
  const int64_t stop = args.Has(1) ? second : first;
  for (const int64_t n : {start, stop, step}) {
    if (n > kFar || n < -kFar) return Fail("range() has a bound beyond 2^52");
  }
  const Value range = Value::Of(Type::kRange, new Range(start, stop, step));
  if (range.as<Range>().size() > kMaxRange) {
    return Fail(fmt::format("range() gives {} items, at most {} are allowed", range.as<Range>().size(), kMaxRange));
  }
  return range;
}

// Puts the pairs of a dict or of a list of pairs, then the keywords, into `out`.
Status Fill(Interpreter& in, const Args& args, Dict& out) {
  if (args.positional.size() > 1) return Fail("at most one positional argument is allowed");
  const auto set = [&](const Value& key, const Value& value) -> Status {
    if (!IsHashable(key)) return Fail(fmt::format("unhashable type: '{}'", key.TypeName()));
    RF_RETURN_IF_ERROR(in.meter().Charge(sizeof(Dict::Entry)));
    RF_RETURN_IF_ERROR(in.meter().Step(out.entries().size() / 16));
    out.Set(key, value);
    return {};
  };
  if (!args.positional.empty() && args.positional[0].is_dict()) {
    for (const Dict::Entry& entry : args.positional[0].dict().entries())
      RF_RETURN_IF_ERROR(set(entry.key, entry.value));
  } else if (!args.positional.empty()) {
    RF_ASSIGN_OR_RETURN(const std::vector<Value> pairs, Items(args.positional[0], in.meter()));
    for (const Value& pair : pairs) {
      RF_ASSIGN_OR_RETURN(const std::vector<Value> parts, Items(pair, in.meter()));
      if (parts.size() != 2) return Fail("a dict is made of pairs");
      RF_RETURN_IF_ERROR(set(parts[0], parts[1]));
    }
  }
  for (const auto& [name, value] : args.keyword) RF_RETURN_IF_ERROR(set(name, value));
  return {};
}

Result<Value> DictFunction(Interpreter& in, const Value&, const Args& args) {
  auto dict = MakeRef<Dict>();
  RF_RETURN_IF_ERROR(Fill(in, args, *dict));
  return Value::FromDict(std::move(dict));
}

Result<Value> NamespaceFunction(Interpreter& in, const Value&, const Args& args) {
  auto space = MakeRef<Namespace>();
  RF_RETURN_IF_ERROR(in.meter().Charge(sizeof(Namespace)));
  in.Track(space.get());  // it may come to hold itself
  RF_RETURN_IF_ERROR(Fill(in, args, space->attributes));
  return Value::Of(Type::kNamespace, space.get());
}

Result<Value> CyclerFunction(Interpreter& in, const Value&, const Args& args) {
  if (args.positional.empty() || !args.keyword.empty()) return Fail("cycler needs at least one item");
  RF_RETURN_IF_ERROR(in.meter().Charge(args.positional.size() * sizeof(Value)));
  return Value::Of(Type::kCycler, new Cycler(args.positional));
}

Result<Value> JoinerFunction(Interpreter&, const Value&, const Args& args) {
  return Value::Of(Type::kJoiner, new Joiner(args.Has(0) ? *args[0] : Value::Str(", ")));
}

// The template's own message on one line that, with its position, has at most 300 bytes. Quotes stay, as the template
// wrote them.
std::string OneLine(std::string_view text) {
  constexpr size_t kMaxBytes = 260;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    const bool as_it_is = c.value == '\'' || c.value == '"' || c.value == '\\';
    const std::string_view piece = text.substr(at, c.size);
    const std::string shown = as_it_is ? std::string(piece) : EscapeForMessage(piece);
    if (out.size() + shown.size() > kMaxBytes) return out + "...";
    out += shown;
    at += c.size;
  }
  return out;
}

Result<Value> RaiseException(Interpreter& in, const Value&, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::string message, ToStr(*args[0], in.meter()));
  return Error{ErrorCode::kRejected, OneLine(message), {}};
}

Result<Value> StrftimeNow(Interpreter& in, const Value&, const Args& args) {
  constexpr size_t kMaxFormat = 256;
  RF_ASSIGN_OR_RETURN(const auto format, TextArgument(args, 0));
  if (!format || format->size() > kMaxFormat)
    return Fail(fmt::format("strftime_now needs a format of at most {} bytes", kMaxFormat));
  std::tm time = {};
  if (in.options().now) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(*in.options().now);
    gmtime_r(&seconds, &time);
  } else {
    const std::time_t seconds = std::time(nullptr);
    localtime_r(&seconds, &time);
  }
  std::array<char, 8192> buffer;
  const size_t size = std::strftime(buffer.data(), buffer.size(), std::string(*format).c_str(), &time);
  return in.NewString(std::string(buffer.data(), size));
}

constexpr std::array kGlobals = {
    Builtin{"range", "start ?stop ?step", RangeFunction},
    Builtin{"dict", "*", DictFunction},
    Builtin{"namespace", "*", NamespaceFunction},
    Builtin{"cycler", "*", CyclerFunction},
    Builtin{"joiner", "?sep", JoinerFunction},
    Builtin{"raise_exception", "message", RaiseException},
    Builtin{"strftime_now", "format", StrftimeNow, true},
};

}  // namespace

std::span<const Builtin> GlobalTable() {
  return kGlobals;
}

}  // namespace rf::jinja
