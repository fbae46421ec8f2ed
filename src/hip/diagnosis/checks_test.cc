// The diagnosis of machines with one thing wrong each, from files as Linux has them.
#include "hip/diagnosis/checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/test_util/temp_folder.h"

namespace rf::hip {
namespace {

using testing::HasSubstr;

// A machine with a Radeon RX 7900 XTX where everything is as it should be.
class DoctorTest : public testing::Test {
 protected:
  void SetUp() override {
    Put("proc/sys/kernel/osrelease", "6.12.9\n");
    Put("sys/module/amdgpu/initstate", "live\n");
    Put("sys/class/drm/card1/device/vendor", "0x1002\n");
    Put("sys/class/drm/card1/device/device", "0x744c\n");
    Put("sys/class/drm/card1/device/mem_info_vram_total", "25753026560\n");
    Put("sys/class/drm/card1/device/mem_info_gtt_total", "33554432000\n");
    Put("sys/class/drm/card1-DP-1/status", "connected\n");
    Put("sys/class/drm/card1/device/fw_version/mec_fw_version", "0x0000023b\n");
    Put("sys/class/drm/card1/device/fw_version/smc_fw_version", "0x004e8100\n");
    Put("sys/class/drm/card1/device/fw_version/vce_fw_version", "0x00000000\n");
    Put("sys/class/drm/card0/device/vendor", "0x8086\n");
    Put("sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 16\nsimd_count 0\ngfx_target_version 0\n");
    Put("sys/class/kfd/kfd/topology/nodes/1/properties", "simd_count 192\ngfx_target_version 110000\n");
    Put("dev/kfd", "");
    Put("dev/dri/card1", "");
    Put("dev/dri/renderD128", "");
    Put("opt/rocm/.info/version", "6.4.3-127\n");
    runtime_.runtime = "HIP";
    runtime_.targets = "gfx1030 gfx1100";
    runtime_.devices = {
        {"hip:0", "AMD Radeon RX 7900 XTX", "gfx1100", 24000000000u, 25753026560u, "", "6.4.43484", "6.4.43482"}};
  }

  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_.Path(path)).parent_path());
    root_.Put(path, text);
  }
  void Remove(const std::string& path) { std::filesystem::remove_all(root_.Path(path)); }

  std::vector<Check> Checks() const { return CheckGpu(ReadSystemFacts(root_.Path("")), runtime_, settings_); }

  // All is well but for one check.
  void ExpectOnly(const std::string& name, CheckStatus status, const std::string& detail,
                  const std::string& advice) const {
    bool is_found = false;
    for (const Check& check : Checks()) {
      if (check.name != name) {
        EXPECT_EQ(check.status, CheckStatus::kOk) << check.name << ": " << check.detail;
        continue;
      }
      is_found = true;
      EXPECT_EQ(check.status, status) << check.detail;
      EXPECT_THAT(check.detail, HasSubstr(detail));
      EXPECT_THAT(check.advice, HasSubstr(advice));
    }
    EXPECT_TRUE(is_found) << name;
  }

  TempFolder root_;
  RuntimeFacts runtime_;
  std::vector<Setting> settings_;
};

TEST_F(DoctorTest, AHealthyMachine) {
  std::string all;
  for (const Check& check : Checks()) {
    EXPECT_EQ(check.status, CheckStatus::kOk) << check.name << ": " << check.detail;
    EXPECT_EQ(check.advice, "") << check.name;
    all += check.name + ": " + check.detail + "\n";
  }
  EXPECT_THAT(all, HasSubstr("card: card1: AMD device 0x744c, 25.8 GB of its own memory, up to 33.6 GB of the host's"));
  EXPECT_THAT(all, HasSubstr("driver: amdgpu is loaded, kernel 6.12.9"));
  EXPECT_THAT(all, HasSubstr("firmware: card1: mec 0x0000023b, smc 0x004e8100\n"));
  EXPECT_THAT(all, HasSubstr("versions: hip:0: driver 6.4.43484, runtime 6.4.43482\n"));
  EXPECT_THAT(all, HasSubstr("module: opened, with HIP (ROCm 6.4.3-127)"));
  EXPECT_THAT(all, HasSubstr("target: the kernel's driver has a gfx1100 with 192 SIMDs"));
  EXPECT_THAT(all, HasSubstr("memory: hip:0: 24.0 GB of 25.8 GB are free"));
}

