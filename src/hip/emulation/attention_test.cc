// Attention by matrix instructions in the layout of each GPU family, against the op's reference: the conformance suite
// runs two of them.
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/half.h"
#include "base/result.h"
#include "device/kernel_table.h"
#include "hip/emulation/emulator.h"
#include "hip/emulation/matrix_layout.h"
#include "hip/kernels/register.h"
#include "ops/attention.h"

namespace rf::hip {
namespace {

using emulation::MatrixLayout;

class AttentionTest : public testing::TestWithParam<MatrixLayout> {
 protected:
  void SetUp() override {
    const bool is_wide = GetParam() == MatrixLayout::kGfx90a || GetParam() == MatrixLayout::kGfx942;
    context_.device = is_wide ? 1 : 0;
    ASSERT_EQ(api_.describe(context_.device, &traits_), 0);
    ASSERT_EQ(api_.create_stream(context_.device, &context_.stream), 0);
    context_.traits = &traits_;
    emulation::SetMatrixLayout(GetParam());
    FillKernels(traits_, &table_);
  }
  void TearDown() override {
    EXPECT_EQ(api_.destroy_stream(context_.device, context_.stream), 0);
    emulation::SetMatrixLayout(MatrixLayout::kMmaSync);
  }

  const GpuApi& api_ = emulation::Api();
  GpuTraits traits_;
  GpuContext context_ = {};
  KernelTable table_;
};

INSTANTIATE_TEST_SUITE_P(Layout, AttentionTest,
                         testing::Values(MatrixLayout::kMmaSync, MatrixLayout::kGfx11, MatrixLayout::kGfx12,
                                         MatrixLayout::kGfx90a, MatrixLayout::kGfx942));

/// Two sequences: the last 30 positions of 160, and one position of 40. Three heads share each of the cache's two.
struct Step {
  static constexpr int32_t kPageTokens = 16;
  static constexpr int32_t kPages = 13;
  static constexpr int32_t kStride = 10;
  static constexpr int32_t kTokens = 31;
  static constexpr int32_t kHeads = 6;

  explicit Step(int32_t head_dim) {
    std::mt19937 random(static_cast<uint32_t>(head_dim));
    std::normal_distribution<float> normal;
    const auto n_cached = static_cast<size_t>(kPages * 2 * kPageTokens * head_dim);
    for (auto* half : {&k, &v}) {
      for (size_t i = 0; i < n_cached; ++i) half->push_back(FloatToHalf(normal(random)));
    }
    for (int32_t i = 0; i < kTokens * kHeads * head_dim; ++i) q.push_back(normal(random));
    y.resize(q.size());
    for (int32_t p = 0; p < kPages; ++p) pages.push_back(p * 5 % kPages);
    pages.resize(size_t{2} * kStride);
    for (int32_t i = 0; i < kTokens; ++i) {
      positions.push_back(i < kTokens - 1 ? 130 + i : 39);
      sequence_of.push_back(i < kTokens - 1 ? 0 : 1);
    }
    batch.n_tokens = kTokens;
    batch.n_sequences = 2;
    batch.positions = positions.data();
    batch.sequence_of = sequence_of.data();
    batch.first_token = first_token.data();
    batch.page_table = pages.data();
    batch.page_table_stride = kStride;
    const int64_t n_cols = int64_t{kHeads} * head_dim;
    args.q = {q.data(), Format::kF32, kTokens, n_cols, n_cols};
    args.y = {y.data(), Format::kF32, kTokens, n_cols, n_cols};
    args.kv = {k.data(), v.data(), Format::kF16, kPages, 2, kPageTokens, head_dim};
    args.batch = &batch;
    args.attrs = {.n_heads = kHeads, .scale = 0.125f, .window = 140};
  }

  std::vector<uint16_t> k;
  std::vector<uint16_t> v;
  std::vector<float> q;
  std::vector<float> y;
  std::vector<int32_t> pages;
  std::vector<int32_t> positions;
  std::vector<int32_t> sequence_of;
  std::vector<int32_t> first_token = {0, kTokens - 1, kTokens};
  BatchView batch;
  Attention::Args args;
};

TEST_P(AttentionTest, IsTheReferences) {
  for (const int32_t head_dim : {64, 80, 128, 256}) {
    Step step(head_dim);
    ASSERT_TRUE(Attention::Check(step.args).has_value());
    Attention::Reference(step.args);
    const std::vector<float> wanted = step.y;
    const auto& entry = table_.attention.Get(Format::kF16);
    std::vector<unsigned char> workspace(entry.workspace_bytes(step.args, 1));
    context_.workspace = workspace.data();
    context_.workspace_bytes = workspace.size();
    entry.launch(&context_, step.args);
    ASSERT_EQ(api_.synchronize(context_.device, context_.stream), 0);
    double error = 0.0;
    double signal = 0.0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const double difference = static_cast<double>(step.y[i]) - static_cast<double>(wanted[i]);
      error += difference * difference;
      signal += static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
    }
    EXPECT_LE(error, 3e-7 * signal) << head_dim;
    EXPECT_GT(error, 0.0) << "not by halves";
  }
}

}  // namespace
}  // namespace rf::hip
