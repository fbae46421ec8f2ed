#include "text/template/value_ops.h"

#include <fmt/format.h>

#include <cmath>

#include "text/template/unicode.h"

namespace rf::jinja {

bool Truthy(const Value& value) {
  switch (value.type()) {
    case Type::kNone:
    case Type::kUndefined: return false;
    case Type::kBool: return value.boolean();
    case Type::kInt: return value.integer() != 0;
    case Type::kFloat: return value.number() != 0;
    case Type::kString: return !value.str().empty();
    case Type::kList:
    case Type::kTuple: return !value.items().empty();
    case Type::kDict: return !value.dict().entries().empty();
    case Type::kDictView: return !value.as<DictView>().dict->entries().empty();
    case Type::kRange: return value.as<Range>().size() != 0;
    default: return true;
  }
}

namespace {

Error TooDeep() {
  return Fail(fmt::format("a value is nested more than {} levels deep", kMaxValueDepth));
}

bool NumbersEqual(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) return a.wide() == b.wide();
  return a.number() == b.number();
}

Result<bool> ListsEqual(const std::vector<Value>& a, const std::vector<Value>& b, Meter& meter, int depth) {
  if (a.size() != b.size()) return false;
  RF_RETURN_IF_ERROR(meter.Step(a.size()));
  for (size_t i = 0; i < a.size(); ++i) {
    RF_ASSIGN_OR_RETURN(const bool same, Equal(a[i], b[i], meter, depth + 1));
    if (!same) return false;
  }
  return true;
}

Result<bool> DictsEqual(const Dict& a, const Dict& b, Meter& meter, int depth) {
  if (a.entries().size() != b.entries().size()) return false;
  for (const Dict::Entry& entry : a.entries()) {
    RF_RETURN_IF_ERROR(meter.Step(entry.key.is_string() ? 1 : b.entries().size()));
    const Value* other = b.Find(entry.key);
    if (other == nullptr) return false;
    RF_ASSIGN_OR_RETURN(const bool same, Equal(entry.value, *other, meter, depth + 1));
    if (!same) return false;
  }
  return true;
}

}  // namespace

Result<bool> Equal(const Value& a, const Value& b, Meter& meter, int depth) {
  if (depth > kMaxValueDepth) return TooDeep();
  if (a.is_number() && b.is_number()) return NumbersEqual(a, b);
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Type::kNone:
    case Type::kUndefined: return true;
    case Type::kString:
      if (a.str().size() != b.str().size()) return false;
      RF_RETURN_IF_ERROR(meter.Scan(a.str().size()));
      return a.str() == b.str();
    case Type::kList:
    case Type::kTuple: return ListsEqual(a.items(), b.items(), meter, depth);
    case Type::kDict: return DictsEqual(a.dict(), b.dict(), meter, depth);
    case Type::kRange: {
      const Range& x = a.as<Range>();
      const Range& y = b.as<Range>();
      if (x.size() != y.size() || x.size() == 0) return x.size() == y.size();
      return x.start == y.start && (x.size() == 1 || x.step == y.step);
    }
    default: return a.object() == b.object();
  }
}

bool KeysEqual(const Value& a, const Value& b, int depth) {
  if (a.is_number() && b.is_number()) return NumbersEqual(a, b);
  if (a.type() != b.type() || depth > kMaxValueDepth) return false;
  switch (a.type()) {
    case Type::kNone:
    case Type::kUndefined: return true;
    case Type::kString: return a.str() == b.str();
    case Type::kTuple: {
      if (a.items().size() != b.items().size()) return false;
      for (size_t i = 0; i < a.items().size(); ++i) {
        if (!KeysEqual(a.items()[i], b.items()[i], depth + 1)) return false;
      }
      return true;
    }
    default: return a.object() == b.object();
  }
}

bool IsHashable(const Value& value, int depth) {
  if (value.Is(Type::kList) || value.is_dict() || value.Is(Type::kDictView) || depth > 8) return false;
  if (!value.Is(Type::kTuple)) return true;
  if (value.items().size() > 64) return false;
  for (const Value& item : value.items()) {
    if (!IsHashable(item, depth + 1)) return false;
  }
  return true;
}

Result<bool> Less(const Value& a, const Value& b, Meter& meter, int depth) {
  if (depth > kMaxValueDepth) return TooDeep();
  RF_RETURN_IF_ERROR(meter.Step());
  if (a.is_integer() && b.is_integer()) return a.wide() < b.wide();
  if (a.is_number() && b.is_number()) return a.number() < b.number();
  if (a.is_string() && b.is_string()) {
    RF_RETURN_IF_ERROR(meter.Scan(std::min(a.str().size(), b.str().size())));
    return a.str() < b.str();  // UTF-8 keeps the order of code points
  }
  if (a.is_sequence() && a.type() == b.type()) {
    const std::vector<Value>& x = a.items();
    const std::vector<Value>& y = b.items();
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
      RF_ASSIGN_OR_RETURN(const bool same, Equal(x[i], y[i], meter, depth + 1));
      if (!same) return Less(x[i], y[i], meter, depth + 1);
    }
    return x.size() < y.size();
  }
  if (a.is_undefined()) return Fail(a.UndefinedMessage());
  if (b.is_undefined()) return Fail(b.UndefinedMessage());
  return Fail(fmt::format("'<' not supported between instances of '{}' and '{}'", a.TypeName(), b.TypeName()));
}

