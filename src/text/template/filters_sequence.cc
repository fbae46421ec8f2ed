// Filters on lists and dicts.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/template/builtin_tools.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

Result<Value> LengthFilter(Interpreter& in, const Value& self, const Args&) {
  if (self.is_string()) RF_RETURN_IF_ERROR(in.meter().Walk(self.str().size()));
  RF_ASSIGN_OR_RETURN(const int64_t length, Length(self));
  return Value::Int(length);
}

Result<Value> First(Interpreter& in, const Value& self, const Args&) {
  if (self.Is(Type::kGenerator)) {
    Generator& generator = self.as<Generator>();
    if (generator.next < generator.items.size()) return generator.items[generator.next++];
    if (generator.tail_error) return *generator.tail_error;
    return Value::Undefined(Value::Str("first"));
  }
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  return items.empty() ? Value::Undefined(Value::Str("first")) : items.front();
}

Result<Value> Last(Interpreter& in, const Value& self, const Args&) {
  if (self.Is(Type::kGenerator)) return Fail("'generator' object is not reversible");
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  return items.empty() ? Value::Undefined(Value::Str("last")) : items.back();
}

Result<Value> ListFilter(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(self, in.meter()));
  return Value::ListOf(std::move(items));
}

Result<Value> Join(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(args[1]));
  Value separator = Value::Str("");
  if (args.Has(0)) {
    RF_ASSIGN_OR_RETURN(separator, ToStrValue(*args[0], in.meter()));
  }
  MarkedText out;
  for (size_t i = 0; i < items.size(); ++i) {
    RF_ASSIGN_OR_RETURN(const Value item, path.Get(in, items[i]));
    RF_ASSIGN_OR_RETURN(const Value text, ToStrValue(item, in.meter()));
    RF_RETURN_IF_ERROR(in.meter().Charge(text.str().size() + separator.str().size()));
    if (i > 0) separator.AppendTo(out);
    text.AppendTo(out);
  }
  return Value::Str(std::move(out));
}

Result<Value> Reverse(Interpreter& in, const Value& self, const Args&) {
  if (self.is_string()) {
    const Value step = Value::Int(-1);
    return Slice(self, {nullptr, nullptr, &step}, in.meter());
  }
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(self, in.meter()));
  std::reverse(items.begin(), items.end());
  return self.Is(Type::kGenerator) ? Value::ListOf(std::move(items)) : NewGenerator(std::move(items));
}

// An item and what it is compared by.
struct Keyed {
  Value key;
  Value item;
};

Result<Value> KeyOf(Interpreter& in, const Value& value, bool case_sensitive) {
  return case_sensitive ? Result<Value>(value) : FoldCase(value, in.meter());
}

// Stable sort by key. Errors: keys without an order.
Status SortByKey(std::vector<Keyed>& keyed, bool reverse, Meter& meter) {
  std::optional<Error> failure;
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    if (failure) return false;
    Result<bool> less = reverse ? Less(b.key, a.key, meter) : Less(a.key, b.key, meter);
    if (!less) failure = less.error();
    return less && *less;
  });
  if (failure) return *failure;
  return {};
}

Result<std::vector<Keyed>> KeyItems(Interpreter& in, const Value& self, const AttributePath& path, bool case_sensitive,
                                    const Value* fallback = nullptr) {
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(self, in.meter()));
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  for (Value& item : items) {
    RF_ASSIGN_OR_RETURN(const Value value, path.Get(in, item, fallback));
    RF_ASSIGN_OR_RETURN(Value key, KeyOf(in, value, case_sensitive));
    keyed.push_back({std::move(key), std::move(item)});
  }
  return keyed;
}

Result<Value> ItemsOf(std::vector<Keyed> keyed, Meter& meter) {
  std::vector<Value> items;
  items.reserve(keyed.size());
  for (Keyed& k : keyed) items.push_back(std::move(k.item));
  return NewList(std::move(items), meter);
}

// sort(attribute="a,b"): compares lists of several attributes.
Result<std::vector<Keyed>> KeyByMany(Interpreter& in, const Value& self, std::string_view names, bool case_sensitive) {
  std::vector<AttributePath> paths;
  while (true) {
    const size_t comma = std::min(names.find(','), names.size());
    const Value name = Value::Str(std::string(names.substr(0, comma)));
    RF_ASSIGN_OR_RETURN(AttributePath path, AttributePath::From(&name));
    paths.push_back(std::move(path));
    if (comma == names.size()) break;
    names.remove_prefix(comma + 1);
  }
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(self, in.meter()));
  RF_RETURN_IF_ERROR(in.meter().Charge(items.size() * paths.size() * sizeof(Value)));
  std::vector<Keyed> keyed;
  for (Value& item : items) {
    std::vector<Value> keys;
    for (const AttributePath& path : paths) {
      RF_ASSIGN_OR_RETURN(const Value value, path.Get(in, item));
      RF_ASSIGN_OR_RETURN(Value key, KeyOf(in, value, case_sensitive));
      keys.push_back(std::move(key));
    }
    keyed.push_back({Value::ListOf(std::move(keys)), std::move(item)});
  }
  return keyed;
}

