#include "base/utf8.h"

#include <cstring>

namespace rf {
namespace {

// The first byte decides the length and the range of the second byte.
struct LeadByte {
  uint32_t length;  // 0: never a lead byte
  uint8_t second_min, second_max;
};

LeadByte ClassifyLead(uint8_t lead) {
  if (lead < 0xC2 || lead > 0xF4) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {4, 0x80, 0xBF};
}

// Characters that a terminal may hide or that turn the direction of what follows.
bool IsDeceptive(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

std::string Hex(uint32_t value, int min_digits) {
  std::string digits;
  for (; value != 0 || static_cast<int>(digits.size()) < min_digits; value >>= 4) {
    digits.insert(digits.begin(), "0123456789abcdef"[value & 15]);
  }
  return digits;
}

std::string EscapeStep(const Utf8Step& step, const char* p) {
  if (!step.valid) {
    std::string out;
    for (uint32_t i = 0; i < step.length; ++i) out += "\\x" + Hex(static_cast<uint8_t>(p[i]), 2);
    return out;
  }
  switch (step.code_point) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\'': return "\\'";
    case '"': return "\\\"";
    case '\\': return "\\\\";
    default: break;
  }
  if (!IsDeceptive(step.code_point)) return std::string(p, step.length);
  return step.code_point < 0x80 ? "\\x" + Hex(step.code_point, 2) : "\\u{" + Hex(step.code_point, 4) + "}";
}

}  // namespace

Utf8Step DecodeUtf8Carefully(const char* p, size_t available) {
  const auto byte = [p](uint32_t i) { return static_cast<uint8_t>(p[i]); };
  Utf8Step step;
  step.length = 1;
  const LeadByte lead = ClassifyLead(byte(0));
  if (lead.length == 0) return step;
  char32_t value = byte(0) & (0x7Fu >> lead.length);
  for (uint32_t i = 1; i < lead.length; ++i) {
    if (i == available) {
      step.truncated = true;
      return step;
    }
    const uint8_t min = i == 1 ? lead.second_min : 0x80;
    const uint8_t max = i == 1 ? lead.second_max : 0xBF;
    if (byte(i) < min || byte(i) > max) return step;
    value = (value << 6) | (byte(i) & 0x3Fu);
    step.length = i + 1;
  }
  step.code_point = value;
  step.valid = true;
  return step;
}

size_t ValidUtf8Prefix(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    while (end - p >= 8) {  // eight ASCII bytes at a time
      uint64_t word;
      memcpy(&word, p, sizeof(word));
      if ((word & 0x8080808080808080u) != 0) break;
      p += 8;
    }
    if (p == end) break;
    const Utf8Step step = DecodeUtf8(p, end);
    if (!step.valid) break;
    p += step.length;
  }
  return static_cast<size_t>(p - text.data());
}

void AppendUtf8(std::string& out, char32_t code_point) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) {
    out += kReplacementUtf8;
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code_point >> 18));
    out += static_cast<char>(0x80 | ((code_point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  }
}

std::string ReplaceInvalidUtf8(std::string_view text, Utf8Replacement how) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t valid = ValidUtf8Prefix(text);
    out.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) break;
    const uint32_t length = DecodeUtf8(text.data(), text.data() + text.size()).length;
    out += kReplacementUtf8;
    text.remove_prefix(how == Utf8Replacement::kEveryByte ? 1 : length);
  }
  return out;
}

std::string EscapeForMessage(std::string_view text, size_t max_bytes) {
  constexpr std::string_view kCut = "...";
  std::string out;
  size_t cut_at = 0;  // longest prefix of `out` made of whole escapes that leaves room for kCut
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const Utf8Step step = DecodeUtf8(p, end);
    const std::string piece = EscapeStep(step, p);
    if (out.size() + piece.size() > max_bytes) {
      out.resize(cut_at);
      out += kCut;
      return out;
    }
    out += piece;
    if (out.size() + kCut.size() <= max_bytes) cut_at = out.size();
    p += step.length;
  }
  return out;
}

}  // namespace rf
