// The emulator's matrix instructions against a plain triple loop, in the layout of each GPU family.
#include "hip/kernels/matrix_fragments.h"

#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hip/emulation/emulator.h"
#include "hip/emulation/matrix_layout.h"

namespace rf::hip {
namespace {

using emulation::MatrixLayout;

int WaveOf(MatrixLayout layout) {
  return layout == MatrixLayout::kGfx90a || layout == MatrixLayout::kGfx942 ? 64 : 32;
}

// A stream of the device whose waves have the layout's lanes.
class FragmentsTest : public testing::TestWithParam<MatrixLayout> {
 protected:
  void SetUp() override {
    context_.device = WaveOf(GetParam()) == 64 ? 1 : 0;
    ASSERT_EQ(api_.describe(context_.device, &traits_), 0);
    ASSERT_EQ(api_.create_stream(context_.device, &context_.stream), 0);
    context_.traits = &traits_;
    emulation::SetMatrixLayout(GetParam());
  }
  void TearDown() override {
    EXPECT_EQ(api_.destroy_stream(context_.device, context_.stream), 0);
    emulation::SetMatrixLayout(MatrixLayout::kMmaSync);
  }
  int Synchronize() { return api_.synchronize(context_.device, context_.stream); }

  const GpuApi& api_ = emulation::Api();
  GpuTraits traits_;
  GpuContext context_ = {};
};

INSTANTIATE_TEST_SUITE_P(Layout, FragmentsTest,
                         testing::Values(MatrixLayout::kMmaSync, MatrixLayout::kGfx11, MatrixLayout::kGfx12,
                                         MatrixLayout::kGfx90a, MatrixLayout::kGfx942));

constexpr int kSum = 7;      // before
constexpr int kStride = 12;  // words between rows: more than a row has

template <int kK>
RF_KERNEL Multiply(const int* a, const int* b, int* sums) {
  MatrixSums before;
  for (int& value : before.values) value = kSum;
  const MatrixSums product = MultiplyMatrices<kK>(LoadRows<kK>(a, kStride), LoadColumns<kK>(b, kStride), before);
  for (int i = 0; i < MatrixValuesOfLane(); ++i) sums[MatrixRow(i) * 16 + MatrixColumn(i)] = product.values[i];
}

int ByteAt(const std::vector<int>& rows, int row, int column) {
  return static_cast<int8_t>(rows[static_cast<size_t>(row * kStride + column / 4)] >> (column % 4 * 8));
}

template <int kK>
void ExpectProductOfRandomBytes(GpuContext& context, const std::function<int()>& synchronize) {
  std::mt19937 random(kK);
  std::vector<int> a(16 * kStride);
  std::vector<int> b(16 * kStride);
  for (int& word : a) word = static_cast<int>(random());
  for (int& word : b) word = static_cast<int>(random());
  std::vector<int> sums(256, -1);
  Launch(&context, Multiply<kK>, {1}, context.traits->wave_size, 0, a.data(), b.data(), sums.data());
  ASSERT_EQ(synchronize(), 0);
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 16; ++column) {
      int wanted = kSum;
      for (int k = 0; k < kK; ++k) wanted += ByteAt(a, row, k) * ByteAt(b, column, k);
      ASSERT_EQ(sums[static_cast<size_t>(row * 16 + column)], wanted) << row << ", " << column;
    }
  }
}

TEST_P(FragmentsTest, MultiplyAsATripleLoopDoes) {
  const auto synchronize = [this] { return Synchronize(); };
  ExpectProductOfRandomBytes<16>(context_, synchronize);
  ExpectProductOfRandomBytes<32>(context_, synchronize);
}

