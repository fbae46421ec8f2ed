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

void ExpectNear(const HostOperands& shapes, const Bounds& bounds, const Outputs& got, const Outputs& wanted,
                double row_slack) {
  EXPECT_EQ(got.k, wanted.k);
  EXPECT_EQ(got.v, wanted.v);
  for (int i = 0; i < Operands::kMaxOutputs; ++i) {
    SCOPED_TRACE("out[" + std::to_string(i) + "]");
    ASSERT_EQ(got.out[i].size(), wanted.out[i].size());
    if (got.out[i].empty()) continue;
    const HostTensor& shape = shapes.out_is_in[i] >= 0 ? *shapes.in[shapes.out_is_in[i]] : *shapes.out[i];
    if (shape.format == Format::kI32 || bounds[static_cast<size_t>(i)] == 0.0) {
      EXPECT_EQ(got.out[i], wanted.out[i]);
    } else {
      const double bound = bounds[static_cast<size_t>(i)];
      ExpectRowsNear(shape, bound, bound * row_slack, got.out[i], wanted.out[i]);
    }
  }
}

}  // namespace rf::conformance
