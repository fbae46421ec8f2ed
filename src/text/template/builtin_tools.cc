#include "text/template/builtin_tools.h"

#include <fmt/format.h>

#include "text/template/unicode.h"

namespace rf::jinja {

bool BoolArgument(const Args& args, size_t i, bool fallback) {
  return args.Has(i) ? Truthy(*args[i]) : fallback;
}

Result<int64_t> IntArgument(const Args& args, size_t i, int64_t fallback) {
  if (!args.Has(i)) return fallback;
  if (!args[i]->is_integer() || args[i]->Is(Type::kBigInt)) {
    return Fail(fmt::format("an argument must be an integer, not {}", args[i]->TypeName()));
  }
  return args[i]->integer();
}

Result<std::optional<std::string_view>> TextArgument(const Args& args, size_t i) {
  if (!args.Has(i) || args[i]->is_none()) return std::optional<std::string_view>();
  if (!args[i]->is_string()) return Fail(fmt::format("an argument must be str, not {}", args[i]->TypeName()));
  return std::optional(args[i]->str());
}

Result<Value> NewList(std::vector<Value> items, Meter& meter) {
  RF_RETURN_IF_ERROR(meter.Charge(items.size() * sizeof(Value)));
  return Value::ListOf(std::move(items));
}

Value NewGenerator(std::vector<Value> items) {
  return Value::Of(Type::kGenerator, new Generator(std::move(items)));
}

Result<Value> NewStringLike(const Value& like, std::string text, Meter& meter) {
  RF_RETURN_IF_ERROR(meter.Charge(text.size()));
  const Value made = Value::Str(std::move(text));
  return (like.has_input() ? made.AsInput() : made).WithSafe(like.is_safe());
}

Result<AttributePath> AttributePath::From(const Value* attribute) {
  AttributePath path;
  if (attribute == nullptr || attribute->is_none()) return path;
  if (attribute->is_integer()) {
    path.parts_.push_back(*attribute);
    return path;
  }
  if (!attribute->is_string()) return Fail("the argument 'attribute' must be a name or an index");
  std::string_view text = attribute->str();
  while (true) {
    const size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    const bool is_index = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
    path.parts_.push_back(is_index ? Value::Int(std::stoi(std::string(part))) : Value::SubStr(*attribute, part));
    if (dot == text.size()) return path;
    text.remove_prefix(dot + 1);
  }
}

Result<Value> AttributePath::Get(Interpreter& interpreter, const Value& item, const Value* fallback) const {
  Value value = item;
  for (const Value& part : parts_) {
    RF_RETURN_IF_ERROR(interpreter.meter().Step());
    RF_ASSIGN_OR_RETURN(value, interpreter.Item(value, part));
    if (fallback != nullptr && value.is_undefined()) value = *fallback;
  }
  return value;
}

namespace {

// Puts `replacement` before each of the first `count` code points and at the end.
MarkedText Interleave(const Value& whole, const Value& replacement, size_t count) {
  const std::string_view text = whole.str();
  MarkedText out;
  size_t at = 0;
  for (; count > 0; --count) {
    replacement.AppendTo(out);
    if (at >= text.size()) break;
    const size_t size = DecodeAt(text, at).size;
    whole.AppendPartTo(out, {at, at + size});
    at += size;
  }
  if (at < text.size()) whole.AppendPartTo(out, {at, text.size()});
  return out;
}

}  // namespace

Result<MarkedText> Replace(const Value& whole, std::string_view old, const Value& replacement_value, int64_t count,
                           Meter& meter) {
  const std::string_view text = whole.str();
  const std::string_view replacement = replacement_value.str();
  const size_t limit = count < 0 ? text.size() + 1 : static_cast<size_t>(count);
  size_t found = 0;
  if (old.empty()) {
    found = std::min(limit, CountCodePoints(text) + 1);
  } else {
    for (size_t at = 0; found < limit && (at = Find(text, old, at)) != std::string_view::npos; at += old.size())
      ++found;
  }
  if (!replacement.empty() && found > meter.limits().max_memory_bytes / replacement.size()) {
    return Fail("the result of replace is too long");
  }
  RF_RETURN_IF_ERROR(meter.Step(found / 32));
  RF_RETURN_IF_ERROR(meter.Charge(text.size() + found * replacement.size()));
  if (old.empty()) return Interleave(whole, replacement_value, found);
  MarkedText out;
  size_t at = 0;
  for (; found > 0; --found) {
    const size_t next = Find(text, old, at);
    whole.AppendPartTo(out, {at, next});
    replacement_value.AppendTo(out);
    at = next + old.size();
  }
  whole.AppendPartTo(out, {at, text.size()});
  return out;
}

Result<Value> StripValue(const Value& text, bool left, bool right, std::optional<std::string_view> chars,
                         Meter& meter) {
  constexpr size_t kMaxCharacters = 1024;
  if (chars && chars->size() > kMaxCharacters) {
    return Fail(fmt::format("a set of characters to strip has more than {} bytes", kMaxCharacters));
  }
  const std::string_view rest = Strip(text.str(), left, right, chars);
  RF_RETURN_IF_ERROR(meter.Walk((text.str().size() - rest.size()) * (1 + (chars ? chars->size() / 16 : 0))));
  return Value::SubStr(text, rest);
}

Result<Value> FoldCase(const Value& value, Meter& meter) {
  if (!value.is_string()) return value;
  RF_RETURN_IF_ERROR(meter.Walk(value.str().size()));
  RF_RETURN_IF_ERROR(meter.Charge(value.str().size()));
  return Value::Str(Lower(value.str()));
}

}  // namespace rf::jinja
