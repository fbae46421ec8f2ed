// Operands on a device whose memory is not the host's: they arrive, results come back, and what a kernel writes beside
// them is seen. The device is a GPU's over a runtime on the heap, whose kernels are the references.
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "conformance/run.h"
#include "hip/hip_device.h"
#include "hip/test_util/shim.h"

namespace rf::conformance {
namespace {

class PlacedOperandsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto device = hip::CreateHipDevice(shim_.api(), "hip", 0);
    ASSERT_TRUE(device);
    auto stream = (*device)->CreateStream();
    ASSERT_TRUE(stream);
    machine_ = Machine{std::move(*device), std::move(*stream)};
  }
  void TearDown() override { EXPECT_THAT(shim_.violations, testing::IsEmpty()); }

  template <typename Op>
  void RunCases(Format key) {
    for (const Case<Op>& c : CasesOf<Op>::Make(key)) {
      if (c.operands.batch.n_tokens() > 64) continue;
      ASSERT_EQ(RunOn(machine_, c), RunReference(c)) << c.name;
    }
  }

  hip::Shim shim_;
  Machine machine_;
};

TEST_F(PlacedOperandsTest, EveryOpFindsItsOperandsOnTheDevice) {
#define RF_OP(Name, file) RunCases<Name>(Name::kKeyKind == KeyKind::kCache ? Format::kF16 : Format::kF32);
#include "ops/ops.def"
#undef RF_OP
}

Case<Add> AddCase() {
  std::vector<Case<Add>> cases = CasesOf<Add>::Make(Format::kF32);
  return cases.front();
}

// The kernel writes to what the address of y's element `offset` would be.
void WriteBeside(hip::Shim& shim, Machine& machine, int64_t offset) {
  const Case<Add> c = AddCase();
  PlacedOperands placed(c.operands, &machine, OpId::kAdd);
  const Add::Args args = Add::Bind(c.attrs, placed.operands());
  auto& context = *static_cast<hip::GpuContext*>(machine.stream->native());
  shim.Launch(context, [args, offset] {
    Add::Reference(args);
    static_cast<float*>(args.y.data)[offset] = 1.0f;
  });
  ASSERT_TRUE(machine.stream->Synchronize());
  placed.Collect();
}

TEST_F(PlacedOperandsTest, WritesBesideAnOperandAreSeen) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer sees them, and ends the process";
#endif
  const Case<Add> c = AddCase();
  const HostTensor& y = *c.operands.out[0];
  const int64_t end = (y.n_rows - 1) * y.row_stride + y.n_cols;
  EXPECT_NONFATAL_FAILURE(WriteBeside(shim_, machine_, -1), "written outside an operand");
  EXPECT_NONFATAL_FAILURE(WriteBeside(shim_, machine_, end), "written outside an operand");
}

TEST_F(PlacedOperandsTest, AKernelThatFailsIsSeen) {
  shim_.fail_at = shim_.n_calls;
  shim_.n_failures = 1000;
  shim_.code = 719;
  EXPECT_THROW(RunOn(machine_, AddCase()), std::logic_error);
}

}  // namespace
}  // namespace rf::conformance
