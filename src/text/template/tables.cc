// Look-up in the tables of built-ins.
#include <initializer_list>
#include <unordered_map>

#include "text/template/callable.h"

namespace rf::jinja {

namespace {

using Table = std::unordered_map<std::string_view, const Builtin*>;

Table Join(std::initializer_list<std::span<const Builtin>> parts) {
  Table table;
  for (const std::span<const Builtin> part : parts) {
    for (const Builtin& row : part) table.emplace(row.name, &row);
  }
  return table;
}

const Builtin* Find(const Table& table, std::string_view name) {
  const auto at = table.find(name);
  return at == table.end() ? nullptr : at->second;
}

}  // namespace

const Builtin* FindFilter(std::string_view name) {
  static const Table table =
      Join({StringFilters(), LayoutFilters(), NumberFilters(), SequenceFilters(), SelectFilters()});
  return Find(table, name);
}

const Builtin* FindTest(std::string_view name) {
  static const Table table = Join({TestTable()});
  return Find(table, name);
}

const Builtin* FindGlobal(std::string_view name) {
  static const Table table = Join({GlobalTable()});
  return Find(table, name);
}

const Builtin* Methods::Of(Type type) const {
  switch (type) {
    case Type::kString: return of_string;
    case Type::kList:
    case Type::kTuple: return of_list;
    case Type::kDict: return of_dict;
    case Type::kLoop: return of_loop;
    case Type::kCycler: return of_cycler;
    default: return nullptr;
  }
}

namespace {

using MethodTable = std::unordered_map<std::string_view, Methods>;

MethodTable AllMethods() {
  MethodTable table;
  const auto add = [&table](std::span<const Builtin> part, const Builtin* Methods::*of_type) {
    for (const Builtin& row : part) table[row.name].*of_type = &row;
  };
  add(StringMethods(), &Methods::of_string);
  add(StringSearchMethods(), &Methods::of_string);
  add(ListMethods(), &Methods::of_list);
  add(DictMethods(), &Methods::of_dict);
  add(LoopMethods(), &Methods::of_loop);
  add(CyclerMethods(), &Methods::of_cycler);
  return table;
}

}  // namespace

const Methods* FindMethods(std::string_view name) {
  static const MethodTable table = AllMethods();
  const auto at = table.find(name);
  return at == table.end() ? nullptr : &at->second;
}

}  // namespace rf::jinja
