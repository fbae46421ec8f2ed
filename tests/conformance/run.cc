#include "conformance/run.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/half.h"
#include "base/sanitizers.h"

namespace rf::conformance {
namespace {

struct Energy {
  double error = 0.0;
  double signal = 0.0;

  Energy& operator+=(const Energy& other) {
    error += other.error;
    signal += other.signal;
    return *this;
  }
  double Nmse() const { return error == 0.0 ? 0.0 : error / signal; }
};

// Adds a pair of values; false if one of them is not finite and the other is something else.
bool AddPair(uint32_t got_bits, uint32_t wanted_bits, Energy& energy) {
  const double got = BitsToFloat(got_bits);
  const double wanted = BitsToFloat(wanted_bits);
  if (!std::isfinite(got) || !std::isfinite(wanted)) {
    return (std::isnan(got) && std::isnan(wanted)) || got == wanted;
  }
  energy.error += (got - wanted) * (got - wanted);
  energy.signal += wanted * wanted;
  return true;
}

// Narrower rows are judged together: one output in which nearly everything cancels would decide alone.
constexpr int64_t kJudgedColumns = 16;

// NMSE of products on GPUs that multiply halves: weights, their scales and minimums, and activations are rounded to 11
// bits, which costs about 4e-8 for each. That is what many rows together show. Of few rows nearly everything may cancel
// in all outputs at once, as random blocks have large minimums in common; of one among many rows once in a few thousand
// by three digits.
constexpr double kHalvesBoundOfFewRows = 1e-5;
constexpr double kHalvesBoundOfManyRows = 3e-7;
constexpr double kHalvesBoundOfARow = 1e-4;
constexpr int64_t kManyRows = 16;  // so many that one of them does not decide

// NMSE of attention on those GPUs: queries, weights and the elements of quantized caches are rounded to 11 bits, which
// costs up to 3e-7, and of one row up to 1.2e-6, where scores are large or values cancel.
constexpr double kHalvesAttentionBound = 1e-6;
constexpr double kHalvesAttentionBoundOfARow = 5e-6;

void ExpectRowsNear(const HostTensor& shape, double bound, double row_bound, const std::vector<uint32_t>& got,
                    const std::vector<uint32_t>& wanted) {
  Energy total;
  for (int64_t row = 0; row < shape.n_rows; ++row) {
    Energy energy;
    for (int64_t col = 0; col < shape.n_cols; ++col) {
      const auto at = static_cast<size_t>(row * shape.n_cols + col);
      ASSERT_TRUE(AddPair(got[at], wanted[at], energy))
          << "[" << row << ", " << col << "] is " << BitsToFloat(got[at]) << ", not " << BitsToFloat(wanted[at]);
    }
    if (shape.n_cols >= kJudgedColumns) {
      ASSERT_LE(energy.Nmse(), row_bound) << "NMSE of row " << row;
    }
    total += energy;
  }
  ASSERT_LE(total.Nmse(), bound) << "NMSE of all rows";
}

}  // namespace

bool IsTinyRun() {
  const char* wanted = std::getenv("ROCMFORGE_CONFORMANCE");
  return wanted != nullptr && strcmp(wanted, "tiny") == 0;
}

bool IsSmallRun() {
  if (IsTinyRun()) return true;
  const char* wanted = std::getenv("ROCMFORGE_CONFORMANCE");
  if (wanted != nullptr && strcmp(wanted, "small") == 0) return true;
  if (wanted != nullptr && strcmp(wanted, "full") == 0) return false;
  return kIsSanitized;
}

namespace {

// A GPU with matrix instructions.
bool MultipliesHalves(const Machine& machine) {
  const bool has_halves = machine.device->kernels().matmul.Get(Format::kQ4_0).weight_layout != kFileLayout;
  return has_halves && !machine.device->properties().is_host_memory;
}

}  // namespace

Tolerance AttentionToleranceOn(const Machine& machine, const Bounds& bounds, Format cache) {
  Tolerance tolerance = Tolerance::Of(bounds);
  const bool is_exact = cache == Format::kF32 || cache == Format::kBF16;
  if (is_exact || !MultipliesHalves(machine)) return tolerance;
  tolerance.all_rows[0] = kHalvesAttentionBound;
  tolerance.a_row[0] = kHalvesAttentionBoundOfARow;
  return tolerance;
}

Tolerance ToleranceOn(const Machine& machine, const Bounds& bounds, int64_t n_rows) {
  Tolerance tolerance = Tolerance::Of(bounds);
  if (!MultipliesHalves(machine)) return tolerance;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (bounds[i] != kQuantizedBound && bounds[i] != kShortFloatsBound) continue;
    tolerance.all_rows[i] = n_rows < kManyRows ? kHalvesBoundOfFewRows : kHalvesBoundOfManyRows;
    tolerance.a_row[i] = n_rows < kManyRows ? kHalvesBoundOfFewRows : kHalvesBoundOfARow;
  }
  return tolerance;
}

void ExpectNear(const HostOperands& shapes, const Tolerance& tolerance, const Outputs& got, const Outputs& wanted) {
  EXPECT_EQ(got.k, wanted.k);
  EXPECT_EQ(got.v, wanted.v);
  for (int i = 0; i < Operands::kMaxOutputs; ++i) {
    SCOPED_TRACE("out[" + std::to_string(i) + "]");
    ASSERT_EQ(got.out[i].size(), wanted.out[i].size());
    if (got.out[i].empty()) continue;
    const HostTensor& shape = shapes.out_is_in[i] >= 0 ? *shapes.in[shapes.out_is_in[i]] : *shapes.out[i];
    const double bound = tolerance.all_rows[static_cast<size_t>(i)];
    if (shape.format == Format::kI32 || bound == 0.0) {
      EXPECT_EQ(got.out[i], wanted.out[i]);
    } else {
      ExpectRowsNear(shape, bound, tolerance.a_row[static_cast<size_t>(i)], got.out[i], wanted.out[i]);
    }
  }
}

}  // namespace rf::conformance