Result<bool> Contains(const Value& container, const Value& item, Meter& meter) {
  if (container.is_string()) {
    if (item.is_undefined()) return Fail(item.UndefinedMessage());
    if (!item.is_string()) {
      return Fail(fmt::format("'in <string>' requires string as left operand, not {}", item.TypeName()));
    }
    RF_RETURN_IF_ERROR(meter.Scan(container.str().size()));
    return Find(container.str(), item.str()) != std::string_view::npos;
  }
  if (container.is_dict()) {
    if (!IsHashable(item)) return Fail(fmt::format("unhashable type: '{}'", item.TypeName()));
    if (!item.is_string()) RF_RETURN_IF_ERROR(meter.Step(container.dict().entries().size() / 16));
    return container.dict().Find(item) != nullptr;
  }
  if (!IsIterable(container)) return Fail(fmt::format("argument of type '{}' is not iterable", container.TypeName()));
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(container, meter));
  for (const Value& candidate : items) {
    RF_ASSIGN_OR_RETURN(const bool same, Equal(candidate, item, meter));
    if (same) return true;
  }
  return false;
}

Result<int64_t> Length(const Value& value) {
  switch (value.type()) {
    case Type::kUndefined: return 0;
    case Type::kString: return static_cast<int64_t>(CountCodePoints(value.str()));
    case Type::kList:
    case Type::kTuple: return static_cast<int64_t>(value.items().size());
    case Type::kDict: return static_cast<int64_t>(value.dict().entries().size());
    case Type::kDictView: return static_cast<int64_t>(value.as<DictView>().dict->entries().size());
    case Type::kRange: return value.as<Range>().size();
    default: return Fail(fmt::format("object of type '{}' has no len()", value.TypeName()));
  }
}

Result<Value> TruncateFloat(double d) {
  if (!(std::fabs(d) < 1e38)) return Fail(fmt::format("cannot convert float {} to integer", FloatRepr(d)));
  return Value::Wide(static_cast<WideInt>(d));
}

bool IsIterable(const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
    case Type::kString:
    case Type::kList:
    case Type::kTuple:
    case Type::kDict:
    case Type::kDictView:
    case Type::kRange:
    case Type::kGenerator: return true;
    default: return false;
  }
}

namespace {

void AppendView(const Dict& dict, DictView::Kind kind, std::vector<Value>& out) {
  for (const Dict::Entry& entry : dict.entries()) {
    switch (kind) {
      case DictView::Kind::kKeys: out.push_back(entry.key); break;
      case DictView::Kind::kValues: out.push_back(entry.value); break;
      case DictView::Kind::kItems: out.push_back(Value::TupleOf({entry.key, entry.value})); break;
    }
  }
}

void AppendCharacters(const Value& text, std::vector<Value>& out) {
  const std::string_view s = text.str();
  for (size_t at = 0; at < s.size();) {
    const size_t size = DecodeAt(s, at).size;
    out.push_back(Value::SubStr(text, s.substr(at, size)));
    at += size;
  }
}

Result<std::vector<Value>> TakeAll(Generator& generator) {
  std::vector<Value> rest(generator.items.begin() + static_cast<ptrdiff_t>(generator.next), generator.items.end());
  generator.next = generator.items.size();
  if (generator.tail_error) return *generator.tail_error;
  return rest;
}

}  // namespace

Result<std::vector<Value>> Items(const Value& value, Meter& meter) {
  std::vector<Value> out;
  if (value.is_undefined()) return out;
  if (value.Is(Type::kGenerator)) return TakeAll(value.as<Generator>());
  if (!IsIterable(value)) return Fail(fmt::format("'{}' object is not iterable", value.TypeName()));
  RF_ASSIGN_OR_RETURN(const int64_t size, Length(value));
  // A character or a pair is an object of its own; 64 bytes are about what it takes.
  const bool makes_objects = value.is_string() || value.Is(Type::kDictView);
  RF_RETURN_IF_ERROR(meter.Charge(static_cast<size_t>(size) * (makes_objects ? 96 : sizeof(Value))));
  RF_RETURN_IF_ERROR(meter.Step(static_cast<uint64_t>(size) / 8));
  out.reserve(static_cast<size_t>(size));
  switch (value.type()) {
    case Type::kString: AppendCharacters(value, out); break;
    case Type::kDict: AppendView(value.dict(), DictView::Kind::kKeys, out); break;
    case Type::kDictView: AppendView(*value.as<DictView>().dict, value.as<DictView>().kind, out); break;
    case Type::kRange: {
      const Range& range = value.as<Range>();
      for (int64_t i = 0; i < size; ++i) out.push_back(Value::Int(range.start + i * range.step));
      break;
    }
    default: out = value.items(); break;
  }
  return out;
}

}  // namespace rf::jinja
