// The list of formats: names, ids, lookups.
#include "quant/format.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace rf {
namespace {

TEST(FormatTest, EveryFormatIsAtItsPlace) {
  for (int f = 0; f < kNumFormats; ++f) {
    const FormatInfo& info = GetFormatInfo(static_cast<Format>(f));
    EXPECT_EQ(static_cast<int>(info.format), f);
    EXPECT_NE(info.unpack, nullptr) << info.name;
    EXPECT_GT(info.block_bytes, 0) << info.name;
    EXPECT_EQ(256 % info.block_elements, 0) << info.name << ": kernels unpack 256 columns at a time";
  }
}

TEST(FormatTest, NamesAndIdsAreUnique) {
  std::set<std::string> names;
  std::set<int> ids;
  for (int f = 0; f < kNumFormats; ++f) {
    const FormatInfo& info = GetFormatInfo(static_cast<Format>(f));
    EXPECT_TRUE(names.insert(std::string(info.name)).second) << info.name;
    if (info.ggml_id >= 0) {
      EXPECT_TRUE(ids.insert(info.ggml_id).second) << info.name;
    }
  }
}

TEST(FormatTest, IsFoundByIdAndByNameInAnyCase) {
  ASSERT_NE(FindFormatByGgmlId(12), nullptr);
  EXPECT_EQ(FindFormatByGgmlId(12)->format, Format::kQ4_K);
  EXPECT_EQ(FindFormatByName("iq2_xxs")->format, Format::kIQ2_XXS);
  EXPECT_EQ(FindFormatByName("MXFP6_e2m3")->format, Format::kMXFP6_E2M3);
}

TEST(FormatTest, UnknownOnesAreNotFound) {
  EXPECT_EQ(FindFormatByGgmlId(4), nullptr);   // Q4_2, gone from ggml
  EXPECT_EQ(FindFormatByGgmlId(31), nullptr);  // Q4_0_4_4, gone too
  EXPECT_EQ(FindFormatByGgmlId(0xffffffffu), nullptr) << "the mark of formats without id is not an id";
  EXPECT_EQ(FindFormatByName("Q4"), nullptr);
  EXPECT_EQ(FindFormatByName(""), nullptr);
}

TEST(FormatTest, WhatFilesAndCachesAreWrittenInCanBePacked) {
  for (const char* name : {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q8_K", "MXFP4",
                           "MXFP6_E2M3", "MXFP6_E3M2"}) {
    EXPECT_NE(FindFormatByName(name)->pack, nullptr) << name;
  }
}

}  // namespace
}  // namespace rf
