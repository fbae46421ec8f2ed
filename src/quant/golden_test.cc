// Every format against the values and bytes that the reference implementations gave (tests/data/quant), bit for bit.
#include <gtest/gtest.h>

#include "quant/golden_data.h"

namespace rf {
namespace {

class GoldenTest : public testing::TestWithParam<int> {
 protected:
  const FormatInfo& info_ = GetFormatInfo(static_cast<Format>(GetParam()));
  const nlohmann::json golden_ = golden::ReadJson(std::string(info_.name));
};

TEST_P(GoldenTest, BlockSizes) {
  EXPECT_EQ(info_.block_elements, golden_["elements"].get<int>());
  EXPECT_EQ(info_.block_bytes, golden_["bytes"].get<int>());
}

TEST_P(GoldenTest, UnpacksTheShownBlocks) {
  const std::vector<float> wanted = golden::Floats(golden_["values"]);
  const std::vector<float> values = golden::Unpacked(info_, golden::Bytes(golden_["blocks"]));
  ASSERT_EQ(values.size(), wanted.size());
  ASSERT_FALSE(values.empty());
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(golden::CanonicalBits(values[i]), golden::CanonicalBits(wanted[i]))
        << "value " << i << " is " << values[i] << ", not " << wanted[i];
  }
}

TEST_P(GoldenTest, UnpacksManyRandomBlocks) {
  const std::vector<float> values = golden::Unpacked(info_, golden::RandomBlocks(info_.block_bytes));
  EXPECT_EQ(golden::DigestOfValues(values), golden_["unpack_digest"].get<std::string>());
}

class PackGoldenTest : public GoldenTest {};

TEST_P(PackGoldenTest, PacksTheNamedRows) {
  const nlohmann::json inputs = golden::ReadJson("pack_inputs");
  ASSERT_GE(golden_["packs"].size() + 1, inputs.size());
  for (const auto& [name, blocks] : golden_["packs"].items()) {
    const std::vector<uint8_t> wanted = golden::Bytes(blocks);
    const std::vector<uint8_t> packed = golden::Packed(info_, golden::Floats(inputs[name]));
    ASSERT_EQ(packed.size(), wanted.size());
    const auto block_bytes = static_cast<size_t>(info_.block_bytes);
    for (size_t i = 0; i < packed.size(); ++i) {
      ASSERT_EQ(packed[i], wanted[i]) << name << ": byte " << i % block_bytes << " of block " << i / block_bytes;
    }
  }
}

TEST_P(PackGoldenTest, PacksManyRandomRows) {
  const int elements = info_.block_elements < 32 ? 32 : info_.block_elements;
  EXPECT_EQ(golden::DigestOfBytes(golden::Packed(info_, golden::RandomRows(elements))),
            golden_["pack_digest"].get<std::string>());
  EXPECT_EQ(golden::DigestOfBytes(golden::Packed(info_, golden::RowsBelowPowers(elements))),
            golden_["below_powers_digest"].get<std::string>());
}

std::string NameOf(const testing::TestParamInfo<int>& parameter) {
  return std::string(GetFormatInfo(static_cast<Format>(parameter.param)).name);
}

std::vector<int> PackedFormats() {
  std::vector<int> formats;
  for (int f = 0; f < kNumFormats; ++f) {
    if (GetFormatInfo(static_cast<Format>(f)).pack != nullptr) formats.push_back(f);
  }
  return formats;
}

INSTANTIATE_TEST_SUITE_P(Formats, GoldenTest, testing::Range(0, kNumFormats), NameOf);
INSTANTIATE_TEST_SUITE_P(Formats, PackGoldenTest, testing::ValuesIn(PackedFormats()), NameOf);

}  // namespace
}  // namespace rf