TEST_F(DoctorTest, NoDriver) {
  Remove("sys/module/amdgpu");
  ExpectOnly("driver", CheckStatus::kFail, "amdgpu is not loaded", "modprobe amdgpu");
}

TEST_F(DoctorTest, ADriverWithAVersionOfItsOwn) {
  Put("sys/module/amdgpu/version", "6.12.12\n");
  ExpectOnly("driver", CheckStatus::kOk, "amdgpu 6.12.12 is loaded, kernel 6.12.9", "");
}

TEST_F(DoctorTest, NoFirmwareVersions) {
  Remove("sys/class/drm/card1/device/fw_version");
  for (const Check& check : Checks()) EXPECT_NE(check.name, "firmware");
}

TEST_F(DoctorTest, NoKfd) {
  Remove("dev/kfd");
  ExpectOnly("kfd", CheckStatus::kFail, "/dev/kfd, through which programs compute, is missing", "--device /dev/kfd");
}

TEST_F(DoctorTest, NoRenderNode) {
  Remove("dev/dri/renderD128");
  ExpectOnly("render", CheckStatus::kFail, "there is no /dev/dri/renderD*", "--device /dev/dri");
}

TEST_F(DoctorTest, AUserOutsideTheGroup) {
  if (geteuid() == 0) GTEST_SKIP() << "root may open every file";
  ASSERT_EQ(chmod(root_.Path("dev/kfd").c_str(), 0), 0);
  ExpectOnly("kfd", CheckStatus::kFail, "this user may not open /dev/kfd, which belongs to the group", "usermod -aG");
}

TEST_F(DoctorTest, AGpuThatTheModuleHasNoCodeFor) {
  Put("sys/class/kfd/kfd/topology/nodes/1/properties", "simd_count 64\ngfx_target_version 110003\n");
  ExpectOnly("target", CheckStatus::kFail, "gfx1103 with 64 SIMDs; the module holds code for gfx1030 gfx1100",
             "-DRF_HIP_ARCHS=gfx1103");
}

TEST_F(DoctorTest, AnOverride) {
  settings_ = {{"HSA_OVERRIDE_GFX_VERSION", "11.0.0\n"}};
  ExpectOnly("override", CheckStatus::kWarn, "HSA_OVERRIDE_GFX_VERSION='11.0.0\\n'", "unset it");
}

TEST_F(DoctorTest, HiddenDevices) {
  settings_ = {{"HIP_VISIBLE_DEVICES", "1"}};
  ExpectOnly("visible", CheckStatus::kWarn, "HIP_VISIBLE_DEVICES='1' chooses", "unset it if one is missing");
}

TEST_F(DoctorTest, NoModule) {
  runtime_ = {};
  runtime_.module_error = "there is no librocmforge_hip.so";
  Remove("opt/rocm");
  ExpectOnly("module", CheckStatus::kFail, "there is no librocmforge_hip.so (no /opt/rocm)", "-DRF_GPU=hip");
}

TEST_F(DoctorTest, ADeviceThatComputesNonsense) {
  runtime_.devices[0].refusal = "its matmul is wrong";
  ExpectOnly("device", CheckStatus::kFail, "hip:0 is not used: its matmul is wrong", "the CPU is used");
}

TEST_F(DoctorTest, AFullGpu) {
  runtime_.devices[0].free_bytes = 1000000000;
  ExpectOnly("memory", CheckStatus::kWarn, "1.0 GB of 25.8 GB are free", "rocm-smi");
}

TEST_F(DoctorTest, AMachineWithoutAnAmdGpuIsFine) {
  for (const char* path : {"sys", "dev", "opt"}) Remove(path);
  runtime_ = {};
  runtime_.module_error = "there is no librocmforge_hip.so";
  for (const Check& check : Checks()) {
    EXPECT_EQ(check.status, CheckStatus::kWarn) << check.name;
    EXPECT_EQ(check.advice, "nothing, unless this machine should have an AMD GPU");
  }
}

TEST(GfxName, FollowsLlvmsNames) {
  EXPECT_EQ(GfxName(90010), "gfx90a");
  EXPECT_EQ(GfxName(90402), "gfx942");
  EXPECT_EQ(GfxName(100300), "gfx1030");
  EXPECT_EQ(GfxName(110501), "gfx1151");
  EXPECT_EQ(GfxName(120001), "gfx1201");
}

}  // namespace
}  // namespace rf::hip
