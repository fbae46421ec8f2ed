#include "text/grammar/schema.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json_shape.h"
#include "base/utf8.h"
#include "text/grammar/limits.h"
#include "text/grammar/schema_check.h"
#include "text/grammar/schema_compiler.h"

namespace rf::grammar {
namespace {

Result<Json> ParseSchema(std::string_view text) {
  if (text.size() > kMaxSourceBytes) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the schema has {} bytes, at most {} are allowed", text.size(), kMaxSourceBytes), ""};
  }
  // Objects keep their order, so finding a member takes as long as there are members.
  constexpr JsonLimits kLimits{.depth = kMaxNesting, .member_work = 4'000'000};
  if (const Status shape = CheckJsonShape(text, kLimits); !shape) {
    return Error{shape.error().code, shape.error().message, "#"};  // places in schemas are JSON pointers
  }
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("not JSON: {}", EscapeForMessage(error.what(), 160)), ""};
  }
}

uint8_t TypeOf(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return kNull;
    case Json::value_t::boolean: return kBoolean;
    case Json::value_t::string: return kString;
    case Json::value_t::array: return kArray;
    case Json::value_t::object: return kObject;
    case Json::value_t::number_float:
      return value.get<double>() == std::floor(value.get<double>()) ? kInteger | kNumber : kNumber;
    default: return kInteger | kNumber;
  }
}

// One spelling for each value; 1.0 is 1.
std::string Spell(const Json& value) {
  constexpr double kExact = 1e15;
  if (value.is_number_float() && (TypeOf(value) & kInteger) != 0 && std::abs(value.get<double>()) < kExact) {
    return fmt::to_string(static_cast<int64_t>(value.get<double>()));
  }
  return value.dump();
}

}  // namespace

Result<std::shared_ptr<const Automaton>> CompileJsonSchema(std::string_view schema) {
  RF_ASSIGN_OR_RETURN(const Json document, ParseSchema(schema));
  int64_t steps = kMaxCheckSteps;
  RF_RETURN_IF_ERROR(CheckJsonSchema(document, steps));
  return SchemaCompiler(document).Run();
}

Result<std::shared_ptr<const Automaton>> CompileAnyJsonObject() {
  return CompileJsonSchema(R"({"type": "object"})");
}

Result<std::shared_ptr<const Automaton>> SchemaCompiler::Run() {
  grammar_.root = RuleFor({{&document_, "#"}});
  std::vector<ExclusivePair> pairs;
  std::vector<RuleId> pair_rules;
  while (!pending_.empty()) {
    const PendingRule rule = std::move(pending_.back());
    pending_.pop_back();
    RF_RETURN_IF_ERROR(Define(rule));
    for (ExclusivePair& pair : reader_.TakeExclusivePairs()) {
      pair_rules.push_back(RuleFor(pair.both));
      pairs.push_back(std::move(pair));
    }
    if (grammar_.rules.size() > kMaxRules) {
      return BadSchema(fmt::format("the schema needs more than {} rules", kMaxRules), "#");
    }
  }
  std::vector<bool> is_productive;
  RF_ASSIGN_OR_RETURN(auto automaton, At("#", Automaton::Compile(grammar_, pair_rules, &is_productive)));
  RF_RETURN_IF_ERROR(CheckExclusive(pairs, is_productive));
  return automaton;
}

Status SchemaCompiler::CheckExclusive(const std::vector<ExclusivePair>& pairs,
                                      const std::vector<bool>& is_productive) const {
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!is_productive[i]) continue;
    return Error{ErrorCode::kUnsupported,
                 fmt::format("the keyword 'oneOf' cannot be enforced: some values match both branch {} and branch {}; "
                             "use 'anyOf', or tell them apart by a required property with a 'const'",
                             pairs[i].first, pairs[i].second),
                 pairs[i].path};
  }
  return {};
}

RuleId SchemaCompiler::RuleFor(const SchemaSet& schemas) {
  std::vector<const Json*> key;
  for (const SchemaRef& schema : schemas) key.push_back(schema.node);
  std::sort(key.begin(), key.end());
  key.erase(std::unique(key.begin(), key.end()), key.end());
  const auto [found, is_new] = known_.emplace(std::move(key), static_cast<RuleId>(grammar_.rules.size()));
  if (is_new) {
    grammar_.AddRule(schemas.empty() ? "any" : schemas[0].path);
    pending_.push_back({found->second, schemas});
  }
  return found->second;
}

