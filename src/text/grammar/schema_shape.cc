#include "text/grammar/schema_shape.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/limits.h"

namespace rf::grammar {
namespace {

constexpr size_t kMaxCombinations = 2'000;  // of anyOf and oneOf branches that hold together
constexpr size_t kMaxExclusive = 40;        // branches of a oneOf

Error Unsupported(std::string message, const std::string& path) {
  return {ErrorCode::kUnsupported, std::move(message), path};
}

Result<uint64_t> Count(const Json& value, const std::string& path) {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (value.is_number_float() && value.get<double>() >= 0 && value.get<double>() < 1e15 &&
      value.get<double>() == static_cast<double>(static_cast<uint64_t>(value.get<double>()))) {
    return static_cast<uint64_t>(value.get<double>());
  }
  if (value.is_number_float() && value.get<double>() >= 1e15) return uint64_t{1} << 60;  // over every limit
  return BadSchema("must be a whole number that is not negative", path);
}

Status RaiseTo(uint64_t& bound, const Json& value, const std::string& path) {
  RF_ASSIGN_OR_RETURN(const uint64_t count, Count(value, path));
  bound = std::max(bound, count);
  return {};
}

Status LowerTo(uint64_t& bound, const Json& value, const std::string& path) {
  RF_ASSIGN_OR_RETURN(const uint64_t count, Count(value, path));
  bound = std::min(bound, count);
  return {};
}

uint8_t TypeNamed(const std::string& name) {
  if (name == "null") return kNull;
  if (name == "boolean") return kBoolean;
  if (name == "integer") return kInteger;
  if (name == "number") return kNumber | kInteger;
  if (name == "string") return kString;
  if (name == "array") return kArray;
  return name == "object" ? kObject : 0;
}

// "%41" becomes "A"; "~1" becomes "/" and "~0" "~".
std::string DecodeStep(std::string_view step) {
  std::string decoded;
  for (size_t i = 0; i < step.size(); ++i) {
    const auto hex = [&](size_t at) {
      return at < step.size() ? std::string_view("0123456789abcdef").find(static_cast<char>(step[at] | 0x20))
                              : std::string_view::npos;
    };
    if (step[i] == '%' && hex(i + 1) < 16 && hex(i + 2) < 16) {
      decoded.push_back(static_cast<char>(hex(i + 1) * 16 + hex(i + 2)));
      i += 2;
    } else if (step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1')) {
      decoded.push_back(step[++i] == '0' ? '~' : '/');
    } else {
      decoded.push_back(step[i]);
    }
  }
  return decoded;
}

const Json* Child(const Json& node, const std::string& step) {
  if (node.is_object()) {
    const auto found = node.find(step);
    return found == node.end() ? nullptr : &*found;
  }
  if (!node.is_array() || step.empty() || step.size() > 6) return nullptr;
  size_t index = 0;
  for (const char c : step) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  return index < node.size() ? &node[index] : nullptr;
}

}  // namespace

Error BadSchema(std::string message, const std::string& path) {
  return {ErrorCode::kInvalidArgument, std::move(message), path};
}

std::string ChildPath(const std::string& path, std::string_view step) {
  std::string child = path + "/";
  for (const char c : EscapeForMessage(step, 60)) child += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return child;
}

const std::unordered_map<std::string_view, ShapeReader::Handler>& ShapeReader::Keywords() {
  using R = ShapeReader;
  static const std::unordered_map<std::string_view, Handler> keywords = {{"type", &R::ReadType},
                                                                         {"const", &R::ReadConst},
                                                                         {"enum", &R::ReadEnum},
                                                                         {"allOf", &R::ReadAllOf},
                                                                         {"anyOf", &R::ReadAnyOf},
                                                                         {"oneOf", &R::ReadOneOf},
                                                                         {"$ref", &R::ReadReference},
                                                                         {"minimum", &R::ReadMinimum},
                                                                         {"maximum", &R::ReadMaximum},
                                                                         {"exclusiveMinimum", &R::ReadExclusiveMinimum},
                                                                         {"exclusiveMaximum", &R::ReadExclusiveMaximum},
                                                                         {"multipleOf", &R::ReadMultipleOf},
                                                                         {"minLength", &R::ReadMinLength},
                                                                         {"maxLength", &R::ReadMaxLength},
                                                                         {"pattern", &R::ReadPattern},
                                                                         {"format", &R::ReadFormat},
                                                                         {"minItems", &R::ReadMinItems},
                                                                         {"maxItems", &R::ReadMaxItems},
                                                                         {"uniqueItems", &R::ReadUniqueItems},
                                                                         {"minProperties", &R::ReadMinProperties},
                                                                         {"maxProperties", &R::ReadMaxProperties},
                                                                         {"required", &R::ReadRequired},
                                                                         {"propertyNames", &R::ReadPropertyNames},
                                                                         // Read by AbsorbObject().
                                                                         {"properties", nullptr},
                                                                         {"patternProperties", nullptr},
                                                                         {"additionalProperties", nullptr},
                                                                         {"prefixItems", nullptr},
                                                                         {"items", nullptr},
                                                                         // Annotations.
                                                                         {"title", nullptr},
                                                                         {"description", nullptr},
                                                                         {"default", nullptr},
                                                                         {"example", nullptr},
                                                                         {"examples", nullptr},
                                                                         {"deprecated", nullptr},
                                                                         {"readOnly", nullptr},
                                                                         {"writeOnly", nullptr},
                                                                         {"discriminator", nullptr},
                                                                         {"contentMediaType", nullptr},
                                                                         {"contentEncoding", nullptr},
                                                                         {"contentSchema", nullptr},
                                                                         {"$comment", nullptr},
                                                                         {"$schema", nullptr},
                                                                         {"$id", nullptr},
                                                                         {"$anchor", nullptr},
                                                                         {"$vocabulary", nullptr},
                                                                         {"$defs", nullptr},
                                                                         {"definitions", nullptr}};
  return keywords;
}

Result<std::vector<Shape>> ShapeReader::Read(const SchemaSet& schemas) {
  std::vector<Shape> shapes;
  std::vector<Partial> stack(1);
  stack[0].todo = schemas;
  if (!schemas.empty()) stack[0].shape.path = schemas[0].path;
  for (size_t n_partials = 1; !stack.empty();) {
    Partial partial = std::move(stack.back());
    stack.pop_back();
    while (!partial.todo.empty() && !partial.is_dead) {
      const SchemaRef schema = std::move(partial.todo.back());
      partial.todo.pop_back();
      RF_RETURN_IF_ERROR(Absorb(schema, partial));
    }
    if (partial.is_dead || partial.shape.types == 0) continue;
    if (partial.choices.empty()) {
      shapes.push_back(std::move(partial.shape));
      continue;
    }
    const SchemaSet choice = std::move(partial.choices.back());
    partial.choices.pop_back();
    n_partials += choice.size();
    if (n_partials > kMaxCombinations) {
      return BadSchema(fmt::format("more than {} combinations of alternatives", kMaxCombinations), partial.shape.path);
    }
    for (size_t i = choice.size(); i > 0; --i) {
      stack.push_back(partial);
      stack.back().todo.push_back(choice[i - 1]);
    }
  }
  return shapes;
}

Status ShapeReader::Absorb(const SchemaRef& schema, Partial& partial) {
  if (std::find(partial.seen.begin(), partial.seen.end(), schema.node) != partial.seen.end()) return {};
  partial.seen.push_back(schema.node);
  if (schema.node->is_boolean()) {
    partial.is_dead = partial.is_dead || !schema.node->get<bool>();
    return {};
  }
  if (!schema.node->is_object()) {
    return Unsupported("a list of schemas is of older drafts: write prefixItems", schema.path);
  }
  return AbsorbObject(schema, partial);
}

Status ShapeReader::AbsorbObject(const SchemaRef& schema, Partial& partial) {
  const auto& keywords = Keywords();
  for (const auto& [name, value] : schema.node->items()) {
    const std::string path = ChildPath(schema.path, name);
    const auto known = keywords.find(name);
    if (known == keywords.end()) {
      if (name.compare(0, 2, "x-") == 0) continue;
      return Unsupported(fmt::format("the keyword '{}' cannot be enforced", EscapeForMessage(name, 40)), path);
    }
    if (known->second != nullptr) RF_RETURN_IF_ERROR((this->*known->second)(partial, value, path));
  }
  const auto find = [&](const char* name) -> const Json* {
    const auto found = schema.node->find(name);
    return found == schema.node->end() ? nullptr : &*found;
  };
  ObjectKeywords object{find("properties"), find("patternProperties"), find("additionalProperties"), schema.path};
  const bool says_something = object.properties != nullptr || object.pattern_properties != nullptr;
  if (says_something || object.additional != nullptr) partial.shape.objects.push_back(std::move(object));
  ArrayKeywords array{find("prefixItems"), find("items"), schema.path};
  if (array.prefix != nullptr || array.items != nullptr) partial.shape.arrays.push_back(std::move(array));
  return {};
}

Status ShapeReader::CheckKeyword(const std::string& name, const Json& value) {
  const auto known = Keywords().find(name);
  if (known == Keywords().end() || known->second == nullptr) return {};
  Partial partial;
  return (this->*known->second)(partial, value, "");
}

Status ShapeReader::ReadType(Partial& partial, const Json& value, const std::string& path) {
  const Json list = value.is_array() ? value : Json::array({value});
  uint8_t types = 0;
  for (const Json& name : list) {
    const uint8_t type = name.is_string() ? TypeNamed(name.get_ref<const std::string&>()) : uint8_t{0};
    if (type == 0) {
      return BadSchema("must be null, boolean, integer, number, string, array, object, or a list of those", path);
    }
    types |= type;
  }
  partial.shape.types &= types;
  return {};
}

Status ShapeReader::ReadConst(Partial& partial, const Json& value, const std::string& path) {
  auto& values = partial.shape.values;
  partial.shape.values_path = path;
  if (!values) {
    values.emplace({&value});
  } else {
    std::erase_if(*values, [&](const Json* other) { return *other != value; });
  }
  return {};
}

Status ShapeReader::ReadEnum(Partial& partial, const Json& value, const std::string& path) {
  if (!value.is_array()) return BadSchema("must be a list of values", path);
  auto& values = partial.shape.values;
  partial.shape.values_path = path;
  if (values) {
    std::erase_if(*values,
                  [&](const Json* other) { return std::find(value.begin(), value.end(), *other) == value.end(); });
    return {};
  }
  values.emplace();
  for (const Json& item : value) values->push_back(&item);
  return {};
}

Status ShapeReader::ReadAllOf(Partial& partial, const Json& value, const std::string& path) {
  // Taken from the back: the first one's properties come first.
  for (size_t i = value.size(); i > 0; --i)
    partial.todo.push_back({&value[i - 1], ChildPath(path, fmt::to_string(i - 1))});
  return {};
}

Status ShapeReader::ReadAnyOf(Partial& partial, const Json& value, const std::string& path) {
  SchemaSet choice;
  for (size_t i = 0; i < value.size(); ++i) choice.push_back({&value[i], ChildPath(path, fmt::to_string(i))});
  partial.choices.push_back(std::move(choice));
  return {};
}

Status ShapeReader::ReadOneOf(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(ReadAnyOf(partial, value, path));
  if (std::find(paired_.begin(), paired_.end(), &value) != paired_.end()) return {};
  paired_.push_back(&value);
  const SchemaSet& branches = partial.choices.back();
  if (branches.size() > kMaxExclusive) {
    return BadSchema(
        fmt::format("has {} branches, at most {} can be told apart; use anyOf", branches.size(), kMaxExclusive), path);
  }
  for (size_t i = 0; i < branches.size(); ++i) {
    for (size_t k = i + 1; k < branches.size(); ++k) pairs_.push_back({{branches[i], branches[k]}, path, i, k});
  }
  return {};
}

Status ShapeReader::ReadReference(Partial& partial, const Json& value, const std::string& path) {
  RF_ASSIGN_OR_RETURN(SchemaRef target, Resolve(value.get_ref<const std::string&>(), path));
  partial.todo.push_back(std::move(target));
  return {};
}

Result<SchemaRef> ShapeReader::Resolve(const std::string& reference, const std::string& path) {
  const auto known = resolved_.find(reference);
  if (known != resolved_.end()) return known->second;
  auto target = Find(reference, path);
  if (target) resolved_.emplace(reference, *target);
  return target;
}

Result<SchemaRef> ShapeReader::Find(const std::string& reference, const std::string& path) {
  const std::string shown = EscapeForMessage(reference, 80);
  std::string_view rest = reference;
  const auto id = document_.is_object() ? document_.find("$id") : document_.end();
  if (document_.is_object() && id != document_.end() && id->is_string()) {
    const auto& own = id->get_ref<const std::string&>();
    if (!own.empty() && rest.substr(0, own.size()) == own) rest.remove_prefix(own.size());
  }
  if (rest.empty()) return SchemaRef{&document_, "#"};
  if (rest[0] != '#') return Unsupported(fmt::format("'{}' lies outside this document", shown), path);
  rest.remove_prefix(1);
  if (rest.empty()) return SchemaRef{&document_, "#"};
  if (rest[0] != '/') return FindAnchor(std::string(rest), path);
  SchemaRef target{&document_, "#"};
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const size_t length = std::min(rest.find('/'), rest.size());
    const std::string step = DecodeStep(rest.substr(0, length));
    target.node = Child(*target.node, step);
    if (target.node == nullptr) return BadSchema(fmt::format("'{}' does not exist in this document", shown), path);
    target.path = ChildPath(target.path, step);
    rest.remove_prefix(length);
  }
  return target;
}

