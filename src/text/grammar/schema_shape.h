// What a set of schemas demands of a value, collected from their keywords.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace rf::grammar {

using Json = nlohmann::ordered_json;

/// A schema inside the document, with its JSON pointer.
struct SchemaRef {
  const Json* node;
  std::string path;
};

/// Schemas that must all hold. Empty: anything goes.
using SchemaSet = std::vector<SchemaRef>;

enum Types : uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,  ///< includes kInteger
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAllTypes = 127
};

struct NumberBound {
  const Json* value;
  bool is_exclusive;
  std::string path;
};

/// The keywords about properties of one schema; null where it has none.
struct ObjectKeywords {
  const Json* properties = nullptr;
  const Json* pattern_properties = nullptr;
  const Json* additional = nullptr;
  std::string path;
};

struct ArrayKeywords {
  const Json* prefix = nullptr;
  const Json* items = nullptr;
  std::string path;
};

/// A keyword's string with its place.
struct PlacedText {
  std::string text;
  std::string path;
};

inline constexpr uint64_t kNoMaximum = ~uint64_t{0};

/// The conjunction of schemas without alternatives.
struct Shape {
  uint8_t types = kAllTypes;
  std::optional<std::vector<const Json*>> values;  ///< of enum and const
  std::string values_path;
  std::vector<NumberBound> minima, maxima;
  std::vector<PlacedText> multiples;  ///< decimal numbers
  uint64_t min_length = 0, max_length = kNoMaximum;
  std::vector<PlacedText> patterns, formats;
  uint64_t min_items = 0, max_items = kNoMaximum;
  std::vector<ArrayKeywords> arrays;
  uint64_t min_properties = 0, max_properties = kNoMaximum;
  std::vector<ObjectKeywords> objects;
  std::vector<PlacedText> required;
  SchemaSet property_names;
  std::string path;  ///< of one of the schemas, for messages

  bool HasStringKeywords() const {
    return min_length > 0 || max_length != kNoMaximum || !patterns.empty() || !formats.empty();
  }
  bool HasNumberKeywords() const { return !minima.empty() || !maxima.empty() || !multiples.empty(); }
  bool HasContainerKeywords() const {
    return min_items > 0 || max_items != kNoMaximum || !arrays.empty() || min_properties > 0 ||
           max_properties != kNoMaximum || !objects.empty() || !required.empty() || !property_names.empty();
  }
};

/// Two branches of a oneOf that must not both hold.
struct ExclusivePair {
  SchemaSet both;
  std::string path;
  size_t first, second;
};

/// Resolves references and takes schemas apart. REQUIRES: the document outlives it.
class ShapeReader {
 public:
  explicit ShapeReader(const Json& document) : document_(document) {}

  /// The shapes of which a value must have one. Schemas that contradict themselves give none. REQUIRES: the document
  /// passed CheckJsonSchema(). Errors: kInvalidArgument, kUnsupported, as CompileJsonSchema().
  Result<std::vector<Shape>> Read(const SchemaSet& schemas);

  /// Pairs that came up since the last call.
  std::vector<ExclusivePair> TakeExclusivePairs() { return std::exchange(pairs_, {}); }

  /// Whether the value of a keyword that holds no schemas is of the right kind. Errors: kInvalidArgument, and
  /// kUnsupported for what is right but cannot be enforced; without a place.
  Status CheckKeyword(const std::string& name, const Json& value);

  /// What `$ref` refers to. Errors, at `path`: kInvalidArgument if it does not exist, kUnsupported if it lies outside
  /// of the document.
  Result<SchemaRef> Resolve(const std::string& reference, const std::string& path);

 private:
  struct Partial {
    Shape shape;
    std::vector<const Json*> seen;
    SchemaSet todo;
    std::vector<SchemaSet> choices;  ///< of each, one must hold
    bool is_dead = false;
  };
  using Handler = Status (ShapeReader::*)(Partial&, const Json& value, const std::string& path);
  /// By name; null: says nothing about the value.
  static const std::unordered_map<std::string_view, Handler>& Keywords();

  Status Absorb(const SchemaRef& schema, Partial& partial);
  Status AbsorbObject(const SchemaRef& schema, Partial& partial);
  Result<SchemaRef> Find(const std::string& reference, const std::string& path);
  Result<SchemaRef> FindAnchor(const std::string& name, const std::string& path);

  Status ReadType(Partial& partial, const Json& value, const std::string& path);
  Status ReadConst(Partial& partial, const Json& value, const std::string& path);
  Status ReadEnum(Partial& partial, const Json& value, const std::string& path);
  Status ReadAllOf(Partial& partial, const Json& value, const std::string& path);
  Status ReadAnyOf(Partial& partial, const Json& value, const std::string& path);
  Status ReadOneOf(Partial& partial, const Json& value, const std::string& path);
  Status ReadReference(Partial& partial, const Json& value, const std::string& path);
  Status ReadMinimum(Partial& partial, const Json& value, const std::string& path);
  Status ReadMaximum(Partial& partial, const Json& value, const std::string& path);
  Status ReadExclusiveMinimum(Partial& partial, const Json& value, const std::string& path);
  Status ReadExclusiveMaximum(Partial& partial, const Json& value, const std::string& path);
  Status ReadMultipleOf(Partial& partial, const Json& value, const std::string& path);
  Status ReadMinLength(Partial& partial, const Json& value, const std::string& path);
  Status ReadMaxLength(Partial& partial, const Json& value, const std::string& path);
  Status ReadPattern(Partial& partial, const Json& value, const std::string& path);
  Status ReadFormat(Partial& partial, const Json& value, const std::string& path);
  Status ReadMinItems(Partial& partial, const Json& value, const std::string& path);
  Status ReadMaxItems(Partial& partial, const Json& value, const std::string& path);
  Status ReadUniqueItems(Partial& partial, const Json& value, const std::string& path);
  Status ReadMinProperties(Partial& partial, const Json& value, const std::string& path);
  Status ReadMaxProperties(Partial& partial, const Json& value, const std::string& path);
  Status ReadRequired(Partial& partial, const Json& value, const std::string& path);
  Status ReadPropertyNames(Partial& partial, const Json& value, const std::string& path);

  const Json& document_;
  std::vector<ExclusivePair> pairs_;
  std::vector<const Json*> paired_;  ///< oneOf lists whose pairs were noted
  std::unordered_map<std::string, SchemaRef> resolved_;
  std::optional<std::unordered_map<std::string_view, const Json*>> anchors_;
};

/// Error{kInvalidArgument, message, path}.
Error BadSchema(std::string message, const std::string& path);

/// `path` with one more step, escaped as in RFC 6901.
std::string ChildPath(const std::string& path, std::string_view step);

}  // namespace rf::grammar
