#include "text/template/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "text/template/value_ops.h"

namespace rf::jinja {

namespace {

// Objects whose last reference went while another one was being destroyed.
struct PendingDeletes {
  std::vector<const Object*> objects;
  bool active = false;
};
thread_local PendingDeletes pending_deletes;

}  // namespace

void Object::Delete() const {
  PendingDeletes& pending = pending_deletes;
  if (pending.active) {
    pending.objects.push_back(this);
    return;
  }
  pending.active = true;
  delete this;
  while (!pending.objects.empty()) {
    const Object* next = pending.objects.back();
    pending.objects.pop_back();
    delete next;
  }
  pending.active = false;
}

Value Value::Bool(bool b) {
  Value v(Type::kBool);
  v.payload_.boolean = b;
  return v;
}

Value Value::Int(int64_t i) {
  Value v(Type::kInt);
  v.payload_.integer = i;
  return v;
}

Value Value::Float(double d) {
  Value v(Type::kFloat);
  v.payload_.number = d;
  return v;
}

Value Value::Of(Type type, const Object* object) {
  Value v(type);
  v.payload_.object = object;
  object->AddRef();
  return v;
}

Value Value::Wide(WideInt i) {
  if (i >= std::numeric_limits<int64_t>::min() && i <= std::numeric_limits<int64_t>::max()) {
    return Int(static_cast<int64_t>(i));
  }
  return Of(Type::kBigInt, new BigInt(i));
}

Value Value::Str(std::string text) {
  return Of(Type::kString, new String(std::move(text)));
}

Value Value::Str(MarkedText text) {
  return Of(Type::kString, new String(std::move(text)));
}

Value Value::BorrowedStr(std::string_view text, bool is_input) {
  auto* string = new String(text, Ref<const String>());
  if (is_input) string->origin = String::Origin::kInput;
  return Of(Type::kString, string);
}

Value Value::SubStr(const Value& whole, std::string_view part) {
  const String& owner = whole.as<String>();
  if (part.size() == owner.text.size()) return whole;
  // A borrowed text needs no keeper; a part of a part keeps the first owner, so that chains do not grow.
  const bool borrowed = !owner.keeper && owner.text.data() != owner.owned.data();
  Ref<const String> keeper = borrowed ? Ref<const String>() : owner.keeper ? owner.keeper : Ref<const String>(&owner);
  auto* string = new String(part, std::move(keeper));
  Value v = Of(Type::kString, string);
  v.aux_ = whole.aux_;
  string->origin = owner.origin;
  if (owner.origin == String::Origin::kMixed) {
    const auto begin = static_cast<size_t>(part.data() - owner.text.data());
    MarkedText marked;
    owner.AppendPartTo(marked, {begin, begin + part.size()});
    string->input = std::move(marked.input);
    if (string->input.empty()) string->origin = String::Origin::kTemplate;
  }
  return v;
}

String::String(MarkedText marked) : String(std::move(marked.text)) {
  input = std::move(marked.input);
  const bool is_all = input.size() == 1 && input[0] == TextSpan{0, text.size()};
  origin = input.empty() ? Origin::kTemplate : is_all ? Origin::kInput : Origin::kMixed;
}

void String::AppendPartTo(MarkedText& out, TextSpan part) const {
  const std::string_view piece = text.substr(part.begin, part.end - part.begin);
  if (origin == Origin::kInput) return out.AppendInput(piece);
  if (origin == Origin::kTemplate) return out.Append(piece);
  const size_t offset = out.text.size();
  const auto first =
      std::partition_point(input.begin(), input.end(), [part](const TextSpan& span) { return span.end <= part.begin; });
  for (auto span = first; span != input.end() && span->begin < part.end; ++span) {
    out.Mark(
        {offset + std::max(span->begin, part.begin) - part.begin, offset + std::min(span->end, part.end) - part.begin});
  }
  out.Append(piece);
}

bool Value::has_input() const {
  return as<String>().origin != String::Origin::kTemplate;
}

Value Value::AsInput() const {
  if (as<String>().origin == String::Origin::kInput) return *this;
  auto* string = new String(str(), Ref<const String>(&as<String>()));
  string->origin = String::Origin::kInput;
  Value v = Of(Type::kString, string);
  v.aux_ = aux_;
  return v;
}

void Value::AppendTo(MarkedText& out) const {
  AppendPartTo(out, {0, str().size()});
}

void Value::AppendPartTo(MarkedText& out, TextSpan part) const {
  as<String>().AppendPartTo(out, part);
}

Value Value::WithSafe(bool safe) const {
  Value v = *this;
  v.aux_ = safe ? 1 : 0;
  return v;
}

Value Value::ListOf(std::vector<Value> items) {
  return Of(Type::kList, new List(std::move(items)));
}

Value Value::TupleOf(std::vector<Value> items) {
  return Of(Type::kTuple, new List(std::move(items)));
}

Value Value::GroupOf(Value grouper, Value list) {
  Value v = TupleOf({std::move(grouper), std::move(list)});
  v.aux_ = 1;
  return v;
}

Value Value::FromDict(Ref<Dict> dict) {  // NOLINT(performance-unnecessary-value-param)
  return Of(Type::kDict, dict.get());
}

Value Value::Undefined(const Value& name, std::optional<Type> owner) {
  Value v = name.is_string() ? name : Str(std::string());
  v.type_ = Type::kUndefined;
  v.aux_ = owner ? static_cast<uint8_t>(static_cast<uint8_t>(*owner) + 1) : 0;
  return v;
}

WideInt Value::wide() const {
  return type_ == Type::kBigInt ? as<BigInt>().value : WideInt{integer()};
}

double Value::number() const {
  return type_ == Type::kFloat ? payload_.number : static_cast<double>(wide());
}

std::string_view Value::str() const {
  return as<String>().text;
}

const std::vector<Value>& Value::items() const {
  return as<List>().items;
}

Dict& Value::dict() const {
  return as<Dict>();
}

namespace {

constexpr std::array<std::string_view, 19> kTypeNames = {
    "NoneType",   "bool",  "int",       "float",     "Undefined", "int",      "str",         "list",   "tuple", "dict",
    "dict_items", "range", "generator", "Namespace", "Macro",     "function", "LoopContext", "Cycler", "Joiner"};

}  // namespace

std::string_view Value::TypeName() const {
  if (type_ == Type::kDictView) {
    constexpr std::array<std::string_view, 3> kViews = {"dict_keys", "dict_values", "dict_items"};
    return kViews[static_cast<size_t>(as<DictView>().kind)];
  }
  return kTypeNames[static_cast<size_t>(type_)];
}

std::string Value::UndefinedMessage() const {
  if (payload_.object == nullptr) return "a value is undefined";
  const std::string name = EscapeForMessage(as<String>().text, 80);
  if (aux_ == 0) return fmt::format("'{}' is undefined", name);
  if (static_cast<Type>(aux_ - 1) == Type::kNone) return fmt::format("'None' has no attribute '{}'", name);
  const std::string_view owner = kTypeNames[aux_ - 1];
  if (name.find_first_not_of("-0123456789") == std::string::npos) {
    return fmt::format("{} object has no element {}", owner, name);
  }
  return fmt::format("'{} object' has no attribute '{}'", owner, name);
}

int64_t Range::size() const {
  if (step > 0) return start < stop ? (stop - start - 1) / step + 1 : 0;
  return start > stop ? (start - stop - 1) / -step + 1 : 0;
}

namespace {

constexpr size_t kIndexedDictSize = 16;

bool KeyLess(const Dict::Entry& a, std::string_view b) {
  return a.key.str() < b;
}

}  // namespace

void Dict::BuildIndex() const {
  indexed_ = true;
  index_.clear();
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].key.is_string()) index_.push_back(i);
  }
  std::sort(index_.begin(), index_.end(),
            [this](uint32_t a, uint32_t b) { return entries_[a].key.str() < entries_[b].key.str(); });
}

