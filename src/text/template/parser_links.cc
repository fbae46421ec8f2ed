// The steps of a chain: attributes, subscripts, calls, filters, tests.
#include <fmt/format.h>

#include "text/template/parser.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

ChainNode* Parser::ChainOf(const Node* base) {
  // A chain node is only ever referred to by the expression that is being parsed, so it may grow.
  if (base->kind == NodeKind::kChain && base == program_.nodes.back().get()) {
    return static_cast<ChainNode*>(program_.nodes.back().get());
  }
  auto* chain = Make<ChainNode>(base->position);
  chain->base = base;
  return chain;
}

Parser::NodeResult Parser::Postfix(const Node* base) {
  ChainNode* chain = nullptr;
  while (IsOperator(".") || IsOperator("[") || IsOperator("(")) {
    Link link;
    link.position = Now().position;
    if (SkipOperator(".")) {
      if (Now().kind == TokenKind::kName) {
        link.name = Value::Str(std::string(Now().text));
        link.methods = FindMethods(link.name.str());
        Next();
      } else if (Now().kind == TokenKind::kInteger) {
        link.kind = LinkKind::kItem;
        RF_ASSIGN_OR_RETURN(Value number, NumberLiteral(Now()));
        link.index = Constant(Now().position, std::move(number));
        Next();
      } else {
        return Unexpected("a name or a number");
      }
    } else if (IsOperator("[")) {
      RF_RETURN_IF_ERROR(Subscript(link));
    } else {
      link.kind = LinkKind::kCall;
      RF_RETURN_IF_ERROR(CallArgumentsOf(link.arguments));
    }
    if (chain == nullptr) chain = ChainOf(base);
    chain->links.push_back(std::move(link));
  }
  return chain != nullptr ? chain : base;
}

Status Parser::Subscript(Link& link) {
  Next();
  link.kind = LinkKind::kItem;
  const Position position = Now().position;
  std::vector<const Node*> items;
  bool is_tuple = false;
  while (!IsOperator("]")) {
    if (!items.empty()) {
      RF_RETURN_IF_ERROR(ExpectOperator(","));
      is_tuple = true;
      if (IsOperator("]")) break;
    }
    const Node* item = nullptr;
    if (!IsOperator(":")) {
      RF_ASSIGN_OR_RETURN(item, Expression());
    }
    if (IsOperator(":")) {
      if (!items.empty()) return Unexpected("']'");
      link.kind = LinkKind::kSlice;
      link.start = item;
      Next();
      if (!IsOperator("]") && !IsOperator(":")) {
        RF_ASSIGN_OR_RETURN(link.stop, Expression());
      }
      if (SkipOperator(":") && !IsOperator("]")) {
        RF_ASSIGN_OR_RETURN(link.step, Expression());
      }
      return ExpectOperator("]");
    }
    items.push_back(item);
  }
  if (items.empty()) return Unexpected("an expression");
  Next();
  link.index = items[0];
  if (!is_tuple) return {};
  auto* tuple = Make<ListNode>(position);
  tuple->items = std::move(items);
  tuple->is_tuple = true;
  link.index = tuple;
  return {};
}

Status Parser::CallArgumentsOf(CallArguments& out) {
  RF_RETURN_IF_ERROR(ExpectOperator("("));
  bool first = true;
  while (!IsOperator(")")) {
    if (!first) RF_RETURN_IF_ERROR(ExpectOperator(","));
    first = false;
    if (IsOperator(")")) break;
    RF_RETURN_IF_ERROR(OneCallArgument(out));
  }
  Next();
  return {};
}

