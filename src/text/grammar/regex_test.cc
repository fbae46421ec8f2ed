#include <gmock/gmock.h>

#include "text/grammar/test_grammar.h"

namespace rf::grammar {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What matches is compared with Python's `re` in tests/grammar/regex_test.py.
TEST(Regex, ErrorsSayWhere) {
  const auto error = [](const std::string& text) { return ErrorOf(GrammarKind::kRegex, text); };
  EXPECT_THAT(error("a(b"), StartsWith("column 2: a group is not closed"));
  EXPECT_THAT(error("ab)"), StartsWith("column 3: ')' without '('"));
  EXPECT_THAT(error("\xC3\xBC[a"), StartsWith("column 4: a class is not closed"));
  EXPECT_THAT(error("[b-a]"), HasSubstr("lower to a higher"));
  EXPECT_THAT(error("*a"), HasSubstr("nothing to repeat"));
  EXPECT_THAT(error("foo**"), HasSubstr("multiple repeat"));
  EXPECT_THAT(error("(?<=x)*"), StartsWith("column 7: a look-behind cannot be repeated"));
  EXPECT_THAT(error("(?=x)(a"), StartsWith("column 6: a group is not closed"));
  EXPECT_THAT(error("a{3,2}"), HasSubstr("bad repetition bounds"));
  EXPECT_THAT(error("(ab){1,9999}"), HasSubstr("over 2000"));
  EXPECT_THAT(error("a{99999999999999999999}"), HasSubstr("over 1000000"));
  EXPECT_THAT(error("a\\"), HasSubstr("backslash at the end"));
  EXPECT_THAT(error("\\q"), HasSubstr("unknown escape"));
  EXPECT_THAT(error("\\u{110000}"), HasSubstr("code point"));
  EXPECT_THAT(error("\\ud800"), HasSubstr("surrogate"));
  EXPECT_THAT(error(std::string(100'000, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error("\xFF"), HasSubstr("invalid UTF-8"));
}

TEST(Regex, WhatNoAutomatonCanDoIsNamed) {
  const auto error = [](const std::string& text) { return ErrorOf(GrammarKind::kRegex, text); };
  EXPECT_THAT(error("a(?<=x)b(?=y)"), StartsWith("column 2: look-around"));
  EXPECT_THAT(error("(?!x)y"), HasSubstr("look-around"));
  EXPECT_THAT(error("^(?=.*[A-Z]$)(?=.*\\d)a*$"), StartsWith("column 2: look-around"));
  EXPECT_THAT(error("a*+"), HasSubstr("possessive"));
  EXPECT_THAT(error("[\\w-.]"), HasSubstr("cannot begin or end a range"));
  EXPECT_THAT(error("[]"), HasSubstr("different things to different programs"));
  EXPECT_THAT(error("(a)\\1"), HasSubstr("back references"));
  EXPECT_THAT(error("\\bword"), HasSubstr("word boundary"));
  EXPECT_THAT(error("\\p{L}"), HasSubstr("Unicode properties"));
  EXPECT_THAT(error("(?i)a"), HasSubstr("flags"));
  EXPECT_THAT(error("a^b"), HasSubstr("at the beginning"));
  EXPECT_THAT(error("(a$)+"), HasSubstr("cannot be repeated"));
}

}  // namespace
}  // namespace rf::grammar