Result<SchemaRef> ShapeReader::FindAnchor(const std::string& name, const std::string& path) {
  const std::string shown = EscapeForMessage(name, 60);
  if (!anchors_) {
    anchors_.emplace();
    std::vector<const Json*> todo = {&document_};
    while (!todo.empty()) {
      const Json& node = *todo.back();
      todo.pop_back();
      if (!node.is_structured()) continue;
      const auto anchor = node.is_object() ? node.find("$anchor") : node.end();
      if (anchor != node.end() && anchor->is_string()) anchors_->emplace(anchor->get_ref<const std::string&>(), &node);
      for (const Json& child : node) todo.push_back(&child);
    }
  }
  const auto found = anchors_->find(name);
  if (found == anchors_->end()) return BadSchema(fmt::format("there is no '$anchor' named '{}'", shown), path);
  return SchemaRef{found->second, fmt::format("#{}", shown)};
}

Status ShapeReader::ReadMinimum(Partial& partial, const Json& value, const std::string& path) {
  if (!value.is_number()) return BadSchema("must be a number", path);
  partial.shape.minima.push_back({&value, false, path});
  return {};
}

Status ShapeReader::ReadMaximum(Partial& partial, const Json& value, const std::string& path) {
  if (!value.is_number()) return BadSchema("must be a number", path);
  partial.shape.maxima.push_back({&value, false, path});
  return {};
}

