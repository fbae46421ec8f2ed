// The functions of maths.h against double arithmetic of the C library: exp, on which the others rest, at every float of
// its useful range, the others at one float in eleven.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/half.h"
#include "base/sanitizers.h"
#include "cpu/isa.h"
#include "cpu/isa_family.h"
#include "cpu/simd/maths_probe.h"

namespace rf::cpu {

#define RF_ISA(family, name, flags, test) RF_IF_##family(namespace name { MathsProbe Maths(); })
#include "cpu/isa.def"
#undef RF_ISA

namespace {

constexpr double kTolerance = 2.0;  // units in the last place
constexpr int64_t kAtOnce = 4096;
// One float in so many; primes.
constexpr uint32_t kEvery = 1;
constexpr uint32_t kSome = 11;
constexpr uint32_t kSparseStep = 10007;

struct NamedProbe {
  const char* isa;
  MathsProbe maths;
};

void PrintTo(const NamedProbe& probe, std::ostream* out) {
  *out << probe.isa;
}

std::vector<NamedProbe> AllProbes() {
  return {
#define RF_ISA(family, name, flags, test) RF_IF_##family({#name, name::Maths()}, )
#include "cpu/isa.def"
#undef RF_ISA
  };
}

bool IsSupported(const char* isa) {
  for (const Isa& known : AllIsas()) {
    if (known.name == isa) return known.is_supported;
  }
  return false;
}

// The size of a unit in the last place of the float next to a normal number.
double UnitOf(double value) {
  return std::ldexp(1.0, std::ilogb(value) - 23);
}

struct Worst {
  double units = 0.0;
  float at = 0.0f;
};

using Exact = double (*)(double);

void Compare(const std::vector<float>& x, const std::vector<float>& y, Exact exact, Worst& worst) {
  for (size_t i = 0; i < x.size(); ++i) {
    const double wanted = exact(x[i]);
    if (std::fabs(wanted) < std::numeric_limits<float>::min()) continue;
    const double units = std::fabs(y[i] - wanted) / UnitOf(wanted);
    if (!(units <= worst.units)) worst = {units, x[i]};  // NaN counts
  }
}

// Where a function is looked at: at one float in `step` between `most_negative` and `largest` whose magnitude is not
// below `smallest`.
struct Range {
  uint32_t step;
  float smallest;
  float most_negative;
  float largest;
};

// Where every instruction takes many times as long: with a sanitizer, or where $ROCMFORGE_MATHS is "sparse", for an
// emulator.
bool LooksSparsely() {
  const char* wanted = std::getenv("ROCMFORGE_MATHS");
  return kIsSanitized || (wanted != nullptr && std::string_view(wanted) == "sparse");
}

// Floats with magnitudes of [smallest, largest] and one sign.
void LookAt(ArrayFunction function, Exact exact, const Range& range, bool negative, Worst& worst) {
  const uint32_t step = LooksSparsely() ? kSparseStep : range.step;
  const float smallest = range.smallest;
  const float largest = negative ? -range.most_negative : range.largest;
  const uint32_t sign = negative ? 0x80000000u : 0u;
  std::vector<float> x;
  std::vector<float> y;
  for (uint64_t bits = FloatToBits(smallest); bits <= FloatToBits(largest);) {
    x.clear();
    for (; bits <= FloatToBits(largest) && x.size() < kAtOnce; bits += step) {
      x.push_back(BitsToFloat(static_cast<uint32_t>(bits) | sign));
    }
    y.resize(x.size());
    function(x.data(), y.data(), static_cast<int64_t>(x.size()));
    Compare(x, y, exact, worst);
  }
}

class MathsTest : public testing::TestWithParam<NamedProbe> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << GetParam().isa;
  }

  static void Expect(ArrayFunction function, Exact exact, const Range& range) {
    Worst worst;
    LookAt(function, exact, range, false, worst);
    LookAt(function, exact, range, true, worst);
    RecordProperty("worst_ulp", std::to_string(worst.units));
    EXPECT_LE(worst.units, kTolerance) << "at " << worst.at;
    if (std::getenv("ROCMFORGE_TEST_VERBOSE") != nullptr) printf("%.3f ulp at %.9g\n", worst.units, worst.at);
  }
};

double ExactSilu(double x) {
  return x / (1.0 + std::exp(-x));
}

double ExactGelu(double x) {
  constexpr double kTwiceSqrtTwoOverPi = 1.5957691216057307117597842397375;
  return x / (1.0 + std::exp(-kTwiceSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
}

// Below the smallest magnitudes the functions are 1 + x, x / 2, x / 2 and x to the last bit.
TEST_P(MathsTest, Exp) {
  Expect(GetParam().maths.exp, [](double x) { return std::exp(x); }, {kEvery, 0x1p-26f, -87.33f, 88.0f});
}

TEST_P(MathsTest, Silu) {
  Expect(GetParam().maths.silu, ExactSilu, {kSome, 0x1p-26f, -87.33f, 1e3f});
}

TEST_P(MathsTest, GeluTanh) {
  Expect(GetParam().maths.gelu_tanh, ExactGelu, {kSome, 0x1p-26f, -10.0f, 1e3f});
}

TEST_P(MathsTest, Tanh) {
  Expect(GetParam().maths.tanh, [](double x) { return std::tanh(x); }, {kSome, 0x1p-14f, -1e2f, 1e2f});
}

TEST_P(MathsTest, EndsOfTheRange) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float x[] = {0.0f, -0.0f, -infinity, -88.0f, -1e30f, 1e-30f, std::numeric_limits<float>::quiet_NaN()};
  const MathsProbe maths = GetParam().maths;
  float y[7];
  maths.exp(x, y, 7);
  EXPECT_EQ(y[0], 1.0f);
  EXPECT_EQ(y[1], 1.0f);
  EXPECT_EQ(y[2], 0.0f);
  EXPECT_EQ(y[3], 0.0f);
  EXPECT_EQ(y[4], 0.0f);
  EXPECT_EQ(y[5], 1.0f);
  EXPECT_TRUE(std::isnan(y[6]));
  for (const ArrayFunction function : {maths.silu, maths.gelu_tanh}) {
    function(x, y, 7);
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[1], 0.0f);
    EXPECT_EQ(y[4], 0.0f);
    EXPECT_FLOAT_EQ(y[5], 0.5e-30f);
    EXPECT_TRUE(std::isnan(y[6]));
  }
  maths.tanh(x, y, 7);
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[2], -1.0f);
  EXPECT_EQ(y[4], -1.0f);
  EXPECT_EQ(y[5], 1e-30f);
  EXPECT_TRUE(std::isnan(y[6]));
}

INSTANTIATE_TEST_SUITE_P(Isas, MathsTest, testing::ValuesIn(AllProbes()),
                         [](const auto& probe) { return std::string(probe.param.isa); });

}  // namespace
}  // namespace rf::cpu
