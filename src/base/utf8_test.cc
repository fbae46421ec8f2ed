#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace rf {
namespace {

Utf8Step Decode(std::string_view text) {
  return DecodeUtf8(text.data(), text.data() + text.size());
}

// Every code point against the definition of UTF-8 (RFC 3629, section 3), written here a second time with divisions.
TEST(Utf8Test, EveryCodePointRoundTrips) {
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    std::string expected;
    const auto add = [&expected](uint32_t byte) { expected.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
      add(c);
    } else if (c < 0x800) {
      add(192 + c / 64);
    } else if (c < 0x10000) {
      add(224 + c / 4096);
    } else {
      add(240 + c / 262144);
      add(128 + c / 4096 % 64);
    }
    if (c >= 0x800) add(128 + c / 64 % 64);
    if (c >= 0x80) add(128 + c % 64);
    const bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;
    const Utf8Step step = Decode(expected);
    ASSERT_EQ(step.valid, !is_surrogate) << c;
    std::string encoded;
    AppendUtf8(encoded, c);
    ASSERT_EQ(encoded, is_surrogate ? std::string(kReplacementUtf8) : expected) << c;
    if (is_surrogate) continue;
    ASSERT_EQ(static_cast<uint32_t>(step.code_point), c);
    ASSERT_EQ(step.length, expected.size());
    for (size_t cut = 1; cut < expected.size(); ++cut) {
      const Utf8Step part = Decode(std::string_view(expected).substr(0, cut));
      ASSERT_FALSE(part.valid);
      ASSERT_TRUE(part.truncated) << c;
      ASSERT_EQ(part.length, cut);
    }
  }
  std::string out;
  AppendUtf8(out, 0x110000);
  EXPECT_EQ(out, kReplacementUtf8);
}

// The examples of Unicode 15.0, tables 3-8 to 3-11: how many U+FFFD each ill-formed sequence becomes.
TEST(Utf8Test, ReplacesMaximalSubparts) {
  const std::string r(kReplacementUtf8);
  const auto repeat = [&r](int n) {
    std::string out;
    while (n-- > 0) out += r;
    return out;
  };
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), repeat(8) + "A");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), repeat(8) + "A");
  EXPECT_EQ(ReplaceInvalidUtf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), repeat(5) + "A" + repeat(2) + "B");
  EXPECT_EQ(ReplaceInvalidUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), repeat(4) + "A");
  EXPECT_EQ(ReplaceInvalidUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", Utf8Replacement::kEveryByte), repeat(8) + "A");
  EXPECT_EQ(ReplaceInvalidUtf8(""), "");
}

TEST(Utf8Test, ValidPrefixAcrossTheFastPath) {
  for (size_t n = 0; n < 40; ++n) {
    const std::string ascii(n, 'x');
    EXPECT_EQ(ValidUtf8Prefix(ascii), n);
    EXPECT_EQ(ValidUtf8Prefix(ascii + "\xFF" + ascii), n);
    EXPECT_EQ(ValidUtf8Prefix(ascii + "\xE2\x96\x81" + ascii), 2 * n + 3);
    EXPECT_EQ(ValidUtf8Prefix(ascii + "\xE2\x96"), n);
  }
}

TEST(Utf8Test, EscapesForMessages) {
  EXPECT_EQ(EscapeForMessage("plain \xC3\xA9"), "plain \xC3\xA9");
  EXPECT_EQ(EscapeForMessage("a\n\t'\"\\\x1b\x7f"), "a\\n\\t\\'\\\"\\\\\\x1b\\x7f");
  EXPECT_EQ(EscapeForMessage("\xE2\x80\xAE\xFF\xE4\xB8"), "\\u{202e}\\xff\\xe4\\xb8");
  EXPECT_EQ(EscapeForMessage(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(EscapeForMessage("0123456789", 10), "0123456789");
  EXPECT_EQ(EscapeForMessage("0123456789a", 10), "0123456...");
  EXPECT_EQ(EscapeForMessage("\xE4\xB8\x80\xE4\xB8\x80\xE4\xB8\x80\xE4\xB8\x80", 10), "\xE4\xB8\x80\xE4\xB8\x80...");
}

TEST(Utf8Test, EscapedTextIsAlwaysShortValidAndOnOneLine) {
  uint32_t seed = 12345;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (int i = 0; i < 24; ++i) {
      seed = seed * 1664525u + 1013904223u;
      bytes += static_cast<char>(seed >> 24);
    }
    const std::string out = EscapeForMessage(bytes, 20);
    ASSERT_LE(out.size(), 20u);
    ASSERT_TRUE(IsValidUtf8(out));
    ASSERT_EQ(out.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace rf
