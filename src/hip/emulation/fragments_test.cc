// The emulator's matrix instructions against a plain triple loop, in the layout of each GPU family.
#include "hip/kernels/matrix_fragments.h"

#include <cstdint>
#include <cstring>
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

constexpr float kSum = 7.0f;  // before
constexpr int kColumns = kStretch / kProductsOfStretch;

// The lane's pieces of a product's operand: it takes the product-th quarter of its share of a stretch.
RF_DEVICE HalfFragment LoadPieces(const uint16_t* rows, int product) {
  HalfFragment fragment{};
  for (int r = 0; r < LaneRows(); ++r) {
    for (int p = 0; p < PiecesOfLane(); ++p) {
      const int column = LanePart() * (kStretch / LaneParts()) + (product * PiecesOfLane() + p) * kPieceColumns;
      std::memcpy(&fragment.pieces[r][p], rows + LaneRow(r) * kStretch + column, sizeof(Int4));
    }
  }
  return fragment;
}

template <bool kNarrow>
RF_KERNEL Multiply(const uint16_t* w, const uint16_t* x, int n_products, float* sums) {
  MatrixSums product;
  for (float& value : product.values) value = kSum;
  for (int i = 0; i < n_products; ++i) {
    product = MultiplyHalves<kNarrow>(LoadPieces(w, i), LoadPieces(x, i), product);
  }
  for (int i = 0; i < (kNarrow ? NarrowValuesOfLane() : MatrixValuesOfLane()); ++i) {
    sums[MatrixOutput(i) * 16 + MatrixRow(i)] = product.values[i];
  }
}

// Small whole numbers: their products and sums are exact.
std::vector<uint16_t> RandomHalves(std::mt19937& random) {
  std::vector<uint16_t> halves(16 * kStretch);
  for (uint16_t& half : halves) half = FloatToHalf(static_cast<float>(static_cast<int>(random() % 17) - 8));
  return halves;
}

TEST_P(FragmentsTest, MultiplyAsATripleLoopDoes) {
  std::mt19937 random(1);
  const std::vector<uint16_t> w = RandomHalves(random);
  const std::vector<uint16_t> x = RandomHalves(random);
  for (const bool is_narrow : {false, true}) {
    std::vector<float> sums(256, -1.0f);
    Launch(&context_, is_narrow ? Multiply<true> : Multiply<false>, {1}, traits_.wave_size, 0, w.data(), x.data(),
           int{kProductsOfStretch}, sums.data());
    ASSERT_EQ(Synchronize(), 0);
    const int n_rows = is_narrow && GetParam() == MatrixLayout::kMmaSync ? 8 : 16;
    for (int output = 0; output < 16; ++output) {
      for (int row = 0; row < 16; ++row) {
        float wanted = kSum;
        for (int k = 0; k < kStretch; ++k) {
          wanted += HalfToFloat(w[static_cast<size_t>(output * kStretch + k)]) *
                    HalfToFloat(x[static_cast<size_t>(row * kStretch + k)]);
        }
        ASSERT_EQ(sums[static_cast<size_t>(output * 16 + row)], row < n_rows ? wanted : -1.0f) << output << ", " << row;
      }
    }
  }
}

// A product takes kColumns of the stretch's columns, no two the same: one column at a time says which.
TEST_P(FragmentsTest, ProductsOfAStretchShareItsColumns) {
  std::vector<int> taken(kStretch);
  for (int column = 0; column < kStretch; ++column) {
    std::vector<uint16_t> rows(16 * kStretch);
    for (size_t row = 0; row < 16; ++row) rows[row * kStretch + static_cast<size_t>(column)] = FloatToHalf(1.0f);
    int before = 0;
    for (int n_products = 1; n_products <= kProductsOfStretch; ++n_products) {
      std::vector<float> sums(256);
      Launch(&context_, Multiply<false>, {1}, traits_.wave_size, 0, rows.data(), rows.data(), int{n_products},
             sums.data());
      ASSERT_EQ(Synchronize(), 0);
      const int now = static_cast<int>(sums[0] - kSum);
      taken[static_cast<size_t>(n_products - 1)] += now - before;
      before = now;
    }
    EXPECT_EQ(before, 1) << column;
  }
  for (size_t product = 0; product < kProductsOfStretch; ++product) EXPECT_EQ(taken[product], kColumns);
}

