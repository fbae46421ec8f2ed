#include "text/grammar/schema_check.h"

#include <optional>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/regex.h"
#include "text/grammar/schema_compiler.h"

namespace rf::grammar {
namespace {

enum class Holds : uint8_t {
  kSchema,
  kSchemas,       ///< a list
  kSomeSchemas,   ///< a list that is not empty
  kNamedSchemas,  ///< an object of schemas
  kItems,         ///< a schema; before draft 2020 also a list of them
  kDependencies,  ///< an object of schemas and, before draft 2019, of lists of names
};

struct SubschemaKeyword {
  Holds holds;
  bool is_in_place;  ///< about the same value, not a part of it
};

std::optional<SubschemaKeyword> SubschemasOf(std::string_view keyword) {
  static const std::unordered_map<std::string_view, SubschemaKeyword> keywords = {
      {"allOf", {Holds::kSchemas, true}},
      {"anyOf", {Holds::kSomeSchemas, true}},
      {"oneOf", {Holds::kSomeSchemas, true}},
      {"not", {Holds::kSchema, true}},
      {"if", {Holds::kSchema, true}},
      {"then", {Holds::kSchema, true}},
      {"else", {Holds::kSchema, true}},
      {"dependentSchemas", {Holds::kNamedSchemas, true}},
      {"dependencies", {Holds::kDependencies, true}},
      {"properties", {Holds::kNamedSchemas, false}},
      {"patternProperties", {Holds::kNamedSchemas, false}},
      {"additionalProperties", {Holds::kSchema, false}},
      {"unevaluatedProperties", {Holds::kSchema, false}},
      {"propertyNames", {Holds::kSchema, false}},
      {"items", {Holds::kItems, false}},
      {"prefixItems", {Holds::kSchemas, false}},
      {"additionalItems", {Holds::kSchema, false}},
      {"unevaluatedItems", {Holds::kSchema, false}},
      {"contains", {Holds::kSchema, false}}};
  const auto found = keywords.find(keyword);
  return found == keywords.end() ? std::nullopt : std::optional(found->second);
}

// Depth first along the keywords that are about the same value, so that a schema that is met again while it is still
// open is a cycle; what is about parts of the value waits in a list.
class SchemaChecker {
 public:
  SchemaChecker(const Json& document, int64_t& steps) : document_(document), reader_(document), steps_(steps) {}

  Status Run() {
    todo_.push_back(Add({&document_, 0, "", {}, kNoIndex, "#"}));
    while (!todo_.empty()) {
      const PlaceId next = todo_.back();
      todo_.pop_back();
      if (!states_.contains(places_[next].schema)) RF_RETURN_IF_ERROR(Walk(next));
    }
    return {};
  }

 private:
  using PlaceId = uint32_t;
  enum class State : uint8_t { kOpen, kDone };
  static constexpr size_t kNoIndex = ~size_t{0};

  // A schema and how it was come by. Its JSON pointer is written only for messages.
  struct Place {
    const Json* schema;
    PlaceId parent;
    const char* keyword;
    std::optional<std::string_view> name;  ///< inside of the keyword's object
    size_t index = kNoIndex;               ///< inside of its list
    std::string target;                    ///< the pointer, if a reference led here
  };
  struct Frame {
    PlaceId place;
    std::vector<PlaceId> in_place;
    size_t next = 0;
  };

  PlaceId Add(Place place) {
    places_.push_back(std::move(place));
    return static_cast<PlaceId>(places_.size() - 1);
  }

  std::string PathOf(PlaceId id) const {
    std::vector<PlaceId> chain = {id};
    while (places_[chain.back()].target.empty()) chain.push_back(places_[chain.back()].parent);
    std::string path = places_[chain.back()].target;
    for (chain.pop_back(); !chain.empty(); chain.pop_back()) {
      const Place& place = places_[chain.back()];
      path = ChildPath(path, place.keyword);
      if (place.name) path = ChildPath(path, *place.name);
      if (place.index != kNoIndex) path = ChildPath(path, fmt::to_string(place.index));
    }
    return path;
  }

  Status Spend(int64_t steps) {
    steps_ -= steps;
    if (steps_ >= 0) return {};
    return BadSchema(
        fmt::format("too large: over {} keywords, listed values and bytes of patterns in all", kMaxCheckSteps), "#");
  }

  Status Walk(PlaceId start) {
    RF_RETURN_IF_ERROR(Open(start));
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.in_place.size()) {
        states_[places_[frame.place].schema] = State::kDone;
        frames_.pop_back();
        continue;
      }
      const PlaceId next = frame.in_place[frame.next++];
      const auto known = states_.find(places_[next].schema);
      if (known == states_.end()) {
        RF_RETURN_IF_ERROR(Open(next));
      } else if (known->second == State::kOpen) {
        return Cycle(next);
      }
    }
    return {};
  }

