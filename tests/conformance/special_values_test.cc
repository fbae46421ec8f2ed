// NaN, infinities, huge and subnormal values on every instruction set: what is broken must stay visible, must not
// spread to rows that have nothing to do with it, and large finite values must not overflow on the way.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/half.h"
#include "conformance/random.h"
#include "conformance/run.h"

namespace rf::conformance {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class SpecialValues : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    machine_ = MachineOf(GetParam(), 2);
    if (machine_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
  }

  // Row `row` of out[0], as floats.
  template <typename Op>
  std::vector<float> RunRow(const Case<Op>& c, int64_t row) {
    const std::vector<uint32_t> words = RunOn(*machine_, c).out[0];
    const HostTensor& shape =
        c.operands.out_is_in[0] >= 0 ? *c.operands.in[c.operands.out_is_in[0]] : *c.operands.out[0];
    std::vector<float> values;
    for (int64_t i = 0; i < shape.n_cols; ++i) {
      values.push_back(BitsToFloat(words[static_cast<size_t>(row * shape.n_cols + i)]));
    }
    return values;
  }

  Machine* machine_ = nullptr;
};

HostTensor OneRow(const std::vector<float>& values) {
  HostTensor tensor = Output(1, static_cast<int64_t>(values.size()));
  for (size_t i = 0; i < values.size(); ++i) tensor.Set(0, static_cast<int64_t>(i), values[i]);
  return tensor;
}

template <typename Op>
Case<Op> OneRowCase(const typename Op::Attrs& attrs, const std::vector<float>& in, size_t n_inputs) {
  Case<Op> c{"special values", attrs, {}};
  for (size_t i = 0; i < n_inputs; ++i) {
    c.operands.in[i] = OneRow(i == 0 ? in : std::vector<float>(in.size(), 1.0f));
  }
  c.operands.out[0] = Output(1, static_cast<int64_t>(in.size()));
  c.operands.batch = MakeBatch(1);
  return c;
}

// Values at the edges of every function's ranges, finite ones.
const std::vector<float> kEdges = {0.0f,    -0.0f,  1e-40f, -1e-40f, 1e-20f, 0.0999f, 0.1001f, -0.1f, 1.0f,   -1.0f,
                                   12.0f,   -12.0f, 43.9f,  -44.1f,  87.3f,  -87.3f,  -87.34f, 88.1f, -88.1f, 104.0f,
                                   -104.0f, 1e4f,   -1e4f,  1e10f,   -1e10f, 1e20f,   -1e20f,  3e38f, -3e38f};

// Within 1e-6 of the value; what is below the smallest normal number may be 0.
void ExpectClose(const std::vector<float>& got, const std::vector<float>& wanted, const std::vector<float>& in) {
  for (size_t i = 0; i < in.size(); ++i) {
    EXPECT_NEAR(got[i], wanted[i], std::fabs(wanted[i]) * 1e-6 + 1e-30) << "of " << in[i];
  }
}

TEST_P(SpecialValues, GluAtTheEdges) {
  for (Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
    // Above, exp() of the reference is infinite: silu(-1e10) is -0, which the bound above allows to be tiny.
    const Case<Glu> c = OneRowCase<Glu>({activation}, kEdges, 2);
    std::vector<float> wanted;
    for (uint32_t bits : RunReference(c).out[0]) wanted.push_back(BitsToFloat(bits));
    std::vector<float> got = RunRow(c, 0);
    for (size_t i = 0; i < got.size(); ++i) {
      // Below -88 the kernels' exponential stays at e^88: x * 6e-39 is what is left of x.
      if (kEdges[i] < -88.0f) {
        EXPECT_LE(std::fabs(got[i]), std::fabs(kEdges[i]) * 1e-38) << kEdges[i];
        got[i] = wanted[i];
      }
    }
    ExpectClose(got, wanted, kEdges);
  }
}

