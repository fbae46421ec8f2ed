// Values of the template language: what Python's values are to Jinja, reference counted and cheap to copy.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/template/marked_text.h"

namespace rf::jinja {

/// From kUndefined on a value may hold a reference to an Object.
enum class Type : uint8_t {
  kNone,
  kBool,
  kInt,
  kFloat,
  kUndefined,
  kBigInt,
  kString,
  kList,
  kTuple,
  kDict,
  kDictView,
  kRange,
  kGenerator,
  kNamespace,
  kMacro,
  kFunction,
  kLoop,
  kCycler,
  kJoiner,
};

/// Base of everything on the heap. Intrusive count; deep structures are freed without recursion.
class Object {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;

  void AddRef() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Release() const {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) Delete();
  }
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

  /// Drops references that could form a cycle; called at the end of a rendering on the objects it tracked.
  virtual void Clear() {}

 private:
  void Delete() const;

  mutable std::atomic<uint32_t> refs_{0};
};

/// Counted reference to a T (an Object).
template <typename T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) object_->AddRef();
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->Release();
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

template <typename T, typename... A>
Ref<T> MakeRef(A&&... arguments) {
  return Ref<T>(new T(std::forward<A>(arguments)...));
}

/// Integers beyond 64 bits, up to 128; beyond that arithmetic fails.
using WideInt = __int128;

struct List;
struct Dict;

/// One value. Copying costs at most one atomic increment. Values may be shared between threads; the containers they
/// refer to are only changed by the rendering that made them.
class Value {
 public:
  Value() : type_(Type::kUndefined) { payload_.object = nullptr; }
  Value(const Value& other) : type_(other.type_), aux_(other.aux_), payload_(other.payload_) {
    if (const Object* o = object()) o->AddRef();
  }
  Value(Value&& other) noexcept : type_(other.type_), aux_(other.aux_), payload_(other.payload_) {
    other.type_ = Type::kNone;
  }
  Value& operator=(Value other) noexcept {
    std::swap(type_, other.type_);
    std::swap(aux_, other.aux_);
    std::swap(payload_, other.payload_);
    return *this;
  }
  ~Value() {
    if (const Object* o = object()) o->Release();
  }

  static Value None() { return Value(Type::kNone); }
  static Value Bool(bool b);
  static Value Int(int64_t i);
  static Value Float(double d);
  /// The smallest representation that holds `i`.
  static Value Wide(WideInt i);
  static Value Str(std::string text);
  static Value Str(std::string_view text) = delete;
  static Value Str(const char* text) { return Str(std::string(text)); }
  static Value Str(MarkedText text);
  /// A string that refers to memory which outlives every rendering that sees it.
  static Value BorrowedStr(std::string_view text, bool is_input = false);
  /// Part of `whole`'s text, sharing its memory. REQUIRES: `part` lies within whole.str(). Keeps the safe mark and the
  /// part's own input marks.
  static Value SubStr(const Value& whole, std::string_view part);
  static Value ListOf(std::vector<Value> items);
  static Value TupleOf(std::vector<Value> items);
  static Value FromDict(Ref<Dict> dict);
  /// An undefined value; `name` (a string value or none) and `owner` only serve the error message.
  static Value Undefined(const Value& name, std::optional<Type> owner = std::nullopt);
  /// A value of an object type. REQUIRES: `object` is of the class that belongs to `type`.
  static Value Of(Type type, const Object* object);

  Type type() const { return type_; }
  bool Is(Type t) const { return type_ == t; }
  bool is_undefined() const { return type_ == Type::kUndefined; }
  bool is_none() const { return type_ == Type::kNone; }
  bool is_string() const { return type_ == Type::kString; }
  bool is_sequence() const { return type_ == Type::kList || type_ == Type::kTuple; }
  bool is_dict() const { return type_ == Type::kDict; }
  /// bool, int or a wide int: what Python calls an int.
  bool is_integer() const { return type_ == Type::kBool || type_ == Type::kInt || type_ == Type::kBigInt; }
  bool is_number() const { return is_integer() || type_ == Type::kFloat; }
  /// Not even an undefined value with a name: an empty slot.
  bool is_empty_slot() const { return type_ == Type::kUndefined && payload_.object == nullptr; }