  // The last reference on the way round; without one a document, which is a tree, has no circle.
  Error Cycle(PlaceId last) const {
    size_t at = frames_.size();
    for (; places_[last].target.empty() && at > 0; --at) last = frames_[at - 1].place;
    const Place& place = places_[last];
    const std::string path = ChildPath(PathOf(place.parent), "$ref");
    return BadSchema(fmt::format("'{}' leads back to itself without reading a part of the value first", place.target),
                     path);
  }

  Status Open(PlaceId id) {
    const Json& schema = *places_[id].schema;
    states_.emplace(&schema, State::kOpen);
    frames_.push_back({id, {}});
    if (schema.is_boolean()) return {};
    if (!schema.is_object()) return BadSchema("a schema must be an object, true or false", PathOf(id));
    for (const auto& [name, value] : schema.items()) {
      RF_RETURN_IF_ERROR(Spend(1));
      Status status = Keyword(id, name, value);
      if (status || status.error().code == ErrorCode::kUnsupported) continue;
      Error error = std::move(status).error();
      if (error.where.empty() || error.where.front() != '#') {
        const std::string path = ChildPath(PathOf(id), name);
        error.where = error.where.empty() ? path : path + ", " + error.where;
      }
      return error;
    }
    return {};
  }

  // Errors have no place, a JSON pointer or a column.
  Status Keyword(PlaceId id, const std::string& name, const Json& value) {
    if (name == "$ref") return Reference(id, value);
    if (const auto subschemas = SubschemasOf(name)) return Subschemas(id, name.c_str(), value, *subschemas);
    if (value.is_array() && (name == "enum" || name == "required" || name == "type")) {
      RF_RETURN_IF_ERROR(Spend(static_cast<int64_t>(value.size())));
    }
    RF_RETURN_IF_ERROR(reader_.CheckKeyword(name, value));
    return name == "pattern" ? Pattern(value.get_ref<const std::string&>()) : Status();
  }

  Status Pattern(std::string_view pattern) {
    RF_RETURN_IF_ERROR(Spend(static_cast<int64_t>(pattern.size())));
    Grammar scratch;
    auto parsed = ParseRegex(pattern, RegexStyle::kText, scratch);
    return parsed ? Status() : Status(std::move(parsed).error());
  }

  Status Reference(PlaceId id, const Json& value) {
    if (!value.is_string()) return BadSchema("must be a string", "");
    const auto& reference = value.get_ref<const std::string&>();
    RF_RETURN_IF_ERROR(Spend(static_cast<int64_t>(reference.size())));
    RF_ASSIGN_OR_RETURN(SchemaRef target, reader_.Resolve(reference, ""));
    frames_.back().in_place.push_back(Add({target.node, id, "$ref", {}, kNoIndex, std::move(target.path)}));
    return {};
  }

  Status Subschemas(PlaceId id, const char* keyword, const Json& value, SubschemaKeyword kind) {
    RF_RETURN_IF_ERROR(Spend(static_cast<int64_t>(value.size())));
    std::vector<PlaceId>& list = kind.is_in_place ? frames_.back().in_place : todo_;
    const auto add = [&](const Json& schema, std::optional<std::string_view> name, size_t index) {
      list.push_back(Add({&schema, id, keyword, name, index, ""}));
    };
    const bool is_list = value.is_array() && kind.holds == Holds::kItems;
    if (kind.holds == Holds::kSchemas || kind.holds == Holds::kSomeSchemas || is_list) {
      if (!value.is_array()) return BadSchema("must be a list of schemas", "");
      if (value.empty() && kind.holds == Holds::kSomeSchemas) {
        return BadSchema("must be a list of schemas that is not empty", "");
      }
      for (size_t i = 0; i < value.size(); ++i) add(value[i], {}, i);
      return {};
    }
    if (kind.holds == Holds::kSchema || kind.holds == Holds::kItems) {
      add(value, {}, kNoIndex);
      return {};
    }
    if (!value.is_object()) return BadSchema("must be an object", "");
    for (const auto& [name, schema] : value.items()) {
      if (kind.holds == Holds::kDependencies && schema.is_array()) continue;
      add(schema, name, kNoIndex);
    }
    return keyword == std::string_view("patternProperties") ? NamePatterns(id, value) : Status();
  }

  Status NamePatterns(PlaceId id, const Json& patterns) {
    for (const auto& [pattern, schema] : patterns.items()) {
      Status status = Pattern(pattern);
      if (status || status.error().code == ErrorCode::kUnsupported) continue;
      return Inside(ChildPath(ChildPath(PathOf(id), "patternProperties"), pattern), std::move(status));
    }
    return {};
  }

  const Json& document_;
  ShapeReader reader_;
  int64_t& steps_;
  std::vector<Place> places_;
  std::unordered_map<const Json*, State> states_;
  std::vector<PlaceId> todo_;
  std::vector<Frame> frames_;
};

}  // namespace

Status CheckJsonSchema(const Json& schema, int64_t& steps) {
  return SchemaChecker(schema, steps).Run();
}

}  // namespace rf::grammar