Status ShapeReader::ReadExclusiveMinimum(Partial& partial, const Json& value, const std::string& path) {
  if (value.is_boolean()) return Unsupported("true and false are of draft 4: write the number here", path);
  if (!value.is_number()) return BadSchema("must be a number", path);
  partial.shape.minima.push_back({&value, true, path});
  return {};
}

Status ShapeReader::ReadExclusiveMaximum(Partial& partial, const Json& value, const std::string& path) {
  if (value.is_boolean()) return Unsupported("true and false are of draft 4: write the number here", path);
  if (!value.is_number()) return BadSchema("must be a number", path);
  partial.shape.maxima.push_back({&value, true, path});
  return {};
}

Status ShapeReader::ReadMultipleOf(Partial& partial, const Json& value, const std::string& path) {
  if (!value.is_number() || !(value.get<double>() > 0)) return BadSchema("must be a number above 0", path);
  partial.shape.multiples.push_back({value.dump(), path});
  return {};
}

Status ShapeReader::ReadMinLength(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(RaiseTo(partial.shape.min_length, value, path));
  if (partial.shape.min_length <= kMaxCounted) return {};
  return Unsupported(fmt::format("is over {}", kMaxCounted), path);
}

Status ShapeReader::ReadMaxLength(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(LowerTo(partial.shape.max_length, value, path));
  if (partial.shape.max_length <= kMaxCounted) return {};
  return Unsupported(fmt::format("is over {}", kMaxCounted), path);
}

