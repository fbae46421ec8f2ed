#include "text/template/markup.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

constexpr std::array<std::pair<char, std::string_view>, 5> kEntities = {
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&#34;"}, {'\'', "&#39;"}}};

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t plain = std::min(text.find_first_of("&<>\"'"), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    for (const auto& [character, entity] : kEntities) {
      if (character == text[0]) out += entity;
    }
    text.remove_prefix(1);
  }
  return out;
}

Value EscapeUnsafe(const Value& text) {
  if (text.is_safe()) return text;
  MarkedText plain, escaped;
  text.AppendTo(plain);
  const std::string_view view = plain.text;
  size_t done = 0;
  for (const TextSpan& span : plain.input) {
    escaped.Append(EscapeHtml(view.substr(done, span.begin - done)));
    escaped.AppendInput(EscapeHtml(view.substr(span.begin, span.end - span.begin)));
    done = span.end;
  }
  escaped.Append(EscapeHtml(view.substr(done)));
  return Value::Str(std::move(escaped));
}

namespace {

std::string WithoutTags(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool comment = text.substr(at).starts_with("<!--");
    const size_t end = comment ? text.find("-->", at) : text[at] == '<' ? text.find('>', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      // Without an end nothing from here on is a tag.
      const size_t next = text[at] == '<' ? text.size() : std::min(text.find('<', at), text.size());
      out += text.substr(at, next - at);
      at = next;
    } else {
      at = end + (comment ? 3 : 1);
    }
  }
  return out;
}

std::string CollapseSpace(std::string_view text) {
  std::string out;
  bool space = false;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    if (IsSpace(c.value)) {
      space = !out.empty();
    } else {
      if (space) out += ' ';
      space = false;
      out += text.substr(at, c.size);
    }
    at += c.size;
  }
  return out;
}

}  // namespace

std::string StripTags(std::string_view text) {
  const std::string plain = CollapseSpace(WithoutTags(text));
  std::string out;
  for (size_t at = 0; at < plain.size();) {
    size_t size = 1;
    char c = plain[at];
    for (const auto& [character, entity] : kEntities) {
      if (c != '&' || !std::string_view(plain).substr(at).starts_with(entity)) continue;
      out += character;
      size = entity.size();
      c = 0;
      break;
    }
    if (c != 0) out += c;
    at += size;
  }
  return out;
}

}  // namespace rf::jinja
