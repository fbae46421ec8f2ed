// The parity check finds whatever op is wrong. The device is the real one of hip/ over a runtime on the heap.
#include "engine/parity.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "cpu/cpu_device.h"
#include "hip/hip_device.h"
#include "hip/test_util/shim.h"

namespace rf {
namespace {

using testing::HasSubstr;

class Parity : public testing::Test {
 protected:
  Status Check() {
    const auto device = hip::CreateHipDevice(shim_.api(), "hip", 0);
    RF_CHECK(device.has_value(), device.error().ToString());
    const auto cpu = cpu::CreateCpuDevice({.n_threads = 1, .isa = "reference"});
    shim_.wrong_op = wrong_op_;  // after the device's own test
    return CheckParity(**device, **cpu);
  }
  void TearDown() override {
    EXPECT_THAT(shim_.violations, testing::IsEmpty());
    EXPECT_EQ(shim_.n_live(), 0u);
  }

  hip::Shim shim_;
  std::string wrong_op_;
};

TEST_F(Parity, ARightDeviceIsTrusted) {
  const Status status = Check();
  EXPECT_TRUE(status) << status.error().ToString();
}

TEST_F(Parity, OneWrongElementOfAnyOpIsFound) {
  for (const char* op : {"embed", "rms_norm", "matmul", "rope_table", "rope", "attention", "glu", "gather_rows"}) {
    wrong_op_ = op;
    shim_.wrong_op.clear();
    shim_.wrong_by =
        wrong_op_ == "rope" ? 100.0f : 1.0f;  // one of 64 elements of a query moves attention only a little
    const Status status = Check();
    ASSERT_FALSE(status) << op;
    EXPECT_EQ(status.error().code, ErrorCode::kDevice);
    EXPECT_EQ(status.error().where, "hip:0");
    EXPECT_THAT(status.error().message, HasSubstr("'Shim GPU' (gfx1100) computes a small model wrongly (error "));
  }
}

TEST_F(Parity, AWrongChoiceIsFound) {
  wrong_op_ = "best_logits";
  const Status status = Check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDevice);
  EXPECT_THAT(status.error().message, HasSubstr("finds the best logits of a small model wrongly"));
}

TEST_F(Parity, NotANumberIsWrong) {
  wrong_op_ = "rms_norm";
  shim_.wrong_by = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(Check());
}

TEST_F(Parity, ItsOwnErrorsAreTold) {
  shim_.claimed_free = shim_.capacity = 1 << 16;
  const Status status = Check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kOutOfMemory);
}

}  // namespace
}  // namespace rf