Status ShapeReader::ReadPattern(Partial& partial, const Json& value, const std::string& path) {
  if (!value.is_string()) return BadSchema("must be a string", path);
  partial.shape.patterns.push_back({value.get<std::string>(), path});
  return {};
}

Status ShapeReader::ReadFormat(Partial& partial, const Json& value, const std::string& path) {
  if (!value.is_string()) return BadSchema("must be a string", path);
  partial.shape.formats.push_back({value.get<std::string>(), path});
  return {};
}

Status ShapeReader::ReadMinItems(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(RaiseTo(partial.shape.min_items, value, path));
  if (partial.shape.min_items <= kMaxRepetition) return {};
  return Unsupported(fmt::format("is over {}", kMaxRepetition), path);
}

Status ShapeReader::ReadMaxItems(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(LowerTo(partial.shape.max_items, value, path));
  if (partial.shape.max_items <= kMaxRepetition) return {};
  return Unsupported(fmt::format("is over {}", kMaxRepetition), path);
}

Status ShapeReader::ReadUniqueItems(Partial&, const Json& value, const std::string& path) {
  if (!value.is_boolean()) return BadSchema("must be true or false", path);
  if (!value.get<bool>()) return {};
  return Unsupported("the keyword 'uniqueItems' cannot be enforced", path);
}

Status ShapeReader::ReadMinProperties(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(RaiseTo(partial.shape.min_properties, value, path));
  if (partial.shape.min_properties <= kMaxRepetition) return {};
  return Unsupported(fmt::format("is over {}", kMaxRepetition), path);
}

Status ShapeReader::ReadMaxProperties(Partial& partial, const Json& value, const std::string& path) {
  RF_RETURN_IF_ERROR(LowerTo(partial.shape.max_properties, value, path));
  if (partial.shape.max_properties <= kMaxRepetition) return {};
  return Unsupported(fmt::format("is over {}", kMaxRepetition), path);
}

Status ShapeReader::ReadRequired(Partial& partial, const Json& value, const std::string& path) {
  const bool is_list =
      value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
  if (!is_list) return BadSchema("must be a list of strings", path);
  for (const Json& name : value) partial.shape.required.push_back({name.get<std::string>(), path});
  return {};
}

Status ShapeReader::ReadPropertyNames(Partial& partial, const Json& value, const std::string& path) {
  partial.shape.property_names.push_back({&value, path});
  return {};
}

}  // namespace rf::grammar
