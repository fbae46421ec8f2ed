// Methods of lists, tuples, dicts, loops and cyclers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "text/template/builtin_tools.h"

namespace rf::jinja {

namespace {

// Methods that change a value are refused as in the reference's sandbox, unless the rendering is lenient.
Status MayChange(Interpreter& in, const Value& self, std::string_view method) {
  if (!in.options().lenient || self.Is(Type::kTuple)) {
    return Fail(fmt::format("access to attribute '{}' of '{}' object is unsafe.", method, self.TypeName()));
  }
  in.Track(&self.as<Object>());  // it may come to hold itself
  return in.meter().Charge(sizeof(Dict::Entry) + sizeof(Value));
}

Result<Value> ListIndex(Interpreter& in, const Value& self, const Args& args) {
  for (size_t i = 0; i < self.items().size(); ++i) {
    RF_ASSIGN_OR_RETURN(const bool same, Equal(self.items()[i], *args[0], in.meter()));
    if (same) return Value::Int(static_cast<int64_t>(i));
  }
  return Fail("the value is not in the list");
}

Result<Value> ListCount(Interpreter& in, const Value& self, const Args& args) {
  int64_t count = 0;
  RF_RETURN_IF_ERROR(in.meter().Step(self.items().size() / 8));
  for (const Value& item : self.items()) {
    RF_ASSIGN_OR_RETURN(const bool same, Equal(item, *args[0], in.meter()));
    count += same;
  }
  return Value::Int(count);
}

Result<Value> ListCopy(Interpreter& in, const Value& self, const Args&) {
  RF_ASSIGN_OR_RETURN(std::vector<Value> items, Items(self, in.meter()));
  return Value::ListOf(std::move(items));
}

Result<Value> ListAppend(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "append"));
  self.as<List>().items.push_back(*args[0]);
  return Value::None();
}

Result<Value> ListExtend(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "extend"));
  RF_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(*args[0], in.meter()));
  std::vector<Value>& own = self.as<List>().items;
  own.insert(own.end(), items.begin(), items.end());
  return Value::None();
}

Result<Value> ListInsert(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "insert"));
  std::vector<Value>& items = self.as<List>().items;
  RF_ASSIGN_OR_RETURN(int64_t index, IntArgument(args, 0, 0));
  const auto size = static_cast<int64_t>(items.size());
  RF_RETURN_IF_ERROR(in.meter().Step(items.size() / 64));
  index = std::clamp<int64_t>(index < 0 ? index + size : index, 0, size);
  items.insert(items.begin() + index, *args[1]);
  return Value::None();
}

Result<Value> ListPop(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "pop"));
  std::vector<Value>& items = self.as<List>().items;
  RF_ASSIGN_OR_RETURN(int64_t index, IntArgument(args, 0, -1));
  if (index < 0) index += static_cast<int64_t>(items.size());
  if (index < 0 || index >= static_cast<int64_t>(items.size())) return Fail("pop index out of range");
  RF_RETURN_IF_ERROR(in.meter().Step(items.size() / 64));
  Value item = std::move(items[static_cast<size_t>(index)]);
  items.erase(items.begin() + index);
  return item;
}

constexpr std::array kListMethods = {
    Builtin{"index", "value", ListIndex},
    Builtin{"count", "value", ListCount},
    Builtin{"copy", "", ListCopy},
    Builtin{"append", "object", ListAppend},
    Builtin{"extend", "iterable", ListExtend},
    Builtin{"insert", "index object", ListInsert},
    Builtin{"pop", "?index", ListPop},
};

Result<const Value*> FindKey(Interpreter& in, const Value& self, const Value& key) {
  if (!IsHashable(key)) return Fail(fmt::format("unhashable type: '{}'", key.TypeName()));
  if (!key.is_string()) RF_RETURN_IF_ERROR(in.meter().Step(self.dict().entries().size() / 16));
  return self.dict().Find(key);
}

Result<Value> DictGet(Interpreter& in, const Value& self, const Args& args) {
  RF_ASSIGN_OR_RETURN(const Value* found, FindKey(in, self, *args[0]));
  if (found != nullptr) return *found;
  return args.Has(1) ? *args[1] : Value::None();
}

template <DictView::Kind kKind>
Result<Value> DictViewOf(Interpreter&, const Value& self, const Args&) {
  return Value::Of(Type::kDictView, new DictView(Ref<Dict>(&self.dict()), kKind));
}