Result<Value> Sort(Interpreter& in, const Value& self, const Args& args) {
  const bool case_sensitive = BoolArgument(args, 1, false);
  std::vector<Keyed> keyed;
  if (args.Has(2) && args[2]->is_string() && args[2]->str().find(',') != std::string_view::npos) {
    RF_ASSIGN_OR_RETURN(keyed, KeyByMany(in, self, args[2]->str(), case_sensitive));
  } else {
    RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(args[2]));
    RF_ASSIGN_OR_RETURN(keyed, KeyItems(in, self, path, case_sensitive));
  }
  RF_RETURN_IF_ERROR(SortByKey(keyed, BoolArgument(args, 0, false), in.meter()));
  return ItemsOf(std::move(keyed), in.meter());
}

Result<Value> Unique(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(args[1]));
  RF_ASSIGN_OR_RETURN(std::vector<Keyed> keyed, KeyItems(in, self, path, BoolArgument(args, 0, false)));
  std::vector<Value> seen;
  std::vector<Value> items;
  for (Keyed& k : keyed) {
    if (!IsHashable(k.key)) return Fail(fmt::format("unhashable type: '{}'", k.key.TypeName()));
    RF_RETURN_IF_ERROR(in.meter().Step(1 + seen.size() / 16));
    if (std::any_of(seen.begin(), seen.end(), [&k](const Value& other) { return KeysEqual(other, k.key); })) continue;
    seen.push_back(std::move(k.key));
    items.push_back(std::move(k.item));
  }
  return NewGenerator(std::move(items));
}

Result<Value> Extreme(Interpreter& in, const Value& self, const Args& args, bool wants_max) {
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(args[1]));
  RF_ASSIGN_OR_RETURN(std::vector<Keyed> keyed, KeyItems(in, self, path, BoolArgument(args, 0, false)));
  if (keyed.empty()) return Value::Undefined(Value::Str(wants_max ? "max" : "min"));
  size_t best = 0;
  for (size_t i = 1; i < keyed.size(); ++i) {
    const Value& low = wants_max ? keyed[best].key : keyed[i].key;
    const Value& high = wants_max ? keyed[i].key : keyed[best].key;
    RF_ASSIGN_OR_RETURN(const bool better, Less(low, high, in.meter()));
    if (better) best = i;
  }
  return keyed[best].item;
}

Result<Value> Min(Interpreter& in, const Value& self, const Args& args) {
  return Extreme(in, self, args, false);
}

Result<Value> Max(Interpreter& in, const Value& self, const Args& args) {
  return Extreme(in, self, args, true);
}

Result<Value> Sum(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(args[0]));
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  Value total = args.Has(1) ? *args[1] : Value::Int(0);
  if (total.is_string()) return Fail("sum() can't sum strings");
  for (const Value& item : items) {
    RF_ASSIGN_OR_RETURN(const Value value, path.Get(in, item));
    RF_ASSIGN_OR_RETURN(total, ApplyBinary(BinaryOp::kAdd, total, value, in.meter()));
  }
  return total;
}

Result<Value> GroupBy(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const AttributePath path, AttributePath::From(args[0]));
  const Value* fallback = args[1];
  RF_ASSIGN_OR_RETURN(std::vector<Keyed> keyed, KeyItems(in, self, path, BoolArgument(args, 2, false), fallback));
  RF_RETURN_IF_ERROR(SortByKey(keyed, false, in.meter()));
  std::vector<Value> groups;
  for (size_t begin = 0; begin < keyed.size();) {
    std::vector<Value> members;
    size_t end = begin;
    for (; end < keyed.size(); ++end) {
      RF_ASSIGN_OR_RETURN(const bool same, Equal(keyed[begin].key, keyed[end].key, in.meter()));
      if (!same) break;
      members.push_back(keyed[end].item);
    }
    RF_ASSIGN_OR_RETURN(Value grouper, path.Get(in, keyed[begin].item, fallback));
    RF_ASSIGN_OR_RETURN(Value list, NewList(std::move(members), in.meter()));
    groups.push_back(Value::GroupOf(std::move(grouper), std::move(list)));
    begin = std::max(end, begin + 1);
  }
  return NewList(std::move(groups), in.meter());
}

