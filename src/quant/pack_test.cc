// Edges of packing and unpacking whose results follow from the formulas by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/golden_data.h"

namespace rf {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const FormatInfo& Info(const char* name) {
  return *FindFormatByName(name);
}

std::vector<float> UnpackHex(const char* name, const std::string& hexadecimal) {
  return golden::Unpacked(Info(name), golden::Bytes(hexadecimal));
}

std::string Repeat(const char* text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

TEST(UnpackEdgeTest, SubnormalScale) {
  const std::vector<float> values = UnpackHex("Q4_0", "0100" + Repeat("f0", 16));  // d = 2^-24, quants 0 and 15
  EXPECT_EQ(values[0], std::ldexp(-8.0f, -24));
  EXPECT_EQ(values[31], std::ldexp(7.0f, -24));
}

TEST(UnpackEdgeTest, InfiniteScale) {
  const std::vector<float> values = UnpackHex("Q4_0", "007c" + Repeat("8f", 16));  // quants 15 and 8
  EXPECT_EQ(values[0], kInfinity);
  EXPECT_TRUE(std::isnan(values[16])) << "infinity times 0";
}

TEST(UnpackEdgeTest, LargestScale) {
  const std::vector<float> values = UnpackHex("Q8_0", "ff7b" + Repeat("80", 32));
  EXPECT_EQ(values[0], 65504.0f * -128.0f);
}

TEST(UnpackEdgeTest, PowersOfTwoScalesAtTheirEnds) {
  EXPECT_EQ(UnpackHex("MXFP4", "00" + Repeat("11", 16))[0], std::ldexp(1.0f, -128));  // 0.5 * 2^-127, subnormal
  EXPECT_EQ(UnpackHex("MXFP4", "fe" + Repeat("22", 16))[0], std::ldexp(1.0f, 127));
  EXPECT_EQ(UnpackHex("MXFP4", "ff" + Repeat("11", 16))[0], std::ldexp(1.0f, 127)) << "ggml knows no NaN scale";
  EXPECT_TRUE(std::isnan(UnpackHex("MXFP6_E2M3", "ff" + Repeat("00", 24))[0])) << "OCP MX does";
  EXPECT_EQ(UnpackHex("MXFP6_E2M3", "00410000" + Repeat("00", 21))[0], std::ldexp(1.0f, -130));
  EXPECT_EQ(UnpackHex("NVFP4", "7f7e0100" + Repeat("22", 32))[0], 0.0f) << "nor a NaN E4M3";
  EXPECT_EQ(UnpackHex("NVFP4", "7f7e0100" + Repeat("22", 32))[16], 448.0f);
  EXPECT_EQ(UnpackHex("NVFP4", "7f7e0100" + Repeat("22", 32))[32], std::ldexp(1.0f, -9));
}

TEST(UnpackEdgeTest, WideTypesAreRoundedToF32) {
  EXPECT_EQ(UnpackHex("I32", "01000001")[0], 16777216.0f);  // 2^24 + 1, half-way: to even
  EXPECT_EQ(UnpackHex("I64", "ffffffffffffff7f")[0], std::ldexp(1.0f, 63));
  EXPECT_EQ(UnpackHex("F64", "9a9999999999b93f")[0], 0.1f);
  EXPECT_EQ(UnpackHex("F64", "ffffffffffffef7f")[0], kInfinity);
  EXPECT_TRUE(std::isnan(UnpackHex("F64", "000000000000f87f")[0]));
}

TEST(PackEdgeTest, SmallBlocksOfTinyNumbersKeepTheirValuesInPowersOfTwo) {
  const std::vector<float> tiny(32, std::ldexp(1.0f, -128));
  for (const char* name : {"MXFP4", "MXFP6_E2M3", "MXFP6_E3M2"}) {
    EXPECT_EQ(golden::Unpacked(Info(name), golden::Packed(Info(name), tiny)), tiny) << name;
  }
}

TEST(PackEdgeTest, NumbersThatTheElementsHoldComeBack) {
  std::vector<float> values(32);
  for (int j = 0; j < 32; ++j) values[static_cast<size_t>(j)] = static_cast<float>(j) / 4 * (j % 2 == 0 ? 1 : -1);
  EXPECT_EQ(
      golden::Unpacked(Info("MXFP6_E2M3"), golden::Packed(Info("MXFP6_E2M3"), {values.begin(), values.end()}))[30],
      7.5f);
  std::vector<float> quants(32);
  for (int j = 0; j < 32; ++j) quants[static_cast<size_t>(j)] = static_cast<float>(j * 8 - 127);
  quants[31] = 127;
  EXPECT_EQ(golden::Unpacked(Info("Q8_0"), golden::Packed(Info("Q8_0"), quants)), quants);
}

// A block with a NaN or an infinity packs to something without undefined behaviour (the sanitizer builds look), its
// neighbours stay as they are, and what can say "not finite" does.
TEST(PackEdgeTest, NotFiniteValues) {
  for (int f = 0; f < kNumFormats; ++f) {
    const FormatInfo& info = GetFormatInfo(static_cast<Format>(f));
    if (info.pack == nullptr) continue;
    const std::vector<uint8_t> clean = golden::Packed(info, std::vector<float>(512, 1.0f));
    for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
      std::vector<float> values(512, 1.0f);
      values[3] = bad;
      std::vector<uint8_t> blocks = golden::Packed(info, values);
      EXPECT_TRUE(std::equal(blocks.begin() + RowBytes(info, 256), blocks.end(), clean.begin() + RowBytes(info, 256)))
          << info.name << ": another block changed";
      const std::vector<float> got = golden::Unpacked(info, blocks);
      if (info.name.starts_with("MXFP6") || info.block_elements == 1) {
        EXPECT_FALSE(std::isfinite(got[3])) << info.name;
      }
      if (info.name.starts_with("Q") && std::isinf(bad)) {  // NaNs are not seen, docs/quant/README.md
        EXPECT_TRUE(std::any_of(got.begin(), got.end(), [](float value) { return !std::isfinite(value); }))
            << info.name;
      }
    }
    EXPECT_EQ(golden::Packed(info, std::vector<float>(256, kNan)).size(), static_cast<size_t>(RowBytes(info, 256)));
  }
}

}  // namespace
}  // namespace rf