// What a lane knows of its values: their outputs' places among its rows, and pairs of them.
RF_KERNEL DescribeValues(int* bad) {
  for (int i = 0; i < MatrixValuesOfLane(); ++i) {
    if (LaneRow(LaneRowOfValue(i)) != MatrixOutput(i)) bad[threadIdx.x] = 1;
    if (i % 2 != 0) continue;
    const int first = PairedRow(MatrixRow(i));
    if (first % 2 != 0 || PairedRow(MatrixRow(i + 1)) != first + 1) bad[threadIdx.x] = 2;
    if (MatrixOutput(i + 1) != MatrixOutput(i)) bad[threadIdx.x] = 3;
  }
}
RF_KERNEL PermuteRows(int* rows) {
  if (threadIdx.x < 16) rows[threadIdx.x] = PairedRow(static_cast<int>(threadIdx.x));
}

TEST_P(FragmentsTest, ValuesComeInPairs) {
  std::vector<int> bad(64);
  std::vector<int> rows(16);
  Launch(&context_, DescribeValues, {1}, traits_.wave_size, 0, bad.data());
  Launch(&context_, PermuteRows, {1}, traits_.wave_size, 0, rows.data());
  ASSERT_EQ(Synchronize(), 0);
  EXPECT_THAT(bad, testing::Each(0));
  EXPECT_EQ(std::set<int>(rows.begin(), rows.end()).size(), 16u);
  EXPECT_THAT(rows, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(16))));
}

using RowColumn = std::pair<int, int>;
RowColumn SumAt(MatrixLayout layout, int lane, int i) {
  const auto place = emulation::SumPlace(layout, lane, i);
  return {place.row, place.column};
}
RowColumn FirstAt(MatrixLayout layout, int lane, int i) {
  const auto place = emulation::FirstOperandPlace(layout, lane, i);
  return {place.row, place.column};
}
RowColumn SecondAt(MatrixLayout layout, int lane, int i) {
  const auto place = emulation::SecondOperandPlace(layout, lane, i);
  return {place.row, place.column};
}

TEST_P(FragmentsTest, EveryHalfAndEverySumHasALane) {
  const int wave = WaveOf(GetParam());
  for (const auto& at : {FirstAt, SecondAt}) {
    std::set<RowColumn> halves;
    for (int lane = 0; lane < wave; ++lane) {
      for (int i = 0; i < emulation::HalvesOfLane(GetParam()); ++i) halves.insert(at(GetParam(), lane, i));
    }
    EXPECT_EQ(halves.size(), 256u);
  }
  std::set<RowColumn> sums;
  for (int lane = 0; lane < wave; ++lane) {
    for (int i = 0; i < 256 / wave; ++i) EXPECT_TRUE(sums.insert(SumAt(GetParam(), lane, i)).second);
  }
  EXPECT_EQ(sums.size(), 256u);
}

// Single entries of the manuals' tables.
TEST(MatrixLayouts, AreThoseOfTheManuals) {
  EXPECT_EQ(SumAt(MatrixLayout::kMmaSync, 5, 0), RowColumn(1, 2));
  EXPECT_EQ(SumAt(MatrixLayout::kMmaSync, 5, 3), RowColumn(9, 3));
  EXPECT_EQ(FirstAt(MatrixLayout::kMmaSync, 5, 1), RowColumn(1, 3));
  EXPECT_EQ(FirstAt(MatrixLayout::kMmaSync, 5, 2), RowColumn(9, 2));
  EXPECT_EQ(FirstAt(MatrixLayout::kMmaSync, 5, 7), RowColumn(9, 11));
  EXPECT_EQ(SecondAt(MatrixLayout::kMmaSync, 5, 1), RowColumn(1, 3));
  EXPECT_EQ(SecondAt(MatrixLayout::kMmaSync, 5, 2), RowColumn(1, 10));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx11, 17, 3), RowColumn(7, 1));
  EXPECT_EQ(FirstAt(MatrixLayout::kGfx11, 17, 3), RowColumn(1, 3));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx12, 17, 3), RowColumn(11, 1));
  EXPECT_EQ(FirstAt(MatrixLayout::kGfx12, 17, 1), RowColumn(1, 9));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx90a, 17, 3), RowColumn(7, 1));
  EXPECT_EQ(FirstAt(MatrixLayout::kGfx90a, 33, 1), RowColumn(1, 9));
  EXPECT_EQ(SumAt(MatrixLayout::kGfx942, 33, 1), RowColumn(9, 1));
  EXPECT_EQ(FirstAt(MatrixLayout::kGfx942, 17, 2), RowColumn(1, 6));
}

RF_KERNEL MultiplyInHalfTheLanes(const uint16_t* a, float* sums) {
  if (Lane() < WaveSize() / 2) Multiply<false>(a, a, 1, sums);
}

TEST_P(FragmentsTest, LanesThatDoNotTakePartAreAnError) {
  const std::vector<uint16_t> a(16 * kStretch);
  std::vector<float> sums(256);
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