TEST_P(SpecialValues, SoftCapAtTheEdges) {
  std::vector<float> in = kEdges;
  in.push_back(kInfinity);
  in.push_back(-kInfinity);
  const Case<SoftCap> c = OneRowCase<SoftCap>({30.0f, 1.0f}, in, 1);
  std::vector<float> wanted;
  for (uint32_t bits : RunReference(c).out[0]) wanted.push_back(BitsToFloat(bits));
  ExpectClose(RunRow(c, 0), wanted, in);
}

TEST_P(SpecialValues, SubnormalsAreNotFlushed) {
  const Case<Add> sum = OneRowCase<Add>({}, {1e-40f, -1e-42f, 1e-45f}, 1);
  Case<Add> c = sum;
  c.operands.in[1] = OneRow({2e-40f, 1e-42f, 1e-45f});
  EXPECT_EQ(RunOn(*machine_, c), RunReference(c));
}

TEST_P(SpecialValues, NaNStaysInItsElement) {
  std::vector<float> in(37, 0.5f);
  in[3] = in[36] = kNaN;
  const auto expect = [&](const std::vector<float>& got, const char* op) {
    for (size_t i = 0; i < in.size(); ++i) EXPECT_EQ(std::isnan(got[i]), std::isnan(in[i])) << op << " at " << i;
  };
  expect(RunRow(OneRowCase<Glu>({Activation::kSilu}, in, 2), 0), "silu");
  expect(RunRow(OneRowCase<Glu>({Activation::kGeluTanh}, in, 2), 0), "gelu");
  expect(RunRow(OneRowCase<SoftCap>({30.0f, 1.0f}, in, 1), 0), "soft_cap");
  expect(RunRow(OneRowCase<SoftCap>({0.0f, 0.5f}, in, 1), 0), "scale");
  expect(RunRow(OneRowCase<Add>({}, in, 2), 0), "add");
}

TEST_P(SpecialValues, NormOfABrokenRow) {
  Random random("norm");
  Case<RmsNorm> c{"norm", {}, {}};
  c.operands.in[0] = random.Tensor(3, 70);
  c.operands.in[0]->Set(1, 68, kNaN);
  c.operands.out[0] = Output(3, 70);
  c.operands.weight[0] = random.Vector(70, 1.0f, 0.1f);
  c.operands.batch = MakeBatch(3);
  for (int64_t row = 0; row < 3; ++row) {
    for (float y : RunRow(c, row)) EXPECT_EQ(std::isnan(y), row == 1);
  }
}

// The squares of finite values may be infinite in F32, and one value may be all that matters.
TEST_P(SpecialValues, NormOfHugeRows) {
  for (float scale : {1e17f, 3e18f, 1e20f, 1e30f, 3e37f}) {
    Random random("norm");
    Case<RmsNorm> c{"norm", {}, {}};
    c.operands.in[0] = random.Tensor(3, 70, scale);
    c.operands.in[0]->Set(1, 68, 3.4e38f);
    c.operands.out[0] = Output(3, 70);
    c.operands.weight[0] = random.Vector(70, 1.0f, 0.1f);
    c.operands.batch = MakeBatch(3);
    SCOPED_TRACE(scale);
    ExpectNear(c.operands, Tolerance::Of(c.bounds), RunOn(*machine_, c), RunReference(c));
  }
}

// A row whose input is broken is broken in every output, and no other row is.
TEST_P(SpecialValues, ProductsOfABrokenRow) {
  for (Format format : {Format::kF32, Format::kF16, Format::kQ4_0, Format::kQ8_0, Format::kQ4_K, Format::kQ6_K}) {
    for (float broken : {kNaN, kInfinity, -kInfinity}) {
      for (int32_t n_rows : {3, 40}) {
        Random random("products");
        Case<MatMul> c{"products", {1}, {}};
        c.operands.in[0] = random.Tensor(n_rows, 256);
        c.operands.in[0]->Set(1, 77, broken);
        c.operands.weight[0] = random.Weight(format, 1, 19, 256);
        c.operands.out[0] = Output(n_rows, 19);
        c.operands.batch = MakeBatch(n_rows);
        for (int64_t row = 0; row < n_rows; ++row) {
          for (float y : RunRow(c, row)) EXPECT_EQ(std::isfinite(y), row != 1) << GetFormatInfo(format).name << row;
        }
      }
    }
  }
}

