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

const Builtin* FindMethod(const Value& self, std::string_view name) {
  static const Table string_methods = Join({StringMethods(), StringSearchMethods()});
  static const Table list_methods = Join({ListMethods()});
  static const Table dict_methods = Join({DictMethods()});
  static const Table loop_methods = Join({LoopMethods()});
  static const Table cycler_methods = Join({CyclerMethods()});
  switch (self.type()) {
    case Type::kString: return Find(string_methods, name);
    case Type::kList:
    case Type::kTuple: return Find(list_methods, name);
    case Type::kDict: return Find(dict_methods, name);
    case Type::kLoop: return Find(loop_methods, name);
    case Type::kCycler: return Find(cycler_methods, name);
    default: return nullptr;
  }
}

}  // namespace rf::jinja
