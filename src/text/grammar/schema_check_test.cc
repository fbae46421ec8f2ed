#include "text/grammar/schema_check.h"

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rf::grammar {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Problem(const Json& schema) {
  int64_t steps = kMaxCheckSteps;
  const Status status = CheckJsonSchema(schema, steps);
  return status ? "" : status.error().ToString();
}

std::string ProblemOf(const std::string& text) {
  return Problem(Json::parse(text));
}

// What clients, Pydantic, Zod and OpenAPI converters write; a grammar can enforce none of it.
TEST(SchemaCheck, WhatCannotBeEnforcedIsNoError) {
  for (
      const char* schema : {
          "{}",
          R"({"type": "object", "properties": {"a": {"not": {"const": 3}}}, "if": true, "then": {}, "else": false})",
          R"({"type": "string", "nullable": true, "format": "binary", "example": 5, "x-order": 1, "oddity": []})",
          R"({"uniqueItems": true, "contains": {"minimum": 3}, "minContains": 2, "unevaluatedItems": false})",
          R"({"exclusiveMinimum": true, "minimum": 3, "id": "http://example.org/draft-4", "dependencies": {"a": ["b"]}})",
          R"({"items": [{"type": "string"}, true], "additionalItems": false})",
          R"({"dependentSchemas": {"a": {"required": ["b"]}}, "dependentRequired": {"a": ["b"]}, "$dynamicRef": "#x"})",
          R"({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "https://example.org/other.json"})",
          R"({"maxLength": 2147483647, "minLength": 1000000000, "maxItems": 1e30, "maxProperties": 99999})",
          R"({"oneOf": [{"type": "number"}, {"minimum": 3}]})",
          R"({"type": "integer", "minimum": 3, "maximum": 2})",
          R"({"default": {"type": "bar"}, "examples": [{"$ref": "#/none"}], "const": {"type": "bar"}})",
          R"({"properties": {"type": {"type": "string"}, "$ref": {"enum": ["a"]}, "pattern": {"pattern": "."}}})",
          R"({"$defs": {"unused": {"type": "bar"}}})",
      }) {
    EXPECT_EQ(ProblemOf(schema), "") << schema;
  }
}

TEST(SchemaCheck, PatternsOfAllDialectsPassAndBrokenOnesDoNot) {
  const auto problem = [](const char* pattern) { return Problem({{"pattern", pattern}}); };
  // The last two: what a finite automaton takes in linear time, however slow it is where one tries and goes back.
  for (const char* pattern : {"^(?=.*[A-Z])(?=.*\\d).{8,}$", "(?<!a)b", "(?i)abc", "\\bword\\b", "\\p{L}+",
                              "[\\p{L}\\s-]", "(a)\\1", "\\A[a-z]+\\Z", "[\\w-.]+@", "[]", "a++", "x{,3}", "(ab){3000}",
                              "[\\ud800-\\udbff][\\udc00-\\udfff]", "a^b", "(?P<year>\\d{4})", "(a+)+$", "(a|aa)*b"}) {
    EXPECT_EQ(problem(pattern), "") << pattern;
  }
  EXPECT_THAT(problem("foo**"), StartsWith("#/pattern, column 5: multiple repeat"));
  EXPECT_THAT(problem("(?<=x)*"), StartsWith("#/pattern, column 7: a look-behind cannot be repeated"));
  EXPECT_THAT(problem("*.txt"), HasSubstr("nothing to repeat"));
  EXPECT_THAT(problem("a("), HasSubstr("is not closed"));
  EXPECT_THAT(problem("[z-a]"), HasSubstr("lower to a higher"));
  EXPECT_THAT(problem(std::string(100'000, '(').c_str()), HasSubstr("nested too deeply"));
}

TEST(SchemaCheck, BrokenSchemasAreToldWithTheirPlace) {
  EXPECT_THAT(ProblemOf(R"({"type": "bar"})"), StartsWith("#/type: must be null, boolean"));
  EXPECT_THAT(ProblemOf(R"({"properties": {"a/b": {"items": {"type": 3}}}})"),
              StartsWith("#/properties/a~1b/items/type: must be"));
  EXPECT_THAT(ProblemOf(R"({"not": {"anyOf": [{}, {"required": true}]}})"),
              StartsWith("#/not/anyOf/1/required: must be a list of strings"));
  EXPECT_THAT(ProblemOf(R"({"items": [{}, {"minimum": "3"}]})"), StartsWith("#/items/1/minimum: must be a number"));
  EXPECT_THAT(ProblemOf(R"({"dependencies": {"a": {"enum": 3}}})"),
              StartsWith("#/dependencies/a/enum: must be a list"));
  EXPECT_THAT(ProblemOf(R"({"additionalProperties": "odd"})"), StartsWith("#/additionalProperties: a schema must"));
  EXPECT_THAT(ProblemOf(R"({"additionalProperties": []})"), StartsWith("#/additionalProperties: a schema must"));
  EXPECT_THAT(ProblemOf(R"({"properties": []})"), StartsWith("#/properties: must be an object"));
  EXPECT_THAT(ProblemOf(R"({"anyOf": []})"), StartsWith("#/anyOf: must be a list of schemas that is not empty"));
  EXPECT_THAT(ProblemOf(R"({"patternProperties": {"^a": {}, "b**": {}}})"),
              StartsWith("#/patternProperties/b**, column 3: multiple repeat"));
  EXPECT_THAT(ProblemOf(R"({"$defs": {"a": {"type": "bar"}}, "items": {"$ref": "#/$defs/a"}})"),
              StartsWith("#/$defs/a/type: must be"));
  EXPECT_THAT(ProblemOf(R"({"items": {"$ref": "#/definitions/none"}})"),
              StartsWith("#/items/$ref: '#/definitions/none' does not exist"));
  for (const char* keyword : {"not", "if", "then", "else"}) {
    EXPECT_THAT(Problem({{keyword, {{"$ref", "#"}}}}), HasSubstr("leads back to itself")) << keyword;
  }
  EXPECT_EQ(ProblemOf(R"({"properties": {"next": {"$ref": "#"}}, "contains": {"not": {"$ref": "#"}}})"), "");
}

TEST(SchemaCheck, WorkIsBounded) {
  Json branches = Json::array();
  for (int i = 0; i < 10'000; ++i) branches.push_back({{"$ref", "#/$defs/a"}});
  Json anchors = Json::array();
  for (int i = 0; i < 10'000; ++i) anchors.push_back({{"$ref", "#a"}, {"x", {{"$anchor", fmt::format("b{}", i)}}}});
  anchors.push_back({{"$anchor", "a"}});
  Json deep = true;
  for (int i = 0; i < 10'000; ++i) deep = {{"items", std::move(deep)}};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Problem({{"enum", Json(std::vector<int>(100'000, 1))}}), "");
  EXPECT_THAT(Problem({{"enum", Json(std::vector<int>(1'000'000, 1))}}), HasSubstr("too large: over 500000"));
  EXPECT_THAT(Problem({{"anyOf", Json(std::vector<bool>(600'000, true))}}), HasSubstr("too large"));
  EXPECT_EQ(Problem({{"oneOf", branches}, {"$defs", {{"a", true}}}}), "");
  EXPECT_EQ(Problem({{"anyOf", anchors}}), "");
  EXPECT_EQ(Problem(deep), "");
  EXPECT_EQ(Problem({{"pattern", std::string(200'000, '.')}}), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));  // far from what squares would take
}

}  // namespace
}  // namespace rf::grammar
