// Arrays and objects.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/limits.h"
#include "text/grammar/regex.h"
#include "text/grammar/schema_compiler.h"

namespace rf::grammar {
namespace {

constexpr size_t kMaxNodes = 50'000;  // of an object's counted properties

// A name as it stands between a document's quotes.
std::string Inner(const std::string& name) {
  const std::string text = Json(name).dump();
  return text.substr(1, text.size() - 2);
}

}  // namespace

SchemaSet SchemaCompiler::ItemsAt(const Shape& shape, size_t index) const {
  SchemaSet schemas;
  for (const ArrayKeywords& keywords : shape.arrays) {
    const size_t n_prefix = keywords.prefix == nullptr ? 0 : keywords.prefix->size();
    if (index < n_prefix) {
      const std::string path = ChildPath(keywords.path, "prefixItems");
      schemas.push_back({&(*keywords.prefix)[index], ChildPath(path, fmt::to_string(index))});
    } else if (keywords.items != nullptr) {
      schemas.push_back({keywords.items, ChildPath(keywords.path, "items")});
    }
  }
  return schemas;
}

Result<ExprId> SchemaCompiler::Array(const Shape& shape) {
  if (shape.arrays.empty() && shape.min_items == 0 && shape.max_items == kNoMaximum) {
    return grammar_.Call(AnyArrayRule());
  }
  size_t n_prefix = 0;
  bool has_items = false;
  for (const ArrayKeywords& keywords : shape.arrays) {
    n_prefix = std::max(n_prefix, keywords.prefix == nullptr ? 0 : keywords.prefix->size());
    has_items = has_items || keywords.items != nullptr;
  }
  uint64_t max = shape.max_items;
  // Who lists the first items and says nothing of others wants no others.
  if (n_prefix > 0 && !has_items) max = std::min(max, std::max<uint64_t>(n_prefix, shape.min_items));
  if (max < shape.min_items) return grammar_.Never();
  const size_t n_chain = max == kNoMaximum ? std::max<size_t>({n_prefix + 1, shape.min_items, 1}) : max;
  Graph graph;  // node 2 + i: behind i items
  graph.n_nodes = static_cast<uint32_t>(3 + n_chain);
  graph.edges.push_back({0, 2, grammar_.Seq({grammar_.Literal("["), Space()})});
  const auto item = [&](size_t index) { return grammar_.Call(RuleFor(ItemsAt(shape, index))); };
  const auto next_item = [&](size_t index) { return grammar_.Seq({grammar_.Literal(","), Space(), item(index)}); };
  for (uint32_t i = 0; i < n_chain; ++i) graph.edges.push_back({2 + i, 3 + i, i == 0 ? item(i) : next_item(i)});
  const auto last = static_cast<uint32_t>(2 + n_chain);
  if (max == kNoMaximum) graph.edges.push_back({last, last, next_item(n_chain)});
  for (uint32_t i = static_cast<uint32_t>(shape.min_items); i <= n_chain; ++i) {
    const ExprId end = grammar_.Literal("]");
    graph.edges.push_back({2 + i, 1, i == 0 ? end : grammar_.Seq({Space(), end})});
  }
  return grammar_.Path(std::move(graph));
}

Result<std::vector<SchemaCompiler::KeyPattern>> SchemaCompiler::PatternsOf(const Shape& shape) {
  std::vector<KeyPattern> patterns;
  for (size_t i = 0; i < shape.objects.size(); ++i) {
    if (shape.objects[i].pattern_properties == nullptr) continue;
    for (const auto& [text, schema] : shape.objects[i].pattern_properties->items()) {
      const auto same = std::find_if(patterns.begin(), patterns.end(),
                                     [text = &text](const KeyPattern& pattern) { return pattern.text == *text; });
      if (same != patterns.end()) {
        same->schemas.emplace_back(i, &schema);
        continue;
      }
      const std::string path = ChildPath(ChildPath(shape.objects[i].path, "patternProperties"), text);
      RF_ASSIGN_OR_RETURN(const ExprId expr, Inside(path, ParseRegex(text, RegexStyle::kJsonString, grammar_)));
      RF_ASSIGN_OR_RETURN(Dfa keys, At(path, machines_.BuildRegular(expr)));
      for (const KeyPattern& other : patterns) {
        RF_ASSIGN_OR_RETURN(const Dfa both, At(path, Intersect(keys, other.keys, budget_)));
        if (IsEmpty(both)) continue;
        return Error{ErrorCode::kUnsupported, "patternProperties that match the same name cannot be enforced", path};
      }
      patterns.push_back({text, path, std::move(keys), {{i, &schema}}});
    }
  }
  return patterns;
}

// Every name that is declared or required, in the order in which they first come up.
Result<std::vector<SchemaCompiler::Property>> SchemaCompiler::PropertiesOf(const Shape& shape,
                                                                           const std::vector<KeyPattern>& patterns) {
  std::vector<std::unordered_map<std::string, const Json*>> declared(shape.objects.size());
  std::unordered_map<std::string, size_t> places;
  std::vector<Property> properties;
  const auto place_of = [&](const std::string& name) {
    const auto [found, is_new] = places.emplace(name, properties.size());
    if (is_new) properties.push_back({name, {}, false});
    return found->second;
  };
  for (size_t i = 0; i < shape.objects.size(); ++i) {
    if (shape.objects[i].properties == nullptr) continue;
    for (const auto& [name, schema] : shape.objects[i].properties->items()) {
      declared[i].emplace(name, &schema);
      place_of(name);
    }
  }
  for (const PlacedText& name : shape.required) properties[place_of(name.text)].is_required = true;
  for (Property& property : properties) {
    const std::string inner = Inner(property.name);
    for (size_t i = 0; i < shape.objects.size(); ++i) {
      const ObjectKeywords& keywords = shape.objects[i];
      const auto own = declared[i].find(property.name);
      bool is_named = own != declared[i].end();
      if (is_named) {
        property.schemas.push_back({own->second, ChildPath(ChildPath(keywords.path, "properties"), property.name)});
      }
      for (const KeyPattern& pattern : patterns) {
        if (!Accepts(pattern.keys, inner)) continue;
        for (const auto& [place, schema] : pattern.schemas) {
          if (place != i) continue;
          is_named = true;
          property.schemas.push_back({schema, pattern.path});
        }
      }
      if (!is_named && keywords.additional != nullptr) {
        property.schemas.push_back({keywords.additional, ChildPath(keywords.path, "additionalProperties")});
      }
    }
  }
  return properties;
}

// The names that propertyNames allows.
Result<std::optional<Dfa>> SchemaCompiler::KeyNames(const Shape& shape) {
  if (shape.property_names.empty()) return std::optional<Dfa>();
  RF_ASSIGN_OR_RETURN(const std::vector<Shape> shapes, reader_.Read(shape.property_names));
  std::vector<ExprId> alternatives;
  for (const Shape& names : shapes) {
    if ((names.types & kString) == 0) continue;
    if (!names.values) {
      RF_ASSIGN_OR_RETURN(Dfa machine, StringMachine(names));
      alternatives.push_back(grammar_.Machine(std::make_shared<Dfa>(std::move(machine))));
      continue;
    }
    for (const Json* value : *names.values) {
      RF_ASSIGN_OR_RETURN(const bool fits, Fits(*value, names));
      if (fits && value->is_string()) {
        alternatives.push_back(grammar_.Literal(Inner(value->get_ref<const std::string&>())));
      }
    }
  }
  const std::string& path = shape.property_names[0].path;
  RF_ASSIGN_OR_RETURN(Dfa names, At(path, machines_.BuildRegular(grammar_.Alt(std::move(alternatives)))));
  return std::optional<Dfa>(std::move(names));
}

Result<std::vector<SchemaCompiler::OtherKeys>> SchemaCompiler::OtherKeysOf(const Shape& shape,
                                                                           const std::vector<Property>& properties,
                                                                           const std::vector<KeyPattern>& patterns) {
  std::vector<ExprId> names;
  for (const Property& property : properties) names.push_back(grammar_.Literal(Inner(property.name)));
  RF_ASSIGN_OR_RETURN(const Dfa declared, At(shape.path, machines_.BuildRegular(grammar_.Alt(std::move(names)))));
  const ExprId any = grammar_.Star(CharsIn(RegexStyle::kJsonString, CodePointSet::All(), grammar_));
  RF_ASSIGN_OR_RETURN(Dfa rest, machines_.BuildRegular(any));
  RF_ASSIGN_OR_RETURN(const std::optional<Dfa> allowed, KeyNames(shape));
  if (allowed) {
    RF_ASSIGN_OR_RETURN(rest, At(shape.path, Intersect(rest, *allowed, budget_)));
  }
  RF_ASSIGN_OR_RETURN(rest, At(shape.path, Subtract(rest, declared, budget_)));
  // What other schemas of the set say about names that only one of them has a pattern for.
  const auto additional = [&](const KeyPattern* pattern) {
    SchemaSet schemas;
    for (size_t i = 0; i < shape.objects.size(); ++i) {
      bool is_matched = false;
      for (const auto& [place, schema] :
           pattern == nullptr ? std::vector<std::pair<size_t, const Json*>>() : pattern->schemas) {
        if (place != i) continue;
        schemas.push_back({schema, pattern->path});
        is_matched = true;
      }
      const ObjectKeywords& keywords = shape.objects[i];
      if (is_matched || keywords.additional == nullptr) continue;
      schemas.push_back({keywords.additional, ChildPath(keywords.path, "additionalProperties")});
    }
    return schemas;
  };
  std::vector<OtherKeys> others;
  const auto add = [&](Dfa keys, const SchemaSet& schemas) {
    if (IsEmpty(keys)) return;
    const ExprId quote = grammar_.Literal("\"");
    const RuleId key_rule =
        grammar_.AddRule("key", grammar_.Seq({quote, grammar_.Machine(std::make_shared<Dfa>(std::move(keys))), quote}));
    others.push_back({grammar_.Call(key_rule), RuleFor(schemas)});
  };
  for (const KeyPattern& pattern : patterns) {
    RF_ASSIGN_OR_RETURN(Dfa keys, At(pattern.path, Intersect(rest, pattern.keys, budget_)));
    RF_ASSIGN_OR_RETURN(rest, At(pattern.path, Subtract(rest, pattern.keys, budget_)));
    add(std::move(keys), additional(&pattern));
  }
  // Who declares properties and says nothing of others wants no others.
  const bool is_closed = std::any_of(shape.objects.begin(), shape.objects.end(),
                                     [](const ObjectKeywords& keywords) {
                                       return keywords.properties != nullptr || keywords.pattern_properties != nullptr;
                                     }) &&
                         std::all_of(shape.objects.begin(), shape.objects.end(),
                                     [](const ObjectKeywords& keywords) { return keywords.additional == nullptr; });
  if (!is_closed) add(std::move(rest), additional(nullptr));
  return others;
}

Result<ExprId> SchemaCompiler::Object(const Shape& shape) {
  const bool has_counts = shape.min_properties > 0 || shape.max_properties != kNoMaximum;
  if (shape.objects.empty() && shape.required.empty() && shape.property_names.empty() && !has_counts) {
    return grammar_.Call(AnyObjectRule());
  }
  RF_ASSIGN_OR_RETURN(const std::vector<KeyPattern> patterns, PatternsOf(shape));
  RF_ASSIGN_OR_RETURN(std::vector<Property> properties, PropertiesOf(shape, patterns));
  RF_ASSIGN_OR_RETURN(const std::optional<Dfa> names, KeyNames(shape));
  const auto is_forbidden = [&](const Property& property) { return names && !Accepts(*names, Inner(property.name)); };
  for (const Property& property : properties) {
    if (property.is_required && is_forbidden(property)) return grammar_.Never();
  }
  RF_ASSIGN_OR_RETURN(const std::vector<OtherKeys> others, OtherKeysOf(shape, properties, patterns));
  std::erase_if(properties, is_forbidden);
  return ObjectPath(shape, properties, others);
}

// Properties in order, optional ones left out or not, then others; how many there were is counted as far as it matters.
Result<ExprId> SchemaCompiler::ObjectPath(const Shape& shape, const std::vector<Property>& properties,
                                          const std::vector<OtherKeys>& others) {
  const size_t n = properties.size();
  const uint64_t max = others.empty() ? std::min<uint64_t>(shape.max_properties, n) : shape.max_properties;
  if (max < shape.min_properties) return grammar_.Never();
  // Without an upper bound that matters, more than the lower one (or one, for the commas) are as good as that.
  const bool is_bounded = max != kNoMaximum && !(others.empty() && max == n);
  const uint64_t cap = is_bounded ? max : std::max<uint64_t>(shape.min_properties, 1);
  if ((n + 1) * (cap + 1) > kMaxNodes) {
    return BadSchema("too many properties to count with minProperties and maxProperties", shape.path);
  }
  Graph graph;
  graph.n_nodes = static_cast<uint32_t>(2 + (n + 1) * (cap + 1));
  const auto node = [&](size_t i, uint64_t count) { return static_cast<uint32_t>(2 + i * (cap + 1) + count); };
  const ExprId comma = grammar_.Seq({grammar_.Literal(","), Space()});
  const ExprId blank = grammar_.Optional(grammar_.Literal(" "));
  const auto add_pair = [&](size_t from, size_t to, ExprId pair) {
    for (uint64_t count = 0; count <= cap; ++count) {
      if (is_bounded && count == cap) continue;
      graph.edges.push_back(
          {node(from, count), node(to, std::min(count + 1, cap)), count == 0 ? pair : grammar_.Seq({comma, pair})});
    }
  };
  graph.edges.push_back({0, node(0, 0), grammar_.Seq({grammar_.Literal("{"), Space()})});
  for (size_t i = 0; i < n; ++i) {
    const ExprId name = grammar_.Literal(Json(properties[i].name).dump() + ":");
    add_pair(i, i + 1, grammar_.Seq({name, blank, grammar_.Call(RuleFor(properties[i].schemas))}));
    for (uint64_t count = 0; count <= cap && !properties[i].is_required; ++count) {
      graph.edges.push_back({node(i, count), node(i + 1, count), grammar_.Empty()});
    }
  }
  for (const OtherKeys& other : others) {
    add_pair(n, n, grammar_.Seq({other.key, grammar_.Literal(":"), blank, grammar_.Call(other.value)}));
  }
  for (uint64_t count = std::min(shape.min_properties, cap); count <= cap; ++count) {
    const ExprId end = grammar_.Literal("}");
    graph.edges.push_back({node(n, count), 1, count == 0 ? end : grammar_.Seq({Space(), end})});
  }
  return grammar_.Path(std::move(graph));
}

}  // namespace rf::grammar
