// Writes a JSON schema's grammar: one rule for each set of schemas that must hold together.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/grammar/automaton.h"
#include "text/grammar/build.h"
#include "text/grammar/expr.h"
#include "text/grammar/schema_shape.h"

namespace rf::grammar {

class SchemaCompiler {
 public:
  /// REQUIRES: the document outlives this.
  explicit SchemaCompiler(const Json& document) : reader_(document), document_(document) {}

  Result<std::shared_ptr<const Automaton>> Run();

 private:
  struct PendingRule {
    RuleId rule;
    SchemaSet schemas;
  };
  /// What may follow the declared properties.
  struct OtherKeys {
    ExprId key;
    RuleId value;
  };
  struct Property {
    std::string name;
    SchemaSet schemas;
    bool is_required = false;
  };
  struct KeyPattern {
    std::string text;
    std::string path;
    Dfa keys;
    std::vector<std::pair<size_t, const Json*>> schemas;  ///< (place in Shape::objects, schema)
  };

  // schema.cc
  RuleId RuleFor(const SchemaSet& schemas);
  Status Define(const PendingRule& pending);
  Result<ExprId> OfShape(const Shape& shape);
  Result<ExprId> OfValues(const Shape& shape);
  ExprId Written(const std::string& text);
  Result<bool> Fits(const Json& value, const Shape& shape);
  Status CheckExclusive(const std::vector<ExclusivePair>& pairs, const std::vector<bool>& is_productive) const;

  // schema_scalars.cc
  Result<ExprId> Number(const Shape& shape);
  Result<ExprId> String(const Shape& shape);
  Result<Dfa> NumberMachine(const Shape& shape);
  /// What stands between a string's quotes, with patterns and formats.
  Result<Dfa> StringMachine(const Shape& shape);
  ExprId NumberForm(bool is_integer, bool has_exponent, uint32_t n_digits);
  ExprId StringUnit();
  ExprId Space();
  RuleId StringRule();
  RuleId AnyNumberRule(bool is_integer);
  RuleId AnyValueRule();
  RuleId AnyObjectRule();
  RuleId AnyArrayRule();

  // schema_containers.cc
  Result<ExprId> Array(const Shape& shape);
  Result<ExprId> Object(const Shape& shape);
  SchemaSet ItemsAt(const Shape& shape, size_t index) const;
  Result<std::vector<Property>> PropertiesOf(const Shape& shape, const std::vector<KeyPattern>& patterns);
  Result<std::vector<KeyPattern>> PatternsOf(const Shape& shape);
  Result<std::vector<OtherKeys>> OtherKeysOf(const Shape& shape, const std::vector<Property>& properties,
                                             const std::vector<KeyPattern>& patterns);
  Result<std::optional<Dfa>> KeyNames(const Shape& shape);
  Result<ExprId> ObjectPath(const Shape& shape, const std::vector<Property>& properties,
                            const std::vector<OtherKeys>& others);

  ShapeReader reader_;
  const Json& document_;
  Grammar grammar_;
  Budget budget_;
  MachineBuilder machines_{grammar_, budget_};
  std::map<std::vector<const Json*>, RuleId> known_;
  std::vector<PendingRule> pending_;
  std::map<std::string, ExprId> shared_exprs_;
  std::map<std::string, RuleId> shared_rules_;
};

/// The result, or its error at `path` if it has no place of its own.
template <typename T>
Result<T> At(const std::string& path, Result<T> result) {
  if (!result && result.error().where.empty()) result.error().where = path;
  return result;
}

/// As At(), for a part of what stands there (a column of a pattern): "path, where".
template <typename T>
Result<T> Inside(const std::string& path, Result<T> result) {
  if (!result) result.error().where = result.error().where.empty() ? path : path + ", " + result.error().where;
  return result;
}

/// The pattern of a format (ECMA-262, anchored); null if it is not known.
const char* FormatPattern(const std::string& name);

}  // namespace rf::grammar