Result<Value> DictSort(Interpreter& in, const Value& self, const Args& args) {
  if (!self.is_dict()) return Fail(fmt::format("dictsort needs a dict, not {}", self.TypeName()));
  RF_ASSIGN_OR_RETURN(const auto by, TextArgument(args, 1));
  if (by && *by != "key" && *by != "value") return Fail("dictsort: by must be 'key' or 'value'");
  std::vector<Keyed> keyed;
  RF_RETURN_IF_ERROR(in.meter().Charge(self.dict().entries().size() * 96));
  for (const Dict::Entry& entry : self.dict().entries()) {
    const Value& source = by && *by == "value" ? entry.value : entry.key;
    RF_ASSIGN_OR_RETURN(Value key, KeyOf(in, source, BoolArgument(args, 0, false)));
    keyed.push_back({std::move(key), Value::TupleOf({entry.key, entry.value})});
  }
  RF_RETURN_IF_ERROR(SortByKey(keyed, BoolArgument(args, 2, false), in.meter()));
  return ItemsOf(std::move(keyed), in.meter());
}

Result<Value> ItemsFilter(Interpreter& in, const Value& self, const Args&) {
  if (self.is_undefined()) return NewGenerator({});
  if (!self.is_dict()) return Fail("Can only get item pairs from a mapping.");
  const Value view = Value::Of(Type::kDictView, new DictView(Ref<Dict>(&self.dict()), DictView::Kind::kItems));
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(view, in.meter()));
  return NewGenerator(std::move(items));
}

Result<Value> Batch(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const int64_t size, IntArgument(args, 0, 1));
  if (size < 1 || size > 100'000) return Fail("batch: the size must be between 1 and 100000");
  std::vector<Value> batches;
  for (size_t at = 0; at < items.size(); at += static_cast<size_t>(size)) {
    const size_t end = std::min(items.size(), at + static_cast<size_t>(size));
    std::vector<Value> batch(items.begin() + static_cast<ptrdiff_t>(at), items.begin() + static_cast<ptrdiff_t>(end));
    if (args.Has(1) && !args[1]->is_none()) batch.resize(static_cast<size_t>(size), *args[1]);
    RF_ASSIGN_OR_RETURN(Value list, NewList(std::move(batch), in.meter()));
    batches.push_back(std::move(list));
  }
  return NewGenerator(std::move(batches));
}

Result<Value> SliceFilter(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(self, in.meter()));
  RF_ASSIGN_OR_RETURN(const int64_t count_argument, IntArgument(args, 0, 1));
  if (count_argument < 1 || count_argument > 100'000) return Fail("slice: the count must be between 1 and 100000");
  const auto count = static_cast<size_t>(count_argument);
  RF_RETURN_IF_ERROR(in.meter().Charge(count * sizeof(Value)));
  const size_t each = items.size() / count;
  const size_t longer = items.size() % count;
  std::vector<Value> slices;
  auto at = items.begin();
  for (size_t i = 0; i < count; ++i) {
    const auto size = static_cast<ptrdiff_t>(each + (i < longer ? 1 : 0));
    std::vector<Value> slice(at, at + size);
    at += size;
    if (args.Has(1) && !args[1]->is_none() && i >= longer) slice.push_back(*args[1]);
    RF_ASSIGN_OR_RETURN(Value list, NewList(std::move(slice), in.meter()));
    slices.push_back(std::move(list));
  }
  return NewGenerator(std::move(slices));
}

constexpr std::array kSequenceFilters = {
    Builtin{"length", "", LengthFilter},
    Builtin{"count", "", LengthFilter},
    Builtin{"first", "", First},
    Builtin{"last", "", Last},
    Builtin{"list", "", ListFilter},
    Builtin{"join", "?d ?attribute", Join},
    Builtin{"reverse", "", Reverse},
    Builtin{"sort", "?reverse ?case_sensitive ?attribute", Sort},
    Builtin{"unique", "?case_sensitive ?attribute", Unique},
    Builtin{"min", "?case_sensitive ?attribute", Min},
    Builtin{"max", "?case_sensitive ?attribute", Max},
    Builtin{"sum", "?attribute ?start", Sum},
    Builtin{"groupby", "attribute ?default ?case_sensitive", GroupBy},
    Builtin{"dictsort", "?case_sensitive ?by ?reverse", DictSort},
    Builtin{"items", "", ItemsFilter},
    Builtin{"batch", "linecount ?fill_with", Batch},
    Builtin{"slice", "slices ?fill_with", SliceFilter},
};

}  // namespace

std::span<const Builtin> SequenceFilters() {
  return kSequenceFilters;
}

}  // namespace rf::jinja
