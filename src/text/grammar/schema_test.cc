#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "text/grammar/limits.h"
#include "text/grammar/test_grammar.h"

namespace rf::grammar {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string SchemaError(const std::string& text) {
  return ErrorOf(GrammarKind::kJsonSchema, text);
}

// What matches is compared with the jsonschema package in tests/grammar/schema_test.py.
TEST(Schema, KeywordsThatCannotBeEnforcedAreNamed) {
  EXPECT_THAT(SchemaError(R"({"properties": {"a/b": {"not": {}}}})"),
              StartsWith("#/properties/a~1b/not: the keyword 'not' cannot be enforced"));
  for (const char* keyword :
       {"if", "dependentRequired", "contains", "unevaluatedProperties", "$dynamicRef", "nullable", "minlength"}) {
    EXPECT_THAT(SchemaError(std::string("{\"") + keyword + "\": true}"),
                StartsWith(std::string("#/") + keyword + ": the keyword '" + keyword + "' cannot"));
  }
  EXPECT_THAT(SchemaError(R"({"uniqueItems": true})"), HasSubstr("'uniqueItems' cannot"));
  EXPECT_EQ(SchemaError(R"({"uniqueItems": false})"), "");
  EXPECT_THAT(SchemaError(R"({"format": "iri"})"), StartsWith("#/format: the format 'iri' cannot"));
  EXPECT_THAT(
      SchemaError(R"({"oneOf": [{"type": "number"}, {"minimum": 3}]})"),
      StartsWith("#/oneOf: the keyword 'oneOf' cannot be enforced: some values match both branch 0 and branch 1"));
  EXPECT_THAT(SchemaError(R"x({"pattern": "(?=a)"})x"), StartsWith("#/pattern, column 1: look-around"));
  EXPECT_THAT(SchemaError(R"({"$ref": "https://example.org/x"})"), HasSubstr("lies outside this document"));
  EXPECT_EQ(SchemaError(R"({"title": "t", "x-note": 5, "$comment": "c", "default": 3})"), "");
}

TEST(Schema, MistakesAreNamed) {
  EXPECT_THAT(SchemaError("{"), HasSubstr("not JSON"));
  EXPECT_THAT(SchemaError("[]"), HasSubstr("#: a schema must be an object"));
  EXPECT_THAT(SchemaError(R"({"items": 3})"), HasSubstr("#/items: a schema must be an object"));
  EXPECT_THAT(SchemaError(R"({"type": "bar"})"), StartsWith("#/type: must be null, boolean"));
  EXPECT_THAT(SchemaError(R"({"minLength": -1})"), StartsWith("#/minLength: must be a whole number"));
  EXPECT_THAT(SchemaError(R"({"minLength": 1000000000})"), StartsWith("#/minLength: is over 1000000"));
  EXPECT_THAT(SchemaError(R"({"minItems": 1000000000})"), StartsWith("#/minItems: is over 2000"));
  EXPECT_THAT(SchemaError(R"({"required": "a"})"), StartsWith("#/required: must be a list"));
  EXPECT_THAT(SchemaError(R"({"anyOf": []})"), StartsWith("#/anyOf: must be a list"));
  EXPECT_THAT(SchemaError(R"({"pattern": "foo**"})"), StartsWith("#/pattern, column 5: multiple repeat"));
  EXPECT_THAT(SchemaError("{\"$ref\": \"#/$defs/x\"}"), StartsWith("#/$ref: '#/$defs/x' does not exist"));
  EXPECT_THAT(SchemaError(R"({"properties": []})"), StartsWith("#/properties: must be an object"));
  EXPECT_THAT(SchemaError(R"({"additionalProperties": "no"})"),
              StartsWith("#/additionalProperties: a schema must be an object, true or false"));
  EXPECT_THAT(SchemaError(R"({"patternProperties": {"(": true}})"), StartsWith("#/patternProperties/(, column 1: "));
  EXPECT_THAT(SchemaError("false"), HasSubstr("matches nothing"));
  EXPECT_THAT(SchemaError(R"({"allOf": [{"type": "string"}, {"type": "null"}]})"), HasSubstr("matches nothing"));
  EXPECT_THAT(SchemaError(R"({"type": "integer", "minimum": 3, "maximum": 2})"), HasSubstr("matches nothing"));
  EXPECT_THAT(SchemaError(R"({"required": ["a"], "properties": {"a": {"$ref": "#"}}, "type": "object"})"),
              HasSubstr("matches nothing"));  // no document is finite
}

TEST(Schema, HostileOnesAreRefusedQuickly) {
  const auto repeat = [](size_t n, const std::string& text) {
    std::string all;
    for (size_t i = 0; i < n; ++i) all += text;
    return all;
  };
  const std::vector<std::string> hostile = {
      repeat(10'000, "{\"items\":") + "{}" + repeat(10'000, "}"),
      R"({"pattern": ")" + repeat(100'000, "(") + R"("})",
      R"({"type": "string", "pattern": "(a|b)*a(a|b){40}c", "maxLength": 100})",
      R"({"oneOf": [)" + repeat(9'999, "{\"type\":\"null\"},") + "{}]}",
      R"({"type": "string", "pattern": "a", "minLength": 900000})",
      R"({"allOf": [)" + repeat(30, R"({"anyOf": [{"minimum": 1}, {"maximum": 2}]},)") + "{}]}",
      repeat(1 << 19, "[")};
  for (const std::string& schema : hostile) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NE(SchemaError(schema), "") << schema.substr(0, 60);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(time.count(), 10'000.0) << schema.substr(0, 60);  // far from what exponential work would take
  }
  EXPECT_EQ(SchemaError(R"({"type": "string", "pattern": "(a+)+$"})"), "");  // linear here
}

TEST(Schema, HostNamesAreThoseOfRfc1123InTheirUsualForms) {
  const auto grammar = MustCompile(GrammarKind::kJsonSchema, R"({"format": "hostname", "type": "string"})");
  const std::string longest(29, 'a');
  for (const std::string& name : {std::string("a"), std::string("x-a"), std::string("example.org"),
                                  std::string("a-b-c.d"), std::string("xn--mller-kva.de"), std::string("xn-a.x"),
                                  longest, longest + "." + longest, std::string("1.2.3.4.5.6")}) {
    EXPECT_TRUE(Matches(grammar, '"' + name + '"')) << name;
  }
  for (const std::string& name : {std::string(), std::string("-a"), std::string("a-"), std::string("a-.b"),
                                  std::string("a..b"), std::string(".a"), std::string("a."), std::string("a_b"),
                                  std::string(64, 'a'), std::string("xn--"), std::string("a b")}) {
    EXPECT_FALSE(Matches(grammar, '"' + name + '"')) << name;
  }
}

TEST(Schema, ReferencesMayBeRecursive) {
  const auto grammar = MustCompile(GrammarKind::kJsonSchema, R"({"$defs": {"node": {"type": "object", "properties":
      {"v": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
      "required": ["v", "next"]}}, "$ref": "#/$defs/node"})");
  EXPECT_TRUE(Matches(grammar, R"({"v": 1, "next": {"v": 2, "next": null}})"));
  EXPECT_FALSE(Matches(grammar, R"({"v": 1, "next": {"v": 2}})"));
  EXPECT_TRUE(Matches(GrammarKind::kJsonSchema, R"({"items": {"$ref": "#"}, "type": "array"})", "[[],[[]]]"));
  EXPECT_TRUE(Matches(GrammarKind::kJsonSchema,
                      R"({"anyOf": [{"type": "null"}, {"type": "array", "prefixItems": [{"$ref": "#"}]}]})",
                      "[[null]]"));
  EXPECT_TRUE(Matches(GrammarKind::kJsonSchema, R"({"additionalProperties": {"$ref": "#"}, "type": "object"})",
                      R"({"a":{"b":{}}})"));
}

// A schema that refers to itself without reading anything describes nothing, and validators do not come back from it.
TEST(Schema, ReferencesThatLeadBackWithoutReadingAreErrors) {
  const auto is_named = [](const std::string& where, const std::string& reference) {
    return StartsWith(where + ": '" + reference + "' leads back to itself without reading");
  };
  EXPECT_THAT(SchemaError(R"({"$ref": "#"})"), is_named("#/$ref", "#"));
  EXPECT_THAT(SchemaError(R"({"$id": "https://example.org/a", "$ref": "https://example.org/a"})"),
              is_named("#/$ref", "#"));
  EXPECT_THAT(
      SchemaError(R"({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})"),
      is_named("#/$defs/b/$ref", "#/$defs/a"));
  for (const std::string keyword : {"anyOf", "allOf", "oneOf"}) {
    EXPECT_THAT(SchemaError(fmt::format(R"({{"{}": [{{"type": "string"}}, {{"$ref": "#"}}]}})", keyword)),
                is_named(fmt::format("#/{}/1/$ref", keyword), "#"));
    // Met first inside of the list: the way back ends with the list, not with a reference.
    EXPECT_THAT(
        SchemaError(fmt::format(
            R"({{"$ref": "#/$defs/a/{0}/0", "$defs": {{"a": {{"{0}": [{{"$ref": "#/$defs/a"}}]}}}}}})", keyword)),
        is_named(fmt::format("#/$defs/a/{}/0/$ref", keyword), "#/$defs/a"));
    EXPECT_THAT(
        SchemaError(fmt::format(
            R"({{"properties": {{"a": {{"items": {{"{}": [{{"$anchor": "x", "allOf": [{{"$ref": "#x"}}]}}]}}}}}}}})",
            keyword)),
        is_named(fmt::format("#/properties/a/items/{}/0/allOf/0/$ref", keyword), "#x"));
  }
  // Twice the same is no circle.
  EXPECT_EQ(SchemaError(R"({"$defs": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/a"}},
                            "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}, {"$ref": "#/$defs/a"}]})"),
            "");
  EXPECT_EQ(SchemaError(R"({"$defs": {"unused": {"$ref": "#/$defs/unused"}}, "type": "null"})"), "");
  std::string chain = R"({"$ref": "#/$defs/0", "$defs": {)";
  for (int i = 0; i < 300; ++i) {
    chain += fmt::format(R"("{}": {{"$ref": "#/$defs/{}"}}, )", i, i + 1);
  }
  EXPECT_EQ(SchemaError(chain + R"("300": {"type": "null"}}})"), "");
  EXPECT_THAT(SchemaError(chain + R"("300": {"$ref": "#"}}})"), is_named("#/$defs/300/$ref", "#"));
}

TEST(Schema, StancesThatTheDocumentationTakes) {
  const auto matches = [](const char* schema, const char* text) {
    return Matches(GrammarKind::kJsonSchema, schema, text);
  };
  const char* declared = R"({"type": "object", "properties": {"a": {}, "b": {}}})";
  EXPECT_TRUE(matches(declared, R"({"a":1,"b":2})"));
  EXPECT_FALSE(matches(declared, R"({"b":1,"a":2})"));  // the schema's order
  EXPECT_FALSE(matches(declared, R"({"c":1})"));        // closed, unless it says otherwise
  const char* open = R"({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "null"}})";
  EXPECT_TRUE(matches(open, R"({"a":1,"c":null})"));
  EXPECT_FALSE(matches(open, R"({"c":1})"));
  EXPECT_FALSE(matches(open, R"({"a":1,"a":null})"));  // declared names are not additional ones
  EXPECT_TRUE(matches(R"({"type": "object"})", R"({"x": [1, {"y": null}]})"));
  EXPECT_TRUE(matches("{}", "{\n  \"a\": [\n    1\n  ]\n}"));
  EXPECT_FALSE(matches("{}", "{  }"));  // no more than one space
  EXPECT_FALSE(matches("{}", " 1"));    // nothing around the document
  EXPECT_FALSE(matches("{}", R"("\ud800")"));
  EXPECT_TRUE(matches("{}", R"("\ud83d\uDE00 \/ \u00fc")"));
  EXPECT_FALSE(matches(R"({"enum": ["a"]})", R"("\u0061")"));  // one spelling
}

}  // namespace
}  // namespace rf::grammar
