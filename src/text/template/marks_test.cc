// Which bytes of a rendered text count as the template's own and which as the caller's.
#include <gtest/gtest.h>

#include <string>

#include "text/template/callable.h"
#include "text/template/template.h"

namespace rf {
namespace {

using nlohmann::ordered_json;

// The rendered text with what came from the context in {}; without the braces it is what Render gives.
std::string Marked(const std::string& source, const ordered_json& context = {{"u", "uSeR"}, {"bos", "<s>"}}) {
  const auto parsed = Template::Parse(source);
  if (!parsed) return parsed.error().ToString();
  RenderOptions options;
  options.own_variables = {"bos"};
  const auto rendered = parsed->RenderMarked(context, options);
  if (!rendered) return rendered.error().ToString();
  EXPECT_EQ(rendered->text, *parsed->Render(context, options));
  std::string out;
  size_t done = 0;
  for (const TextSpan& span : rendered->input) {
    EXPECT_LE(done, span.begin);
    EXPECT_LT(span.begin, span.end);
    out += rendered->text.substr(done, span.begin - done) + '{' +
           rendered->text.substr(span.begin, span.end - span.begin) + '}';
    done = span.end;
  }
  return out + rendered->text.substr(done);
}

TEST(MarksTest, TextAndValues) {
  EXPECT_EQ(Marked("<|a|>{{ u }}<|b|>"), "<|a|>{uSeR}<|b|>");
  EXPECT_EQ(Marked("{{ bos }}{{ u }}{{ u }}x"), "<s>{uSeRuSeR}x");
  EXPECT_EQ(Marked("{{ '<|' ~ u ~ '|>' }}"), "<|{uSeR}|>");
  EXPECT_EQ(Marked("{{ '<|' + u + '|>' }}"), "<|{uSeR}|>");
  EXPECT_EQ(Marked("{{ 'ab' * 2 }}{{ u * 2 }}"), "abab{uSeRuSeR}");
  EXPECT_EQ(Marked("{{ missing }}{{ none }}{{ 1 + 2 }}"), "None3");
}

TEST(MarksTest, Slices) {
  EXPECT_EQ(Marked("{% set s = '<' ~ u ~ '>' %}{{ s[:3] }}{{ s[1:-1] }}{{ s[-2:] }}"), "<{uSuSeRR}>");
  EXPECT_EQ(Marked("{% set s = '<' ~ u ~ '>' %}{{ s[0] }}{{ s[1] }}{{ s|first }}"), "<{u}<");
  EXPECT_EQ(Marked("{% set s = '<' ~ u ~ '>' %}{{ s[::-1] }}{{ s|reverse }}"), "{>ReSu<>ReSu<}");
  EXPECT_EQ(Marked("{% set s = '< ' ~ u ~ ' >' %}{{ s.split(' ')[0] }}{{ s.split()[1] }}{{ s.partition('u')[1] }}"),
            "<{uSeRu}");
  EXPECT_EQ(Marked("{% for c in 'x' ~ u %}{{ c }}.{% endfor %}"), "x.{u}.{S}.{e}.{R}.");
}

TEST(MarksTest, FiltersThatFollowEveryByte) {
  EXPECT_EQ(Marked("{{ (' <' ~ u ~ '> ')|trim }}"), "<{uSeR}>");
  EXPECT_EQ(Marked("{{ ('<' ~ u ~ '>').strip('<') }}"), "{uSeR}>");
  EXPECT_EQ(Marked("{{ ('<' ~ u ~ '>').removeprefix('<').removesuffix('>') }}"), "{uSeR}");
  EXPECT_EQ(Marked("{{ ['<a>', u, '<b>']|join('<|>') }}"), "<a><|>{uSeR}<|><b>");
  EXPECT_EQ(Marked("{{ '<|>'.join(['<a>', u]) }}{{ [1, 2]|join(u) }}"), "<a><|>{uSeR}1{uSeR}2");
  EXPECT_EQ(Marked("{{ ('<' ~ u ~ '>').replace('S', '|') }}"), "<{u}|{eR}>");
  EXPECT_EQ(Marked("{{ '<x>'|replace('x', u) }}{{ 'ab'|replace('', u, 2) }}"), "<{uSeR}>{uSeR}a{uSeR}b");
  EXPECT_EQ(Marked("{{ u|default('<d>') }}{{ missing|default('<d>') }}"), "{uSeR}<d>");
  EXPECT_EQ(Marked("{{ [u, '<a>']|list|first }}{{ [u, '<a>']|last }}"), "{uSeR}<a>");
  EXPECT_EQ(Marked("{{ {'user': '<|user|>'}.get('user') }}{{ {'k': u}.k }}"), "<|user|>{uSeR}");
}

TEST(MarksTest, PrintedContainers) {
  EXPECT_EQ(Marked("{{ [u, '<a>', 1] }}"), "[{'uSeR'}, '<a>', 1]");
  EXPECT_EQ(Marked("{{ {'k': u}|tojson }}"), "{\"k\": {\"uSeR\"}}");
  EXPECT_EQ(Marked("{{ d|tojson }}", {{"d", {{"a<", {1, true}}}}}), "{{\"a<\"}: [1, true]}");
  EXPECT_EQ(Marked("{{ d|string }}", {{"d", {"x"}}}), "[{'x'}]");
  EXPECT_EQ(Marked("{{ d|from_json|join }}", {{"d", R"(["<a>", 1])"}}), "{<a>}1");
}

TEST(MarksTest, CapturedText) {
  EXPECT_EQ(Marked("{% set s %}<a>{{ u }}<b>{% endset %}{{ s }}"), "<a>{uSeR}<b>");
  EXPECT_EQ(Marked("{% macro m(x) %}<a>{{ x }}{% endmacro %}{{ m(u) ~ m('y') }}"), "<a>{uSeR}<a>y");
  EXPECT_EQ(Marked("{% filter trim %} <a>{{ u }} {% endfilter %}"), "<a>{uSeR}");
  EXPECT_EQ(Marked("{% set ns = namespace(s='<a>') %}{% set ns.s = ns.s + u %}{{ ns.s }}"), "<a>{uSeR}");
  EXPECT_EQ(Marked("{% macro m() %}<{{ caller(u) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}"), "<{uSeR}>");
}

TEST(MarksTest, SafeText) {
  EXPECT_EQ(Marked("{{ ('<' ~ u)|safe + '<' + u }}", {{"u", "a<"}}), "<{a<}&lt;{a&lt;}");
  EXPECT_EQ(Marked("{{ u + '[X]' + '{}'|safe }}", {{"u", "a"}}), "{a}[X]{}");
}

TEST(MarksTest, RolesThatAreKnownAreTheTemplatesOwn) {
  const ordered_json context = {{"messages", {{{"role", "user"}, {"content", "user"}}, {{"role", "im_end"}}}}};
  EXPECT_EQ(Marked("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}", context),
            "<|user|>{user}<|{im_end}|>");
}

// Whatever else makes a text of the caller's text marks it: every filter and every method of strings is tried.
TEST(MarksTest, NothingLosesTheMark) {
  using namespace jinja;  // NOLINT(google-build-using-namespace)
  int n_tried = 0;
  const auto try_all = [&n_tried](std::span<const Builtin> table, const char* format) {
    for (const Builtin& row : table) {
      for (const char* arguments : {"", "u", "'%s', u", "30", "30, u[0]", "u, u", "'-', '%'", "[u]", "{'k': u}"}) {
        std::string call = format;
        call.replace(call.find('@'), 1, row.name);
        call.replace(call.find('#'), 1, arguments);
        const auto parsed = Template::Parse("{% set r = " + call + " %}{% if r is string %}{{ r }}{% endif %}");
        if (!parsed) continue;
        const auto rendered = parsed->RenderMarked({{"u", "QZJ"}});
        if (!rendered) continue;
        std::string own = rendered->text;
        for (const TextSpan& span : rendered->input)
          own.replace(span.begin, span.end - span.begin, span.end - span.begin, '\0');
        EXPECT_EQ(own.find_first_of("QqZzJj"), std::string::npos) << call << ": " << rendered->text;
        n_tried += !rendered->text.empty();
      }
    }
  };
  for (const char* format : {"u|@(#)", "('% ' ~ u)|@(#)", "'% 5'|@(#)", "[u]|@(#)", "{u: u}|@(#)"}) {
    for (const auto table : {StringFilters(), LayoutFilters(), NumberFilters(), SequenceFilters(), SelectFilters()}) {
      try_all(table, format);
    }
  }
  for (const char* format : {"u.@(#)", "('%%' ~ u).@(#)", "'{}'.@(#)", "'{0}{0}'.@(#)", "'{k}'.@(#)"}) {
    try_all(StringMethods(), format);
    try_all(StringSearchMethods(), format);
  }
  EXPECT_GT(n_tried, 300);
  EXPECT_EQ(Marked("{{ '%s <|%d|>' % (u, 5) }}"), "{uSeR <|5|>}");
  EXPECT_EQ(Marked("{{ '%s <|%d|>' % ('a', 5) }}"), "a <|5|>");
}

}  // namespace
}  // namespace rf
