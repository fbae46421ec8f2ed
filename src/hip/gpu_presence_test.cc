// Catalogue row D01: why there is no GPU, from what the operating system shows.
#include "hip/gpu_presence.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/test_util/temp_folder.h"

namespace rf::hip {
namespace {

using testing::HasSubstr;

class GpuPresenceTest : public testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_.Path(path)).parent_path());
    root_.Put(path, text);
  }
  GpuPresence Look() { return LookForAmdGpu(root_.Path("")); }

  TempFolder root_;
};

TEST_F(GpuPresenceTest, AMachineWithoutGpuIsToldFromOneWithAnother) {
  EXPECT_FALSE(Look().IsLikely());
  EXPECT_THAT(ExplainNoDevice(Look(), ""), HasSubstr("neither /dev/kfd nor an AMD card"));
  Put("sys/class/drm/card0/device/vendor", "0x10de\n");
  Put("sys/class/drm/version", "drm 1.1.0\n");
  EXPECT_FALSE(Look().IsLikely());
}

TEST_F(GpuPresenceTest, ACardWithoutItsDriver) {
  Put("sys/class/drm/card0/device/vendor", "0x10de\n");
  Put("sys/class/drm/card1/device/vendor", "0x1002\n");
  EXPECT_TRUE(Look().IsLikely());
  EXPECT_THAT(ExplainNoDevice(Look(), ""), HasSubstr("/dev/kfd is missing: load the kernel's amdgpu driver"));
}

TEST_F(GpuPresenceTest, AUserOutsideTheGroup) {
  if (geteuid() == 0) GTEST_SKIP() << "root may open every file";
  Put("dev/kfd", "");
  ASSERT_EQ(chmod(root_.Path("dev/kfd").c_str(), 0), 0);
  EXPECT_TRUE(Look().has_kfd);
  EXPECT_THAT(ExplainNoDevice(Look(), ""), HasSubstr("group 'render'"));
}

TEST_F(GpuPresenceTest, TheGroupIsNamed) {
  const GpuPresence closed{.has_card = true, .has_kfd = true, .may_open_kfd = false};
  EXPECT_THAT(ExplainNoDevice(closed, "HIP_VISIBLE_DEVICES='9'"), HasSubstr("group 'render'"));
}

TEST_F(GpuPresenceTest, AVariableThatHidesTheGpus) {
  Put("dev/kfd", "");
  EXPECT_THAT(ExplainNoDevice(Look(), ""), HasSubstr("rocminfo"));
  ASSERT_EQ(setenv("HIP_VISIBLE_DEVICES", "9\n", 1), 0);
  EXPECT_THAT(ExplainNoDevice(Look(), VisibleDevicesVariable()), HasSubstr("HIP_VISIBLE_DEVICES='9\\n' hides"));
  ASSERT_EQ(unsetenv("HIP_VISIBLE_DEVICES"), 0);
}

}  // namespace
}  // namespace rf::hip