Result<Value> DictCopy(Interpreter& in, const Value& self, const Args&) {
  RF_RETURN_IF_ERROR(in.meter().Charge(self.dict().entries().size() * sizeof(Dict::Entry)));
  auto copy = MakeRef<Dict>();
  for (const Dict::Entry& entry : self.dict().entries()) copy->Append(entry.key, entry.value);
  return Value::FromDict(std::move(copy));
}

Result<Value> DictUpdate(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "update"));
  if (!args[0]->is_dict()) return Fail("update needs a dict");
  const std::vector<Dict::Entry> entries = args[0]->dict().entries();  // a copy: it may be the same dict
  RF_RETURN_IF_ERROR(in.meter().Charge(entries.size() * sizeof(Dict::Entry)));
  for (const Dict::Entry& entry : entries) {
    RF_RETURN_IF_ERROR(in.meter().Step(1 + self.dict().entries().size() / 16));
    self.dict().Set(entry.key, entry.value);
  }
  return Value::None();
}

Result<Value> DictSetDefault(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "setdefault"));
  RF_ASSIGN_OR_RETURN(const Value* found, FindKey(in, self, *args[0]));
  if (found != nullptr) return *found;
  const Value value = args.Has(1) ? *args[1] : Value::None();
  self.dict().Append(*args[0], value);
  return value;
}

Result<Value> DictPop(Interpreter& in, const Value& self, const Args& args) {
  RF_RETURN_IF_ERROR(MayChange(in, self, "pop"));
  RF_ASSIGN_OR_RETURN(const Value* found, FindKey(in, self, *args[0]));
  if (found == nullptr) return args.Has(1) ? Result<Value>(*args[1]) : Fail("pop: the dict has no such key");
  Value value = *found;
  RF_RETURN_IF_ERROR(in.meter().Step(self.dict().entries().size() / 16));
  self.dict().Erase(*args[0]);
  return value;
}

constexpr std::array kDictMethods = {
    Builtin{"get", "key ?default", DictGet},
    Builtin{"items", "", DictViewOf<DictView::Kind::kItems>},
    Builtin{"keys", "", DictViewOf<DictView::Kind::kKeys>},
    Builtin{"values", "", DictViewOf<DictView::Kind::kValues>},
    Builtin{"copy", "", DictCopy},
    Builtin{"update", "other", DictUpdate},
    Builtin{"setdefault", "key ?default", DictSetDefault},
    Builtin{"pop", "key ?default", DictPop},
};

Result<Value> LoopCycle(Interpreter&, const Value& self, const Args& args) {
  if (args.positional.empty()) return Fail("no items for cycling given");
  return args.positional[self.as<Loop>().index % args.positional.size()];
}

Result<Value> LoopChanged(Interpreter& in, const Value& self, const Args& args) {
  Loop& loop = self.as<Loop>();
  RF_ASSIGN_OR_RETURN(const bool same,
                      Equal(Value::ListOf(loop.last_changed), Value::ListOf(args.positional), in.meter()));
  if (loop.has_changed && same) return Value::Bool(false);
  if (!loop.has_changed) in.Track(&loop);  // it may come to hold itself
  loop.has_changed = true;
  loop.last_changed = args.positional;
  return Value::Bool(true);
}

constexpr std::array kLoopMethods = {
    Builtin{"cycle", "*", LoopCycle},
    Builtin{"changed", "*", LoopChanged},
};

Result<Value> CyclerNext(Interpreter&, const Value& self, const Args&) {
  Cycler& cycler = self.as<Cycler>();
  const Value value = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return value;
}

Result<Value> CyclerReset(Interpreter&, const Value& self, const Args&) {
  self.as<Cycler>().position = 0;
  return Value::None();
}

constexpr std::array kCyclerMethods = {
    Builtin{"next", "", CyclerNext},
    Builtin{"reset", "", CyclerReset},
};

}  // namespace

std::span<const Builtin> ListMethods() {
  return kListMethods;
}

std::span<const Builtin> DictMethods() {
  return kDictMethods;
}

std::span<const Builtin> LoopMethods() {
  return kLoopMethods;
}

std::span<const Builtin> CyclerMethods() {
  return kCyclerMethods;
}

}  // namespace rf::jinja
