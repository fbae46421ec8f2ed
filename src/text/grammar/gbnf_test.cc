#include <gmock/gmock.h>

#include "text/grammar/limits.h"
#include "text/grammar/test_grammar.h"

namespace rf::grammar {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Case {
  const char* grammar;
  std::vector<const char*> matches;
  std::vector<const char*> refuses;
};

TEST(Gbnf, MatchesWhatTheNotationSays) {
  const std::vector<Case> cases = {
      {"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "y", "yesno", "Yes"}},
      {"root ::= [a-c]+ [^a-c]", {"ax", "abcZ", "a\xC3\xBC"}, {"x", "a", "aa", "axx"}},
      {"root ::= \"a\"{2,3} \"b\"{2} \"c\"{1,}", {"aabbc", "aaabbccc"}, {"abbc", "aaaabbc", "aabc", "aabb"}},
      {"root ::= \"a\"{,2}", {"", "a", "aa"}, {"aaa"}},
      {"root ::= (\"a\" | \"b\" \"c\")* \"!\"?", {"", "!", "abca!", "bc"}, {"b", "c", "!a"}},
      {"root ::= .", {"x", "\n", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80"}, {"", "xy", "\x80", "\xC3"}},
      {"root ::= \"\\x41\\u00fc\\U0001F600\\n\\\"\\\\\"", {}, {"A"}},
      {"root ::= \"(\" root \")\" | \"x\"", {"x", "((x))"}, {"((x)", "()", ")x("}},
      {"root ::= \"a\" root | \"a\"", {"a", "aaaa"}, {"", "b"}},
      {"# comment\nroot ::= item (\",\" item)* # more\nitem ::=\n  [0-9]+ |\n  \"-\"", {"1,-,22"}, {"1,", ",1"}},
      {"root ::= \"a\"\n  | \"b\"\n  | x\nx ::= \"c\"", {"a", "b", "c"}, {"ab"}},
      {"root ::= a b a\na ::= \"x\"?\nb ::= \"y\"*", {"", "x", "xyyx", "xx"}, {"xxx", "yxy"}},
      {"root ::= [\\]\\-a]{2}", {"]-", "aa"}, {"\\]"}},
      {"root ::= \"\"", {""}, {"a"}},
      {"root ::= [a-z]{20,30}",
       {"abcdefghijklmnopqrstuvwxyz"},
       {"abcdefghijklmnopqrs", "abcdefghijklmnopqrstuvwxyzabcde"}},
      {"root ::= \"\xC3\xBC\" [\xC3\xA4-\xC3\xB6]", {"\xC3\xBC\xC3\xA5"}, {"\xC3\xBC\xC3\xBC"}}};
  for (const Case& item : cases) {
    const auto grammar = MustCompile(GrammarKind::kGbnf, item.grammar);
    for (const char* text : item.matches) EXPECT_TRUE(Matches(grammar, text)) << item.grammar << " : " << text;
    for (const char* text : item.refuses) EXPECT_FALSE(Matches(grammar, text)) << item.grammar << " : " << text;
  }
  EXPECT_TRUE(Matches(GrammarKind::kGbnf, "root ::= \"\\x41\\u00fc\\U0001F600\\n\\\"\\\\\"",
                      "A\xC3\xBC\xF0\x9F\x98\x80\n\"\\"));
}

TEST(Gbnf, ErrorsSayWhere) {
  const auto error = [](const std::string& text) { return ErrorOf(GrammarKind::kGbnf, text); };
  EXPECT_THAT(error("root ::= \"a\"\nx ::= (\"b\"\n"), StartsWith("line 2, column 7: a group is not closed"));
  EXPECT_THAT(error("root ::= \"a"), StartsWith("line 1, column 10: a literal is not closed"));
  EXPECT_THAT(error("root ::= \xC3\xBC"), StartsWith("line 1, column 10: unexpected"));
  EXPECT_THAT(error("root ::= [a"), HasSubstr("']' is missing"));
  EXPECT_THAT(error("root ::= a\n\n  b = 2"), HasSubstr("line 3, column 5: expected '::='"));
  EXPECT_THAT(error("root ::= nothing"), StartsWith("line 1, column 10: rule 'nothing' is used but not defined"));
  EXPECT_THAT(error("root ::= \"a\"\nroot ::= \"b\""), StartsWith("line 2, column 1: rule 'root' is defined twice"));
  EXPECT_THAT(error("x ::= \"a\""), HasSubstr("no rule 'root'"));
  EXPECT_THAT(error(""), HasSubstr("no rule 'root'"));
  EXPECT_THAT(error("root ::= * \"a\""), StartsWith("line 1, column 10: nothing to repeat"));
  EXPECT_THAT(error("root ::= \"a\"{3,2}"), HasSubstr("bad repetition bounds {3,2}"));
  EXPECT_THAT(error("root ::= (\"ab\"){1,3000}"), HasSubstr("over 2000"));
  EXPECT_THAT(error("root ::= <[42]>"), HasSubstr("references to tokens"));
  EXPECT_THAT(error("root ::= \"\\q\""), HasSubstr("unknown escape"));
  EXPECT_THAT(error("root ::= \"\xFF\""), HasSubstr("invalid UTF-8"));
}

TEST(Gbnf, LeftRecursionAndEmptinessAreRefused) {
  const auto error = [](const std::string& text) { return ErrorOf(GrammarKind::kGbnf, text); };
  EXPECT_THAT(error("root ::= root \"a\" | \"b\""), HasSubstr("left recursion: root -> root"));
  EXPECT_THAT(error("root ::= x\nx ::= \"a\"? y \"b\"\ny ::= x | \"c\""), HasSubstr("left recursion"));
  EXPECT_THAT(error("root ::= \"a\" root"), HasSubstr("matches nothing"));
  // A branch that can never end is not offered.
  const auto grammar = MustCompile(GrammarKind::kGbnf, "root ::= \"a\" | \"b\" x\nx ::= \"c\" x");
  EXPECT_FALSE(Matcher(grammar).AcceptBytes("b"));
  EXPECT_TRUE(Matches(grammar, "a"));
}

TEST(Gbnf, LimitsAreErrors) {
  const auto error = [](const std::string& text) { return ErrorOf(GrammarKind::kGbnf, text); };
  const std::string deep(kMaxNesting, '(');
  EXPECT_EQ(error("root ::= " + deep + "\"a\"" + std::string(kMaxNesting, ')')), "");
  EXPECT_THAT(error("root ::= (" + deep + "\"a\""), HasSubstr("nested too deeply"));
  EXPECT_THAT(error("root ::= " + std::string(100'000, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error(std::string(kMaxSourceBytes + 1, '#')), HasSubstr("at most 262144"));
  EXPECT_THAT(error("root ::= ((\"a\"{2000}){2000}){2000}"), HasSubstr("too complex"));
  std::string exponential = "root ::= [ab]* \"a\"";
  for (int i = 0; i < 30; ++i) exponential += " [ab]";
  EXPECT_THAT(error(exponential), HasSubstr("too complex"));
}

TEST(Matcher, TheLimitOfDepthLeavesAWayOut) {
  const auto grammar = MustCompile(GrammarKind::kGbnf, "root ::= \"[\" (root \",\"?)* \"]\"");
  Matcher matcher(grammar);
  size_t depth = 0;
  while (matcher.AcceptBytes("[")) ++depth;
  EXPECT_GE(depth, size_t{kMaxDepth} - 1);
  EXPECT_LE(depth, size_t{kMaxDepth} + 1);
  for (; depth > 0; --depth) ASSERT_TRUE(matcher.AcceptBytes("]"));
  EXPECT_TRUE(matcher.IsFinished());
}

TEST(Matcher, ForcedBytesGoAsFarAsThereIsNoChoice) {
  Matcher matcher(MustCompile(GrammarKind::kGbnf, "root ::= \"{\\\"name\\\": \" [ab] \"}!\"? "));
  EXPECT_EQ(matcher.ForcedBytes(100), "{\"name\": ");
  EXPECT_EQ(matcher.ForcedBytes(3), "{\"n");
  ASSERT_TRUE(matcher.AcceptBytes("{\"name\": a"));
  EXPECT_TRUE(matcher.IsComplete());
  EXPECT_FALSE(matcher.IsFinished());
  EXPECT_EQ(matcher.ForcedBytes(100), "");  // it may end here
  EXPECT_FALSE(matcher.AcceptBytes("x"));
  ASSERT_TRUE(matcher.AcceptBytes("}!"));  // a refusal changes nothing
  EXPECT_TRUE(matcher.IsFinished());
}

TEST(Matcher, ATextWithVeryManyReadingsIsRefusedNotFollowed) {
  const auto grammar =
      MustCompile(GrammarKind::kGbnf, "root ::= a\na ::= b \"1\" | c \"2\" | \"x\"\nb ::= \"q\" a\nc ::= \"q\" a");
  Matcher matcher(grammar);
  size_t n = 0;
  while (n < 100 && matcher.AcceptBytes("q")) ++n;
  EXPECT_LT(n, 20u);
  EXPECT_TRUE(matcher.AcceptBytes("x12"));
}

}  // namespace
}  // namespace rf::grammar