TEST_P(SpecialValues, ProductsOfHugeAndTinyRows) {
  for (float scale : {1e-42f, 1e-33f, 1e-28f, 1e30f}) {
    Random random("scale");
    Case<MatMul> c{"products", {1}, {}};
    c.operands.in[0] = random.Tensor(5, 256, scale);
    c.operands.weight[0] = random.Weight(Format::kQ4_K, 1, 16, 256);
    c.operands.out[0] = Output(5, 16);
    c.operands.batch = MakeBatch(5);
    const Outputs wanted = RunReference(c);
    const Outputs got = RunOn(*machine_, c);
    if (scale > 1e-29f) {
      ExpectNear(c.operands, ToleranceOn(*machine_, {kQuantizedBound}, 5), got, wanted);
      continue;
    }
    // Activations below 1e-30 may count as 0.
    for (size_t i = 0; i < wanted.out[0].size(); ++i) {
      EXPECT_NEAR(BitsToFloat(got.out[0][i]), BitsToFloat(wanted.out[0][i]), 256 * 4 * 1e-30) << scale;
    }
  }
}

// One head over a few positions; values are small integers, so that even huge scores are exact.
Case<Attention> SmallAttention(int32_t n_tokens, float scale, Format cache = Format::kF32) {
  Random random("small attention");
  Case<Attention> c{"small attention", {2, scale, 0, 0.0f, 0.0f}, {}};
  c.operands.batch = MakeBatch(n_tokens);
  c.operands.kv = random.Cache(c.operands.batch, {cache, 0, 1, 16, 32, {}, {}});
  c.operands.in[0] = Output(n_tokens, 64);
  for (int64_t t = 0; t < n_tokens; ++t) {
    for (int64_t i = 0; i < 64; ++i) c.operands.in[0]->Set(t, i, static_cast<float>(random.Below(9) - 4));
  }
  c.operands.out[0] = Output(n_tokens, 64);
  return c;
}

// Of a cache in F32 or F16.
void SetInCache(Case<Attention>& c, std::vector<uint8_t>& half, int32_t position, int32_t column, float value) {
  const HostKv& kv = *c.operands.kv;
  const int32_t page = c.operands.batch.page_table[static_cast<size_t>(position / kv.page_tokens)];
  uint8_t* row = &half[static_cast<size_t>(kv.RowAt(page, 0, position % kv.page_tokens))];
  if (kv.format == Format::kF32) {
    reinterpret_cast<float*>(row)[column] = value;
  } else {
    reinterpret_cast<uint16_t*>(row)[column] = FloatToHalf(value);
  }
}

// Tokens that see position 20 are broken, the others as before.
void ExpectBrokenFrom20(const Outputs& before, const Outputs& after, int32_t window) {
  for (int64_t t = 0; t < 40; ++t) {
    const bool sees = t >= 20 && (window == 0 || t - 20 < window);
    for (int64_t i = 0; i < 64; ++i) {
      const auto at = static_cast<size_t>(t * 64 + i);
      if (!sees) {
        EXPECT_EQ(after.out[0][at], before.out[0][at]) << "token " << t << ", element " << i;
      }
    }
    if (sees) {
      EXPECT_FALSE(std::isfinite(BitsToFloat(after.out[0][static_cast<size_t>(t * 64 + 1)]))) << t;
    }
  }
}