Status Parser::OneCallArgument(CallArguments& out) {
  const Position position = Now().position;
  if (IsOperator("*") || IsOperator("**")) {
    const Node*& slot = IsOperator("*") ? out.star : out.double_star;
    if (slot != nullptr || out.double_star != nullptr) {
      return SyntaxError(position, "a call has * or ** arguments twice or in the wrong order");
    }
    Next();
    RF_ASSIGN_OR_RETURN(slot, Expression());
    return {};
  }
  if (out.double_star != nullptr) return SyntaxError(position, "an argument follows **");
  if (Now().kind == TokenKind::kName && Ahead().kind == TokenKind::kOperator && Ahead().text == "=") {
    Value name = Value::Str(std::string(Now().text));
    for (const auto& [other, node] : out.keyword) {
      if (other.str() == name.str()) {
        return SyntaxError(position, fmt::format("argument '{}' is given twice", EscapeForMessage(name.str(), 60)));
      }
    }
    Next();
    Next();
    RF_ASSIGN_OR_RETURN(const Node* value, Expression());
    out.keyword.emplace_back(std::move(name), value);
    return {};
  }
  if (!out.keyword.empty() || out.star != nullptr) {
    return SyntaxError(position, "a positional argument follows a named one");
  }
  RF_ASSIGN_OR_RETURN(const Node* value, Expression());
  out.positional.push_back(value);
  return {};
}

Parser::NodeResult Parser::FiltersAndTests(const Node* base) {
  ChainNode* chain = nullptr;
  while (IsOperator("|") || IsName("is") || IsOperator("(")) {
    Link link;
    link.position = Now().position;
    if (SkipOperator("|")) {
      RF_RETURN_IF_ERROR(FilterLink(link));
    } else if (IsName("is")) {
      Next();
      RF_RETURN_IF_ERROR(TestLink(link));
    } else {
      link.kind = LinkKind::kCall;
      RF_RETURN_IF_ERROR(CallArgumentsOf(link.arguments));
    }
    if (chain == nullptr) chain = ChainOf(base);
    chain->links.push_back(std::move(link));
  }
  return chain != nullptr ? chain : base;
}

Result<Value> Parser::DottedName() {
  RF_ASSIGN_OR_RETURN(const std::string_view first, ExpectIdentifier());
  std::string name(first);
  while (SkipOperator(".")) {
    RF_ASSIGN_OR_RETURN(const std::string_view part, ExpectIdentifier());
    name += '.';
    name += part;
  }
  return Value::Str(std::move(name));
}

Status Parser::FilterLink(Link& link) {
  link.kind = LinkKind::kFilter;
  const Position position = Now().position;
  RF_ASSIGN_OR_RETURN(link.name, DottedName());
  link.builtin = FindFilter(link.name.str());
  if (link.builtin == nullptr && conditional_depth_ == 0) {
    unknown_names_.push_back(
        SyntaxError(position, fmt::format("no filter named '{}'", EscapeForMessage(link.name.str(), 80))));
  }
  return IsOperator("(") ? CallArgumentsOf(link.arguments) : Status();
}

Status Parser::TestLink(Link& link) {
  link.kind = LinkKind::kTest;
  link.negated = SkipName("not");
  const Position position = Now().position;
  RF_ASSIGN_OR_RETURN(link.name, DottedName());
  link.builtin = FindTest(link.name.str());
  if (link.builtin == nullptr && conditional_depth_ == 0) {
    unknown_names_.push_back(
        SyntaxError(position, fmt::format("no test named '{}'", EscapeForMessage(link.name.str(), 80))));
  }
  if (IsOperator("(")) return CallArgumentsOf(link.arguments);
  const TokenKind kind = Now().kind;
  const bool starts_value = kind == TokenKind::kName || kind == TokenKind::kString || kind == TokenKind::kInteger ||
                            kind == TokenKind::kFloat || IsOperator("[") || IsOperator("{");
  if (!starts_value || IsName("else") || IsName("or") || IsName("and")) return {};
  if (IsName("is")) return SyntaxError(Now().position, "tests can not be chained with 'is'");
  const Level level(*this);
  RF_RETURN_IF_ERROR(level.Check());
  RF_ASSIGN_OR_RETURN(const Node* argument, Primary());
  RF_ASSIGN_OR_RETURN(argument, Postfix(argument));
  link.arguments.positional.push_back(argument);
  return {};
}

Result<std::vector<Link>> Parser::FilterList(bool starts_with_pipe) {
  std::vector<Link> links;
  while (links.empty() && !starts_with_pipe ? true : SkipOperator("|")) {
    Link link;
    link.position = Now().position;
    RF_RETURN_IF_ERROR(FilterLink(link));
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace rf::jinja