TEST_P(FragmentsTest, EveryWordAndEverySumHasALane) {
  const int wave = WaveOf(GetParam());
  for (int n_columns : {16, 32}) {
    std::set<std::pair<int, int>> words;
    for (int lane = 0; lane < wave; ++lane) {
      for (int i = 0; i < emulation::WordsOfLane(GetParam(), n_columns); ++i) {
        const auto place = emulation::WordPlace(GetParam(), lane, i, n_columns);
        if (place.column != emulation::kNowhere) words.emplace(place.row, place.column);
      }
    }
    EXPECT_EQ(words.size(), 16 * n_columns / 4);
  }
  std::set<std::pair<int, int>> sums;
  for (int lane = 0; lane < wave; ++lane) {
    for (int i = 0; i < 256 / wave; ++i) {
      const auto place = emulation::SumPlace(GetParam(), lane, i);
      EXPECT_TRUE(sums.emplace(place.row, place.column).second);
    }
  }
  EXPECT_EQ(sums.size(), 256u);
}

std::pair<int, int> SumAt(MatrixLayout layout, int lane, int i) {
  const auto place = emulation::SumPlace(layout, lane, i);
  return {place.row, place.column};
}
std::pair<int, int> WordAt(MatrixLayout layout, int lane, int i, int n_columns) {
  const auto place = emulation::WordPlace(layout, lane, i, n_columns);
  return {place.row, place.column};
}

// Single entries of the manuals' tables.
TEST(MatrixLayouts, AreThoseOfTheManuals) {
  using RowColumn = std::pair<int, int>;
  EXPECT_EQ(SumAt(MatrixLayout::kMmaSync, 5, 0), RowColumn(1, 2));
  EXPECT_EQ(SumAt(MatrixLayout::kMmaSync, 5, 3), RowColumn(9, 3));
  EXPECT_EQ(SumAt(MatrixLayout::kMmaSync, 5, 4), RowColumn(1, 10));
  EXPECT_EQ(WordAt(MatrixLayout::kMmaSync, 5, 1, 16), RowColumn(9, 1));
  EXPECT_EQ(WordAt(MatrixLayout::kMmaSync, 5, 2, 32), RowColumn(1, 5));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx11, 17, 3), RowColumn(7, 1));
  EXPECT_EQ(WordAt(MatrixLayout::kGfx11, 17, 3, 16), RowColumn(1, 3));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx12, 17, 3), RowColumn(11, 1));
  EXPECT_EQ(WordAt(MatrixLayout::kGfx12, 17, 1, 16), RowColumn(1, 3));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx90a, 17, 3), RowColumn(7, 1));
  EXPECT_EQ(WordAt(MatrixLayout::kGfx90a, 33, 0, 16), RowColumn(1, 2));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx942, 33, 1), RowColumn(9, 1));
  EXPECT_EQ(WordAt(MatrixLayout::kGfx942, 33, 1, 32), RowColumn(1, 5));
}

RF_KERNEL MultiplyInHalfTheLanes(const int* a, int* sums) {
  if (Lane() < WaveSize() / 2) Multiply<16>(a, a, sums);
}

TEST_P(FragmentsTest, LanesThatDoNotTakePartAreAnError) {
  const std::vector<int> a(16 * kStride);
  std::vector<int> sums(256);
  Launch(&context_, MultiplyInHalfTheLanes, {1}, traits_.wave_size, 0, a.data(), sums.data());
  const int code = Synchronize();
  ASSERT_NE(code, 0);
  EXPECT_THAT(api_.error_text(code), testing::HasSubstr("wait at a wave function that the others do not reach"));
}

TEST(MatrixInstructions, AreThereFromTheTargetsOnThatHaveThem) {
  const auto has = [](const char* arch) {
    GpuTraits traits = {};
    std::strncpy(traits.arch, arch, sizeof(traits.arch) - 1);
    return HasMatrixInstructions(traits);
  };
  for (const char* arch : {"gfx90a", "gfx942", "gfx1100", "gfx1151", "gfx1201", "sm_80", "sm_90", "sm_120"}) {
    EXPECT_TRUE(has(arch)) << arch;
  }
  for (const char* arch : {"gfx1030", "gfx906", "gfx803", "sm_75"}) EXPECT_FALSE(has(arch)) << arch;
}

}  // namespace
}  // namespace rf::hip