TEST_P(SpecialValues, SoftmaxOfHugeScores) {
  for (const Format cache : {Format::kF32, Format::kF16}) {
    Case<Attention> c = SmallAttention(45, 65536.0f, cache);
    for (int32_t p = 0; p < 45; ++p) {
      for (int i = 0; i < 32; ++i) {
        SetInCache(c, c.operands.kv->k, p, i, static_cast<float>((p * 7 + i * 3) % 5 - 2));
      }
    }
    if (IsBFloat16Machine(GetParam())) c.bounds[0] = 1e-5;  // the values and their weights are rounded
    ExpectNear(c.operands, AttentionToleranceOn(*machine_, c.bounds, cache), RunOn(*machine_, c), RunReference(c));
  }
}

TEST_P(SpecialValues, BrokenQueriesAndKeysStayVisible) {
  for (const Format cache : {Format::kF32, Format::kF16}) {
    Case<Attention> c = SmallAttention(40, 0.1f, cache);
    c.operands.in[0]->Set(7, 3, kNaN);             // head 0 of token 7
    SetInCache(c, c.operands.kv->k, 37, 5, kNaN);  // both heads of tokens 37 and on
    for (int64_t t = 0; t < 40; ++t) {
      const std::vector<float> y = RunRow(c, t);
      for (size_t i = 0; i < y.size(); ++i) {
        EXPECT_EQ(std::isnan(y[i]), (t == 7 && i < 32) || t >= 37) << t << " " << i;
      }
    }
  }
}

// Queries of any finite magnitude: they are no halves.
TEST_P(SpecialValues, HugeAndTinyQueries) {
  for (const float scale : {1e-30f, 1e-3f, 1e6f, 1e30f}) {
    Case<Attention> c = SmallAttention(40, 0.1f / scale, Format::kF16);
    for (int64_t t = 0; t < 40; ++t) {
      for (int64_t i = 0; i < 64; ++i) {
        c.operands.in[0]->Set(t, i, scale * static_cast<float>((t * 5 + i * 3) % 7 - 3));
      }
    }
    SCOPED_TRACE(scale);
    if (IsBFloat16Machine(GetParam())) c.bounds[0] = 1e-5;
    ExpectNear(c.operands, AttentionToleranceOn(*machine_, c.bounds, Format::kF16), RunOn(*machine_, c),
               RunReference(c));
  }
}

// What a later token stored, or one that the window has left behind, is no business of a query, not even an infinity.
TEST_P(SpecialValues, UnseenValuesDoNotLeak) {
  for (const Format cache : {Format::kF32, Format::kF16}) {
    for (const int32_t window : {0, 5}) {
      for (const float broken : {kInfinity, kNaN}) {
        Case<Attention> c = SmallAttention(40, 0.1f, cache);
        c.attrs.window = window;
        const Outputs before = RunOn(*machine_, c);
        SetInCache(c, c.operands.kv->v, 20, 1, broken);
        ExpectBrokenFrom20(before, RunOn(*machine_, c), window);
        SetInCache(c, c.operands.kv->k, 20, 2, broken);
        ExpectBrokenFrom20(before, RunOn(*machine_, c), window);
      }
    }
  }
}

TEST_P(SpecialValues, RoutingOfBrokenLogitsNamesExperts) {
  Case<MoeRoute> c{"broken logits", {3, true, 1.0f}, {}};
  c.operands.in[0] = OneRow({kNaN, 1.0f, kNaN, kInfinity, -kInfinity});
  c.operands.out[0] = Output(1, 3, 0, Format::kI32);
  c.operands.out[1] = Output(1, 3);
  c.operands.batch = MakeBatch(1);
  std::vector<bool> is_chosen(5, false);
  for (uint32_t id : RunOn(*machine_, c).out[0]) {
    ASSERT_LT(id, 5u);
    EXPECT_FALSE(is_chosen[id]) << "expert " << id << " twice";
    is_chosen[id] = true;
  }
}

// A test's name has no colons.
std::string TestName(const testing::TestParamInfo<std::string>& machine) {
  std::string name = machine.param;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Machine, SpecialValues, testing::ValuesIn(AllMachines().names), TestName);

}  // namespace
}  // namespace rf::conformance
