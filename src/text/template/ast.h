// The syntax tree of a template. Nodes live in the Program that owns them and never change after parsing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/callable.h"
#include "text/template/value.h"

namespace rf::jinja {

using Symbol = uint32_t;

struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
};

enum class NodeKind : uint8_t {
  // expressions
  kConstant,
  kName,
  kList,
  kDict,
  kUnary,
  kBinary,
  kCompare,
  kLogic,
  kConcat,
  kConditional,
  kChain,
  // statements
  kText,
  kOutput,
  kIf,
  kFor,
  kSet,
  kSetBlock,
  kMacro,
  kCallBlock,
  kFilterBlock,
  kWith,
  kScope,
  kBreak,
  kContinue,
};

struct Node {
  explicit Node(NodeKind k) : kind(k) {}
  virtual ~Node() = default;
  NodeKind kind;
  Position position;
};

template <NodeKind K>
struct NodeOf : Node {
  NodeOf() : Node(K) {}
};

using Body = std::vector<const Node*>;

struct ConstantNode final : NodeOf<NodeKind::kConstant> {
  Value value;
};

struct NameNode final : NodeOf<NodeKind::kName> {
  Symbol symbol = 0;
};

struct ListNode final : NodeOf<NodeKind::kList> {
  std::vector<const Node*> items;
  bool is_tuple = false;
};

struct DictNode final : NodeOf<NodeKind::kDict> {
  std::vector<std::pair<const Node*, const Node*>> entries;
};

enum class UnaryOp : uint8_t { kNegate, kPlus, kNot };

struct UnaryNode final : NodeOf<NodeKind::kUnary> {
  UnaryOp op = UnaryOp::kNot;
  const Node* operand = nullptr;
};

enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow };

/// first op operand op operand …, from the left.
struct BinaryNode final : NodeOf<NodeKind::kBinary> {
  struct Term {
    BinaryOp op;
    const Node* operand;
    Position position;
  };
  const Node* first = nullptr;
  std::vector<Term> terms;
};

enum class CompareOp : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kIn, kNotIn };

struct CompareNode final : NodeOf<NodeKind::kCompare> {
  const Node* first = nullptr;
  std::vector<std::pair<CompareOp, const Node*>> terms;
};

/// `and` or `or` of two or more operands.
struct LogicNode final : NodeOf<NodeKind::kLogic> {
  bool is_and = true;
  std::vector<const Node*> operands;
};

struct ConcatNode final : NodeOf<NodeKind::kConcat> {
  std::vector<const Node*> operands;
};

/// value if test else otherwise (nullptr: undefined).
struct ConditionalNode final : NodeOf<NodeKind::kConditional> {
  const Node* value = nullptr;
  const Node* test = nullptr;
  const Node* otherwise = nullptr;
};

struct CallArguments {
  std::vector<const Node*> positional;
  std::vector<std::pair<Value, const Node*>> keyword;
  const Node* star = nullptr;         ///< *args
  const Node* double_star = nullptr;  ///< **kwargs
};

enum class LinkKind : uint8_t { kAttribute, kItem, kSlice, kCall, kFilter, kTest };

/// One step of a chain: .name, [index], [a:b:c], (arguments), | filter, is test.
struct Link {
  LinkKind kind = LinkKind::kAttribute;
  bool negated = false;  ///< is not
  Position position;
  Value name;                        ///< attribute, filter or test
  const Methods* methods = nullptr;  ///< of the attribute's name; nullptr if no value has such a method
  const Node* index = nullptr;
  const Node* start = nullptr;
  const Node* stop = nullptr;
  const Node* step = nullptr;
  CallArguments arguments;
  const Builtin* builtin = nullptr;  ///< nullptr for a filter or test that does not exist
};

/// An expression followed by steps, evaluated from the left without recursion.
struct ChainNode final : NodeOf<NodeKind::kChain> {
  const Node* base = nullptr;
  std::vector<Link> links;
};

/// What a value is assigned to: a name, namespace.attribute, or several of them.
struct Target {
  enum class Kind : uint8_t { kName, kNamespace, kTuple };
  Kind kind = Kind::kName;
  Symbol symbol = 0;
  Value attribute;
  std::vector<Target> parts;
  Position position;
};

struct TextNode final : NodeOf<NodeKind::kText> {
  std::string_view text;
};

struct OutputNode final : NodeOf<NodeKind::kOutput> {
  const Node* value = nullptr;
};

struct IfNode final : NodeOf<NodeKind::kIf> {
  std::vector<std::pair<const Node*, Body>> arms;
  Body otherwise;
};

struct ForNode final : NodeOf<NodeKind::kFor> {
  Target target;
  const Node* iterable = nullptr;
  const Node* filter = nullptr;
  Body body;
  Body otherwise;
  bool is_recursive = false;
};

struct SetNode final : NodeOf<NodeKind::kSet> {
  Target target;
  const Node* value = nullptr;
};

struct SetBlockNode final : NodeOf<NodeKind::kSetBlock> {
  Target target;
  std::vector<Link> filters;
  Body body;
};

struct MacroNode final : NodeOf<NodeKind::kMacro> {
  std::string_view name;
  Symbol symbol = 0;
  std::vector<std::pair<Symbol, Value>> parameters;  ///< with their names as string values
  std::vector<const Node*> defaults;                 ///< of the last parameters
  Body body;
  bool uses_varargs = false;
  bool uses_kwargs = false;
  bool uses_caller = false;
};

struct CallBlockNode final : NodeOf<NodeKind::kCallBlock> {
  const ChainNode* call = nullptr;
  const MacroNode* caller = nullptr;
};

struct FilterBlockNode final : NodeOf<NodeKind::kFilterBlock> {
  std::vector<Link> filters;
  Body body;
};

struct WithNode final : NodeOf<NodeKind::kWith> {
  std::vector<std::pair<Target, const Node*>> bindings;
  Body body;
};

/// A body with variables of its own: generation, block, autoescape.
struct ScopeNode final : NodeOf<NodeKind::kScope> {
  Body body;
  bool from_root = false;  ///< sees only the outermost variables
};

struct BreakNode final : NodeOf<NodeKind::kBreak> {};
struct ContinueNode final : NodeOf<NodeKind::kContinue> {};

/// Symbols every program has, in this order.
enum KnownSymbol : Symbol { kLoopSymbol, kCallerSymbol, kVarargsSymbol, kKwargsSymbol, kKnownSymbolCount };

/// A parsed template.
struct Program {
  std::string source;  ///< with newlines normalized; text nodes point into it
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<Value> symbol_names;
  std::vector<const Builtin*> symbol_globals;  ///< the global function of that name, or nullptr
  Body body;
};

}  // namespace rf::jinja
