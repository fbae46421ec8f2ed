// Token masks against the plain way: every token's bytes, one by one.
#include <random>
#include <set>

#include "text/grammar/test_grammar.h"

namespace rf::grammar {
namespace {

constexpr const char* kSchema = R"({"type": "object", "properties": {
    "name": {"type": "string", "minLength": 2, "maxLength": 40}, "age": {"type": "integer", "minimum": 0},
    "text": {"type": "string"}, "when": {"type": "string", "format": "date"},
    "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$"},
    "more": {"type": "array", "items": {"anyOf": [{"$ref": "#"}, {"type": "number"}, {"enum": ["x", "xy", null]}]}}},
    "required": ["name"], "additionalProperties": {"type": "boolean"}})";

struct Source {
  GrammarKind kind;
  const char* text;
};
const std::vector<Source> kSources = {
    {GrammarKind::kJsonSchema, kSchema},
    {GrammarKind::kJsonSchema, "{}"},
    {GrammarKind::kJsonSchema, R"({"type": "string", "minLength": 3, "maxLength": 25})"},
    {GrammarKind::kJsonSchema, R"({"type": "array", "items": {"type": "string", "minLength": 20}})"},
    {GrammarKind::kJsonSchema,
     R"({"type": "array", "items": {"anyOf": [{"type": "string", "maxLength": 4}, {"const": "abcdefgh"},
         {"type": "string", "minLength": 7, "maxLength": 30}, {"type": "string", "pattern": "[a-z]+@x"}]}})"},
    {GrammarKind::kJsonSchema,
     R"({"type": "object", "properties": {"name": {"type": "string", "format": "email"}, "nab": {"format": "uri"},
         "age": {"type": "string", "pattern": "^[^ \"]*$", "minLength": 2}},
         "additionalProperties": {"maxLength": 9}})"},
    {GrammarKind::kRegex, "[a-z]{2,8}[a-z0-9 ]{1,20}x?"},
    {GrammarKind::kRegex, "([A-Za-z]{1,5}[, ]{1,2}){1,4}"},
    {GrammarKind::kGbnf,
     "root ::= (\"- \" item)+ code?\nitem ::= [^\\n]+ \"\\n\"\ncode ::= \"`\" [^`]{2,12} \"`\" root?"},
    {GrammarKind::kRegex, "(\\w+ ){2,30}[a-z]{17,50}(\\.|\xC3\xBC)"},
    {GrammarKind::kGbnf, "root ::= (word \" \"?)+ (\"\\n\" root)?\nword ::= [a-z]{1,40} | \"\\\"\" [^\"]* \"\\\"\""},
    {GrammarKind::kGbnf, "root ::= \"[\" (root \",\"? ws)* \"]\"\nws ::= [ \\n]*"},
    {GrammarKind::kGbnf,
     "root ::= x | y\nx ::= [a-e]{0,30} \":\" y?\ny ::= [a-z]{18} [0-9 ]{16,} z\nz ::= \"\" | \"\\n\" z"}};

// All single bytes, what documents are made of, and random pieces of some.
std::shared_ptr<const Vocabulary> MakeVocabulary() {
  std::set<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.insert(std::string(1, static_cast<char>(byte)));
  for (const char* token :
       {"{\"", "\":", "\": \"", "\",",  "\", \"", "\"}",  "}\n", "null", "true",     "fal",      "]]",       "[[[[",
        "[[]", "],",  " \n",    "\n  ", "\\u",    "\\\"", "0\"", " {",   "\xC3\xBC", "\xE4\xB8", "\xAD\xE4", "xy\"]"}) {
    tokens.insert(token);
  }
  const std::string text =
      "{\"name\": \"Gr\xC3\xBC\xC3\x9F Gott, world of words\", \"age\": 120, \"when\": \"2024-12-31\",\n  "
      "\"more\": [1.5e3, {\"name\": \"ab\"}, \"xy\", null], \"code\": \"ABC-12\", \"zz\": true}\nabcde:abc";
  std::mt19937 random(1);
  for (int i = 0; i < 1500; ++i) tokens.insert(text.substr(random() % text.size(), 1 + random() % 24));
  for (int i = 1; i < 30; ++i) tokens.insert(std::string(static_cast<size_t>(i), "a [0\""[i % 5]));
  std::vector<std::string> list(tokens.begin(), tokens.end());
  list.emplace_back();  // as control tokens are
  return std::make_shared<const Vocabulary>(std::move(list));
}

void CheckMask(Matcher& matcher, const Vocabulary& vocabulary, const std::string& where) {
  const std::span<const uint64_t> mask = matcher.TokenMask();
  const std::vector<uint64_t> kept(mask.begin(), mask.end());
  for (size_t id = 0; id < vocabulary.n_tokens(); ++id) {
    const bool is_allowed = (kept[id / 64] >> (id % 64) & 1) != 0;
    ASSERT_EQ(is_allowed, Matcher(matcher).AcceptToken(static_cast<int32_t>(id)))
        << testing::PrintToString(vocabulary.token(id)) << " after " << testing::PrintToString(where);
  }
}

TEST(Mask, AllowsExactlyTheTokensWhoseBytesFit) {
  const auto vocabulary = MakeVocabulary();
  for (const Source& source : kSources) {
    for (uint32_t seed = 0; seed < 6; ++seed) {
      const auto grammar = MustCompile(source.kind, source.text, vocabulary);
      std::mt19937 random(seed);
      Matcher matcher(grammar);
      std::string text;
      for (int i = 0; i < 40 && !matcher.IsFinished(); ++i) {
        CheckMask(matcher, *vocabulary, text);
        if (testing::Test::HasFatalFailure()) return;
        std::vector<int32_t> allowed;
        for (size_t id = 0; id < vocabulary->n_tokens(); ++id) {
          if ((matcher.TokenMask()[id / 64] >> (id % 64) & 1) != 0) allowed.push_back(static_cast<int32_t>(id));
        }
        ASSERT_FALSE(allowed.empty()) << source.text << " after " << text;
        const int32_t token = allowed[random() % allowed.size()];
        ASSERT_TRUE(matcher.AcceptToken(token));
        text += vocabulary->token(static_cast<size_t>(token));
      }
    }
  }
}

TEST(Mask, NearTheLimitOfDepthToo) {
  const auto vocabulary = MakeVocabulary();
  Matcher matcher(MustCompile(GrammarKind::kGbnf, "root ::= \"[\" (root \",\"?)* \"]\"", vocabulary));
  for (int i = 0; i < 1010 && matcher.AcceptBytes("["); ++i) {
    if (i % 100 == 99 || i > 990) CheckMask(matcher, *vocabulary, "brackets");
  }
}

TEST(Mask, ACopyGoesOnAlone) {
  const auto vocabulary = MakeVocabulary();
  Matcher matcher(MustCompile(GrammarKind::kJsonSchema, kSchema, vocabulary));
  ASSERT_TRUE(matcher.AcceptBytes("{\"name\": \"ab"));
  Matcher copy = matcher;
  ASSERT_TRUE(copy.AcceptBytes("\"}"));
  EXPECT_TRUE(copy.IsFinished());
  EXPECT_FALSE(matcher.IsComplete());
  CheckMask(matcher, *vocabulary, "{\"name\": \"ab");
}

}  // namespace
}  // namespace rf::grammar