Status SchemaCompiler::Define(const PendingRule& pending) {
  RF_ASSIGN_OR_RETURN(const std::vector<Shape> shapes, reader_.Read(pending.schemas));
  std::vector<ExprId> alternatives;
  for (const Shape& shape : shapes) {
    RF_ASSIGN_OR_RETURN(const ExprId expr, OfShape(shape));
    alternatives.push_back(expr);
  }
  grammar_.rules[pending.rule].body = grammar_.Alt(std::move(alternatives));
  return {};
}

Result<ExprId> SchemaCompiler::OfShape(const Shape& shape) {
  if (shape.values) return OfValues(shape);
  const bool has_keywords = shape.HasStringKeywords() || shape.HasNumberKeywords() || shape.HasContainerKeywords();
  if (shape.types == kAllTypes && !has_keywords) return grammar_.Call(AnyValueRule());
  std::vector<ExprId> alternatives;
  const auto add = [&](Result<ExprId> expr) -> Status {
    if (!expr) return std::move(expr).error();
    alternatives.push_back(*expr);
    return {};
  };
  if ((shape.types & kNull) != 0) alternatives.push_back(grammar_.Literal("null"));
  if ((shape.types & kBoolean) != 0) {
    alternatives.push_back(grammar_.Alt({grammar_.Literal("true"), grammar_.Literal("false")}));
  }
  if ((shape.types & (kNumber | kInteger)) != 0) RF_RETURN_IF_ERROR(add(Number(shape)));
  if ((shape.types & kString) != 0) RF_RETURN_IF_ERROR(add(String(shape)));
  if ((shape.types & kArray) != 0) RF_RETURN_IF_ERROR(add(Array(shape)));
  if ((shape.types & kObject) != 0) RF_RETURN_IF_ERROR(add(Object(shape)));
  return grammar_.Alt(std::move(alternatives));
}

Result<ExprId> SchemaCompiler::OfValues(const Shape& shape) {
  std::vector<ExprId> alternatives;
  for (const Json* value : *shape.values) {
    RF_ASSIGN_OR_RETURN(const bool fits, Fits(*value, shape));
    if (fits) alternatives.push_back(Written(Spell(*value)));
  }
  return grammar_.Alt(std::move(alternatives));
}

// `text` is compact JSON; where serializers put white space it may be.
ExprId SchemaCompiler::Written(const std::string& text) {
  std::vector<ExprId> parts;
  std::string literal;
  const auto blank = [&](ExprId space) {
    parts.push_back(grammar_.Literal(literal));
    parts.push_back(space);
    literal.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_empty = i > 0 && (text[i - 1] == '{' || text[i - 1] == '[');
    if ((c == '}' || c == ']') && !is_empty) blank(Space());
    literal.push_back(c);
    if (c == '{' || c == '[' || c == ',') blank(Space());
    if (c == ':') blank(grammar_.Optional(grammar_.Literal(" ")));
    if (c != '"') continue;
    for (++i; text[i] != '"'; ++i) {
      literal.push_back(text[i]);
      if (text[i] == '\\') literal.push_back(text[++i]);
    }
    literal.push_back('"');
  }
  parts.push_back(grammar_.Literal(literal));
  return grammar_.Seq(std::move(parts));
}

Result<bool> SchemaCompiler::Fits(const Json& value, const Shape& shape) {
  const uint8_t type = TypeOf(value);
  if ((type & shape.types) == 0) return false;
  if (value.is_string() && shape.HasStringKeywords()) {
    RF_ASSIGN_OR_RETURN(const Dfa machine, StringMachine(shape));
    const std::string text = Spell(value);
    return Accepts(machine, std::string_view(text).substr(1, text.size() - 2));
  }
  if (value.is_number() && shape.HasNumberKeywords()) {
    RF_ASSIGN_OR_RETURN(const Dfa machine, NumberMachine(shape));
    return Accepts(machine, Spell(value));
  }
  if (value.is_structured() && shape.HasContainerKeywords()) {
    return Error{ErrorCode::kUnsupported,
                 "lists and objects here cannot be combined with other keywords about lists and objects",
                 shape.values_path};
  }
  return true;
}

}  // namespace rf::grammar
