#include "base/json_shape.h"

#include <string>

#include <gtest/gtest.h>

namespace rf {
namespace {

std::string Repeat(const std::string& text, size_t n, const std::string& begin = "", const std::string& end = "") {
  std::string all = begin;
  for (size_t i = 0; i < n; ++i) all += text;
  return all += end;
}

TEST(JsonShape, Depth) {
  const JsonLimits limits{.depth = 3};
  EXPECT_TRUE(CheckJsonShape(R"([{"a": [1]}, [[2]]])", limits));
  const Status deep = CheckJsonShape(R"([{"a": [[1]]}])", limits);
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().message, "the JSON at byte 8 is nested too deeply: depth > 3");
  EXPECT_FALSE(CheckJsonShape(Repeat("[", 1'000'000), limits));
  EXPECT_TRUE(CheckJsonShape(Repeat("]", 100), limits)) << "not JSON, but not deep";
}

TEST(JsonShape, ErrorsSayWhere) {
  const auto where = [](const std::string& text, const JsonLimits& limits) {
    const Status status = CheckJsonShape(text, limits);
    return status ? "no error" : status.error().where;
  };
  EXPECT_EQ(where(R"({"x": "y", "a": ["z", {"b": [[)", {.depth = 4}), "a[1].b[0]");
  EXPECT_EQ(where(Repeat(R"({"a":)", 100), {.depth = 64}), "a.a.a.a.a.a.a.a") << "the first steps";
  EXPECT_EQ(where(R"({"k": [0, {"enum": [1, 2, 3, 4)", {.n_values = 6}), "k[1].enum");
  EXPECT_EQ(where(R"({"k": {"a": 1, "b": 2, "c": 3}})", {.member_work = 8}), "k");
  EXPECT_EQ(where("[[[", {.depth = 2}), "[0][0]");
  EXPECT_EQ(where(",,,,", {.n_values = 2}), "");
}

TEST(JsonShape, BracketsInStringsDoNotCount) {
  const JsonLimits limits{.depth = 1, .n_values = 2};
  EXPECT_TRUE(CheckJsonShape(R"(["[[[,,,{{{"])", limits));
  EXPECT_TRUE(CheckJsonShape(R"(["\"[[[", 1])", limits)) << "an escaped quote does not end a string";
  EXPECT_FALSE(CheckJsonShape(R"(["\\", [1]])", limits)) << "an escaped backslash does not escape the quote after it";
  EXPECT_TRUE(CheckJsonShape("[\"never closed [[[", limits));
  EXPECT_TRUE(CheckJsonShape("\"\\", limits));
}

TEST(JsonShape, Values) {
  const JsonLimits limits{.n_values = 4};
  EXPECT_TRUE(CheckJsonShape("[1, 2, 3, 4]", limits));
  EXPECT_FALSE(CheckJsonShape("[1, 2, 3, 4, 5]", limits));
}

TEST(JsonShape, MembersOfObjects) {
  const JsonLimits limits{.member_work = 100};
  EXPECT_TRUE(CheckJsonShape(Repeat("\"a\":1,", 9, "{", "\"a\":1}"), limits));
  EXPECT_FALSE(CheckJsonShape(Repeat("\"a\":1,", 10, "{", "\"a\":1}"), limits));
  EXPECT_FALSE(CheckJsonShape(Repeat("\"a\":1,", 10, "{"), limits)) << "never closed, but built";
  EXPECT_TRUE(CheckJsonShape(Repeat("1,", 1000, "[", "1]"), limits)) << "an array's elements are found at once";
  EXPECT_FALSE(CheckJsonShape(Repeat("{\"a\":1,\"b\":2,\"c\":3},", 12, "[", "1]"), limits)) << "all objects together";
}

}  // namespace
}  // namespace rf