const Value* Dict::Find(std::string_view key) const {
  if (entries_.size() > kIndexedDictSize) {
    if (!indexed_) BuildIndex();
    const auto at = std::lower_bound(index_.begin(), index_.end(), key,
                                     [this](uint32_t i, std::string_view k) { return KeyLess(entries_[i], k); });
    if (at == index_.end() || entries_[*at].key.str() != key) return nullptr;
    return &entries_[*at].value;
  }
  for (const Entry& entry : entries_) {
    if (entry.key.is_string() && entry.key.str() == key) return &entry.value;
  }
  return nullptr;
}

const Value* Dict::Find(const Value& key) const {
  if (key.is_string()) return Find(key.str());
  for (const Entry& entry : entries_) {
    if (KeysEqual(entry.key, key)) return &entry.value;
  }
  return nullptr;
}

Dict::Entry* Dict::FindEntry(const Value& key) {
  for (Entry& entry : entries_) {
    if (KeysEqual(entry.key, key)) return &entry;
  }
  return nullptr;
}

void Dict::Set(const Value& key, Value value) {
  // The index spares the walk where there is one; a hit is stored through the pointer it gives.
  if (const Value* found = Find(key)) {
    *const_cast<Value*>(found) = std::move(value);
    return;
  }
  Append(key, std::move(value));
}

void Dict::Append(Value key, Value value) {
  indexed_ = false;
  entries_.push_back({std::move(key), std::move(value)});
}

bool Dict::Erase(const Value& key) {
  Entry* entry = FindEntry(key);
  if (entry == nullptr) return false;
  indexed_ = false;
  entries_.erase(entries_.begin() + (entry - entries_.data()));
  return true;
}

void Dict::Clear() {
  indexed_ = false;
  entries_.clear();
}

}  // namespace rf::jinja
