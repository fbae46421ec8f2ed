// What can be called: built-in filters, tests, methods and functions, macros, loops.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/meter.h"
#include "text/template/value.h"

namespace rf::jinja {

class Interpreter;
struct Frame;
struct MacroNode;
struct ForNode;

inline constexpr size_t kMaxParameters = 6;

/// The arguments of one call.
struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<Value, Value>> keyword;  ///< names are string values
  /// Set by Bind: one for each parameter of the builtin, nullptr where the caller gave nothing.
  std::array<const Value*, kMaxParameters> bound = {};

  const Value* operator[](size_t i) const { return bound[i]; }
  bool Has(size_t i) const { return bound[i] != nullptr; }
};

/// `self` is the filtered or tested value, or the method's object; none for a global function.
using BuiltinFunction = Result<Value> (*)(Interpreter& interpreter, const Value& self, const Args& args);

/// One row of a table of filters, tests, methods or functions.
struct Builtin {
  std::string_view name;
  /// Parameter names separated by spaces, "?" before optional ones; "*" takes anything and binds nothing.
  std::string_view parameters;
  BuiltinFunction function;
  /// Does not follow where each byte of its text result came from: if anything that goes in came from the caller's
  /// values, the whole text counts as that.
  bool blends = false;
};

/// Fills args.bound. Errors: missing, surplus or unknown arguments.
Status Bind(const Builtin& builtin, Args& args);

/// The tables; nullptr if there is no such name.
const Builtin* FindFilter(std::string_view name);
const Builtin* FindTest(std::string_view name);
const Builtin* FindGlobal(std::string_view name);
/// The methods of one name, by the type of their object. Those that change a list or dict are there too; they ask the
/// interpreter.
struct Methods {
  const Builtin* of_string = nullptr;
  const Builtin* of_list = nullptr;
  const Builtin* of_dict = nullptr;
  const Builtin* of_loop = nullptr;
  const Builtin* of_cycler = nullptr;

  /// nullptr if values of that type have no such method.
  const Builtin* Of(Type type) const;
};
const Methods* FindMethods(std::string_view name);

// The parts of the tables, one for each source file.
std::span<const Builtin> StringFilters();
std::span<const Builtin> LayoutFilters();
std::span<const Builtin> NumberFilters();
std::span<const Builtin> SequenceFilters();
std::span<const Builtin> SelectFilters();
std::span<const Builtin> StringMethods();
std::span<const Builtin> StringSearchMethods();
std::span<const Builtin> ListMethods();
std::span<const Builtin> DictMethods();
std::span<const Builtin> LoopMethods();
std::span<const Builtin> CyclerMethods();
std::span<const Builtin> TestTable();
std::span<const Builtin> GlobalTable();

/// A global function or a method with its object.
struct Function final : Object {
  Function(const Builtin* b, Value s) : builtin(b), self(std::move(s)) {}
  const Builtin* builtin;
  Value self;
};

/// Variables of one scope. A macro keeps the frame in which it was defined.
struct Frame final : Object {
  explicit Frame(Ref<Frame> parent_frame) : parent(std::move(parent_frame)) {}
  const Value* Find(uint32_t symbol) const {
    for (const auto& [name, value] : variables) {
      if (name == symbol) return &value;
    }
    return nullptr;
  }
  void Set(uint32_t symbol, Value value) {
    for (auto& [name, old] : variables) {
      if (name != symbol) continue;
      old = std::move(value);
      return;
    }
    variables.emplace_back(symbol, std::move(value));
  }
  void Clear() override { variables.clear(); }

  Ref<Frame> parent;
  std::vector<std::pair<uint32_t, Value>> variables;
};

struct Macro final : Object {
  Macro(const MacroNode* n, Ref<Frame> c) : node(n), closure(std::move(c)) {}
  std::string_view name() const;
  void Clear() override { closure = Ref<Frame>(); }
  const MacroNode* node;
  Ref<Frame> closure;
};

/// The variable `loop`.
struct Loop final : Object {
  void Clear() override {
    items.clear();
    last_changed.clear();
    frame = Ref<Frame>();
  }
  std::vector<Value> items;
  size_t index = 0;
  int depth = 0;
  const ForNode* node = nullptr;  ///< set for recursive loops
  Ref<Frame> frame;               ///< in which a recursive loop runs
  std::vector<Value> last_changed;
  bool has_changed = false;
};

}  // namespace rf::jinja