  bool boolean() const { return payload_.boolean; }
  /// REQUIRES: kInt or kBool.
  int64_t integer() const { return type_ == Type::kBool ? payload_.boolean : payload_.integer; }
  /// REQUIRES: is_integer().
  WideInt wide() const;
  /// REQUIRES: is_number().
  double number() const;
  /// REQUIRES: kString.
  std::string_view str() const;
  /// Marked as safe (what markupsafe's Markup is).
  bool is_safe() const { return type_ == Type::kString && aux_ != 0; }
  Value WithSafe(bool safe) const;
  /// Whether some of the text came from the caller's values. REQUIRES: kString.
  bool has_input() const;
  /// The same text, all of it marked as input. REQUIRES: kString.
  Value AsInput() const;
  /// Appends the text with its marks. REQUIRES: kString.
  void AppendTo(MarkedText& out) const;
  void AppendPartTo(MarkedText& out, TextSpan part) const;
  /// A pair made by groupby, whose parts are also called grouper and list.
  bool is_group() const { return type_ == Type::kTuple && aux_ != 0; }
  static Value GroupOf(Value grouper, Value list);
  /// REQUIRES: kList or kTuple.
  const std::vector<Value>& items() const;
  /// REQUIRES: kDict.
  Dict& dict() const;
  /// The object of an object type. REQUIRES: T is the class that belongs to type().
  template <typename T>
  T& as() const {
    return static_cast<T&>(const_cast<Object&>(*payload_.object));
  }
  const Object* object() const { return type_ >= Type::kUndefined ? payload_.object : nullptr; }

  /// REQUIRES: kUndefined. Why it is undefined, in Jinja's words.
  std::string UndefinedMessage() const;
  /// Python's name of the type: "str", "NoneType", …
  std::string_view TypeName() const;

 private:
  explicit Value(Type type) : type_(type) { payload_.object = nullptr; }

  Type type_;
  uint8_t aux_ = 0;  // string: safe mark; tuple: group; undefined: owner's type + 1
  union {
    bool boolean;
    int64_t integer;
    double number;
    const Object* object;
  } payload_;
};

struct String final : Object {
  /// Where the text came from. kMixed: the spans of `input` from the caller's values, the rest from the template.
  enum class Origin : uint8_t { kTemplate, kInput, kMixed };

  explicit String(std::string own) : owned(std::move(own)), text(owned) {}
  explicit String(MarkedText marked);
  String(std::string_view view, Ref<const String> keeper_of_view) : text(view), keeper(std::move(keeper_of_view)) {}
  /// Appends text[part) with its marks.
  void AppendPartTo(MarkedText& out, TextSpan part) const;
  std::string owned;
  std::string_view text;
  Ref<const String> keeper;
  Origin origin = Origin::kTemplate;
  std::vector<TextSpan> input;
};

struct BigInt final : Object {
  explicit BigInt(WideInt v) : value(v) {}
  WideInt value;
};

/// A list or a tuple.
struct List final : Object {
  explicit List(std::vector<Value> v) : items(std::move(v)) {}
  void Clear() override { items.clear(); }
  std::vector<Value> items;
};

/// A dict in insertion order. Small ones are searched linearly, large ones through a sorted index of their string keys.
struct Dict final : Object {
  struct Entry {
    Value key;
    Value value;
  };
  /// The value of a key or nullptr. Keys compare as in Python (1 == 1.0 == True).
  const Value* Find(const Value& key) const;
  const Value* Find(std::string_view key) const;
  void Set(const Value& key, Value value);
  /// Appends without looking for the key. REQUIRES: the key is new.
  void Append(Value key, Value value);
  /// Removes the key; false if it is not there.
  bool Erase(const Value& key);
  void Clear() override;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  Entry* FindEntry(const Value& key);
  void BuildIndex() const;

  std::vector<Entry> entries_;
  mutable std::vector<uint32_t> index_;  // positions of string keys, sorted by key
  mutable bool indexed_ = false;
};

/// dict.keys(), .values(), .items().
struct DictView final : Object {
  enum class Kind : uint8_t { kKeys, kValues, kItems };
  DictView(Ref<Dict> d, Kind k) : dict(std::move(d)), kind(k) {}
  Ref<Dict> dict;
  Kind kind;
};

struct Range final : Object {
  Range(int64_t a, int64_t b, int64_t s) : start(a), stop(b), step(s) {}
  int64_t size() const;
  int64_t start, stop, step;
};

/// What a lazy filter gives: can be walked once, has no length. The items are made eagerly; an error among them is
/// reported when the walk reaches it, as a lazy evaluation would.
struct Generator final : Object {
  explicit Generator(std::vector<Value> v) : items(std::move(v)) {}
  void Clear() override { items.clear(); }
  std::vector<Value> items;
  size_t next = 0;
  std::optional<Error> tail_error;
};

struct Namespace final : Object {
  void Clear() override { attributes.Clear(); }
  Dict attributes;
};

struct Cycler final : Object {
  explicit Cycler(std::vector<Value> v) : items(std::move(v)) {}
  void Clear() override { items.clear(); }
  std::vector<Value> items;
  size_t position = 0;
};

struct Joiner final : Object {
  explicit Joiner(Value s) : separator(std::move(s)) {}
  Value separator;
  bool used = false;
};

}  // namespace rf::jinja
