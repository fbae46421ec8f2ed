// Limits, errors and safety of the template interpreter. What the language means is checked against the reference in
// tests/golden/template_golden_test.cc.
#include "text/template/template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace rf {
namespace {

using nlohmann::ordered_json;

std::string Repeat(std::string_view piece, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += piece;
  return out;
}

Result<std::string> RenderText(const std::string& source, const ordered_json& context = ordered_json::object(),
                               const RenderOptions& options = {}) {
  RF_ASSIGN_OR_RETURN(const Template parsed, Template::Parse(source));
  return parsed.Render(context, options);
}

// The error of rendering, which must be one.
Error ErrorOf(const std::string& source, const RenderOptions& options = {}) {
  const Result<std::string> result = RenderText(source, ordered_json::object(), options);
  EXPECT_FALSE(result) << source << " gave " << result.value().substr(0, 100);
  const Error error = result ? Error{ErrorCode::kCancelled, "", ""} : result.error();
  EXPECT_LE(error.ToString().size(), 300u);
  EXPECT_EQ(error.ToString().find('\n'), std::string::npos);
  return error;
}

TEST(TemplateErrors, NameLineAndColumn) {
  EXPECT_EQ(ErrorOf("abc\n  {{ x.y }}").ToString(), "template:2:7: 'x' is undefined");
  EXPECT_EQ(ErrorOf("{% if a %}\n\n{% endfor %}").where, "template:3:4");
  EXPECT_EQ(ErrorOf("{{ 1 / 0 }}").where, "template:1:6");
  EXPECT_EQ(ErrorOf("ä{{ 'a'|nosuch }}").ToString(), "template:1:10: no filter named 'nosuch'");
}

TEST(TemplateErrors, UnclosedTags) {
  EXPECT_EQ(ErrorOf("a\n{% if x").where, "template:2:8");
  EXPECT_EQ(ErrorOf("a {{ x").where, "template:1:7");
  EXPECT_EQ(ErrorOf("a {# x").ToString(), "template:1:3: missing end of comment tag");
  EXPECT_EQ(ErrorOf("{% if x %}\n").ToString(),
            "template:1:11: the template ends inside 'if' of template:1:4; it needs 'endif'");
}

TEST(TemplateErrors, NulByte) {
  EXPECT_EQ(ErrorOf(std::string("a\nb\0c", 5)).ToString(), "template:2:2: a NUL byte at offset 3");
}

TEST(TemplateErrors, RaisedMessageIsKeptAndBounded) {
  const Error error = ErrorOf("\n{{ raise_exception('say \"no\" to ' ~ 'it\\'s') }}");
  EXPECT_EQ(error.code, ErrorCode::kRejected);
  EXPECT_EQ(error.message, "say \"no\" to it's");
  EXPECT_EQ(error.where, "template:2:19");
  const Error hostile = ErrorOf("{{ raise_exception('\\n\\x1b[2J' ~ 'x' * 1000) }}");
  EXPECT_EQ(hostile.message.substr(0, 12), "\\n\\x1b[2Jxxx");
  EXPECT_EQ(hostile.message.size(), 263u);
}

TEST(TemplateSafety, NothingOutsideIsReachable) {
  for (const char* source :
       {"{{ ''.__class__.__mro__ }}", "{{ self.__init__ }}", "{{ cycler.__init__.__globals__ }}", "{{ lipsum() }}",
        "{{ [].__class__.__base__ }}", "{{ (1).__class__.x }}", "{{ range.__self__.x }}", "{{ ''['__class__'].x }}",
        "{{ ''|attr('__class__')|attr('x') }}", "{{ '{0.__class__.x}'.format('') }}", "{{ config.items() }}"}) {
    EXPECT_NE(ErrorOf(source).message.find("undefined") != std::string::npos,
              ErrorOf(source).message.find("has no attribute") != std::string::npos)
        << source << ": " << ErrorOf(source).message;
  }
}

TEST(TemplateSafety, IncludesAreUnsupported) {
  EXPECT_EQ(ErrorOf("{% include '/etc/passwd' %}").code, ErrorCode::kUnsupported);
  EXPECT_EQ(ErrorOf("{% import 'x' as y %}").code, ErrorCode::kUnsupported);
}

TEST(TemplateLimits, SourceSize) {
  TemplateLimits limits;
  limits.max_source_bytes = 1000;
  EXPECT_TRUE(Template::Parse(std::string(999, 'a'), limits));
  EXPECT_TRUE(Template::Parse(std::string(1000, 'a'), limits));
  const auto refused = Template::Parse(std::string(1001, 'a'), limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the chat template has 1001 bytes, at most 1000 are allowed");
  EXPECT_FALSE(Template::Parse(std::string(size_t{10} << 20, 'a')));
}

TEST(TemplateLimits, SourceNesting) {
  const auto nested = [](size_t n) { return "{{ " + Repeat("(", n) + "1" + Repeat(")", n) + " }}"; };
  // The body and the expression itself are two levels.
  EXPECT_TRUE(RenderText(nested(61)));
  EXPECT_TRUE(RenderText(nested(62)));
  EXPECT_FALSE(RenderText(nested(63)));
  for (const char* piece : {"(", "[", "{1:", "not ", "-", "x[", "f(", "1 if 1 else ", "'a' is in ["}) {
    EXPECT_NE(ErrorOf("{{ " + Repeat(piece, 20'000) + "1 }}").message.find("nested more than 64 deep"),
              std::string::npos)
        << piece;
  }
  for (const char* piece : {"{% if 1 %}", "{% for x in y %}", "{% set x %}", "{% macro m() %}", "{% filter upper %}"}) {
    EXPECT_NE(ErrorOf(Repeat(piece, 10'000)).message.find("nested more than 64 deep"), std::string::npos) << piece;
  }
}

TEST(TemplateLimits, HundredThousandBracketsAreAnErrorNotACrash) {
  TemplateLimits limits;
  limits.max_source_bytes = size_t{4} << 20;
  for (const char* piece : {"(", "{% if 1 %}", "[", "-"}) {
    const bool is_block = piece[0] == '{';
    EXPECT_FALSE(Template::Parse((is_block ? "" : "{{ ") + Repeat(piece, 100'000), limits)) << piece;
  }
}

TEST(TemplateLimits, LongChainsAreNotNesting) {
  EXPECT_EQ(*RenderText("{{ 0" + Repeat(" + 1", 20'000) + " }}"), "20000");
  EXPECT_EQ(RenderText("{{ 'a'" + Repeat(" ~ 'a'", 5'000) + " }}")->size(), 5'001u);
  EXPECT_EQ(*RenderText("{{ 'a'" + Repeat("|upper|lower", 5'000) + " }}"), "a");
  EXPECT_EQ(*RenderText("{% if 0 %}" + Repeat("{% elif 0 %}", 5'000) + "{% else %}x{% endif %}"), "x");
}

TEST(TemplateLimits, MacroDepth) {
  const std::string macro = "{% macro m(n) %}{% if n > 1 %}{{ m(n - 1) }}{% endif %}.{% endmacro %}";
  EXPECT_EQ(*RenderText(macro + "{{ m(63) }}"), std::string(63, '.'));
  EXPECT_EQ(*RenderText(macro + "{{ m(64) }}"), std::string(64, '.'));
  EXPECT_EQ(ErrorOf(macro + "{{ m(65) }}").message, "macro calls are nested more than 64 deep");
  EXPECT_FALSE(RenderText("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"));
  EXPECT_FALSE(RenderText("{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}"));
}

TEST(TemplateLimits, Steps) {
  RenderOptions options;
  options.limits.max_steps = 1000;
  EXPECT_TRUE(RenderText("{% for i in range(150) %}{{ i }}{% endfor %}", ordered_json::object(), options));
  EXPECT_EQ(ErrorOf("{% for i in range(1000) %}{{ i }}{% endfor %}", options).message,
            "the template takes more than 1000 steps");
  EXPECT_FALSE(RenderText("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"));
}

TEST(TemplateLimits, Output) {
  RenderOptions options;
  options.limits.max_output_bytes = 1000;
  for (const int size : {999, 1000}) {
    EXPECT_TRUE(RenderText(fmt::format("{{{{ 'a' * {} }}}}", size), ordered_json::object(), options)) << size;
  }
  EXPECT_EQ(ErrorOf("{{ 'a' * 1001 }}", options).message, "the template's output is longer than 1000 bytes");
  EXPECT_FALSE(RenderText("{% for i in range(99999) %}{{ 'abcdefghij' * 100 }}{% endfor %}"));
}

TEST(TemplateLimits, Memory) {
  const std::string doubling = "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ";
  for (const char* grow : {"ns.s + ns.s", "ns.s ~ ns.s", "ns.s * 2", "ns.s.replace('a', 'aa')", "[ns.s, ns.s]|join",
                           "ns.s.join(['a', 'a', 'a'])", "'%s%s' % (ns.s, ns.s)", "'{0}{0}'.format(ns.s)",
                           "ns.s|replace('', 'aa')", "(ns.s|list) * 2 if i % 2 == 0 else ns.s|join"}) {
    EXPECT_FALSE(RenderText(doubling + grow + " %}{% endfor %}")) << grow;
  }
  for (const char* source :
       {"{{ 'a' * 10**12 }}", "{{ [1] * 10**12 }}", "{{ 'a'.center(10**12) }}", "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}", "{{ 'a'|indent(10**12) }}", "{{ 2 ** 10 ** 30 }}", "{{ 'a'.zfill(10**9) }}",
        "{{ range(10**9) }}", "{{ [1]|batch(10**9, 0)|list }}", "{{ '\\t'.expandtabs(10**9) }}"}) {
    EXPECT_FALSE(RenderText(source)) << source;
  }
}

// Values nested deeper than the stack would bear: printing fails, freeing must not recurse.
TEST(TemplateLimits, DeepValues) {
  const std::string deep =
      "{% set ns = namespace(v=[]) %}{% for i in range(50000) %}{% set ns.v = [ns.v] %}{% endfor %}";
  EXPECT_EQ(*RenderText(deep + "ok"), "ok");
  for (const char* use : {"{{ ns.v }}", "{{ ns.v|tojson }}", "{{ ns.v == [ns.v] }}", "{{ ns.v < [ns.v] }}"}) {
    EXPECT_NE(ErrorOf(deep + use).message.find("nested more than 200 levels"), std::string::npos) << use;
  }
  ordered_json context = 1;
  for (int i = 0; i < 300; ++i) context = ordered_json::array({context});
  EXPECT_FALSE(RenderText("{{ x }}", {{"x", context}}));
}

// Run under AddressSanitizer these find leaks of cyclic values.
TEST(TemplateSafety, CyclesAreFreed) {
  EXPECT_TRUE(RenderText("{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.l = [ns] %}"));
  EXPECT_TRUE(RenderText("{% for i in [1] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}"));
  EXPECT_FALSE(RenderText("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}"));
  RenderOptions lenient;
  lenient.lenient = true;
  const ordered_json none = ordered_json::object();
  EXPECT_TRUE(RenderText("{% set l = [] %}{{ l.append(l) }}", none, lenient));
  EXPECT_TRUE(RenderText("{% set d = {} %}{{ d.update({'d': d}) }}", none, lenient));
  EXPECT_FALSE(RenderText("{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", none, lenient));
}

TEST(TemplateLenient, MutationIsOnlyAllowedThere) {
  const std::string source = "{% set l = [1] %}{% set _ = l.append(2) %}{{ l.pop(0) }}{{ l }}";
  EXPECT_FALSE(RenderText(source));
  RenderOptions lenient;
  lenient.lenient = true;
  EXPECT_EQ(*RenderText(source, ordered_json::object(), lenient), "1[2]");
}

TEST(TemplateWarnings, HiddenCodePoints) {
  const auto parsed = Template::Parse("a\nb\u202e{{ 1 }}\u200b\u00e9");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->warnings().size(), 2u);
  EXPECT_EQ(parsed->warnings()[0].message,
            "template:2:2: U+202E, a bidirectional control, which a reader does not see");
  EXPECT_EQ(parsed->warnings()[1].code_point, 0x200bu);
  EXPECT_TRUE(Template::Parse("plain {{ é }} 中")->warnings().empty());
}

TEST(TemplateLanguage, ThingsTheReferenceCasesLeaveOut) {
  const ordered_json context = {{"big", {{"k0", 0}}},
                                {"u", 18446744073709551615u},
                                {"bad",
                                 "a\xff\xfe"
                                 "b"}};
  EXPECT_EQ(*RenderText("{{ u }} {{ u + 1 }}", context), "18446744073709551615 18446744073709551616");
  EXPECT_EQ(*RenderText("{{ bad|length }} {{ bad[1:3]|length }}", context), "4 2");
  EXPECT_EQ(*RenderText("{% for i in [1,2] %}{% for j in [] %}{% else %}{% break %}{% endfor %}{{ i }}{% endfor %}|"),
            "|");
  EXPECT_EQ(*RenderText("{% macro m() %}{{ g }}{% endmacro %}{% set g = 5 %}{{ m() }}"), "5");
  EXPECT_EQ(*RenderText("{% set d = dict(a=1) %}{{ d.items is defined }}{{ d.b is defined }}"), "TrueFalse");
}

TEST(TemplateLanguage, LargeDictsFindTheirKeys) {
  ordered_json big = ordered_json::object();
  for (int i = 0; i < 1000; ++i) big[fmt::format("key{}", i)] = i;
  const ordered_json context = {{"big", big}};
  EXPECT_EQ(*RenderText("{{ big.key0 }} {{ big.key999 }} {{ big['key500'] }} {{ 'key1000' in big }}", context),
            "0 999 500 False");
  EXPECT_EQ(*RenderText("{% for k in big if big[k] % 250 == 7 %}{{ k }} {% endfor %}", context),
            "key7 key257 key507 key757 ");
}

TEST(Template, RendersInSeveralThreads) {
  const auto parsed = Template::Parse(
      "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.v %}{{ 'x' ~ m.v }}{% endfor %}{{ "
      "ns.n }}");
  ASSERT_TRUE(parsed);
  const ordered_json context = {{"messages", {{{"v", 1}}, {{"v", 2}}}}};
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (std::string& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) result = parsed->Render(context).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results) EXPECT_EQ(result, "x1x23");
}

TEST(Template, MentionsItsNames) {
  const auto parsed = Template::Parse("{% if enable_thinking %}{{ messages }}{% endif %}");
  EXPECT_TRUE(parsed->Mentions("enable_thinking"));
  EXPECT_FALSE(parsed->Mentions("tools"));
  EXPECT_FALSE(parsed->Mentions("caller"));
}

}  // namespace
}  // namespace rf
