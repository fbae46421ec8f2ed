// Opening a GPU module: catalogue rows D01 and D02, with small shared libraries that have one fault each.
#include "hip/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/test_util/temp_folder.h"

namespace rf::hip {
namespace {

using testing::HasSubstr;

constexpr char kFakes[] = RF_FAKE_MODULES;
constexpr size_t kMaxLineBytes = 300;

ModuleSearch SearchFor(const std::string& fake) {
  ModuleSearch search;
  search.kind = "hip";
  search.folders = {std::string(kFakes) + "/nowhere", std::string(kFakes) + "/" + fake};
  search.runtimes = {"librf-no-such-runtime.so.7", std::string(kFakes) + "/runtime.so"};
  return search;
}

// The error of opening; its form is what every message must have.
Error OpenError(const ModuleSearch& search) {
  const auto api = OpenModule(search);
  EXPECT_FALSE(api.has_value());
  if (api) return Error{ErrorCode::kInternal, "", ""};
  EXPECT_EQ(api.error().code, ErrorCode::kDevice);
  EXPECT_LE(api.error().ToString().size(), kMaxLineBytes);
  EXPECT_EQ(api.error().ToString().find('\n'), std::string::npos);
  return api.error();
}

TEST(ModuleTest, ItsSymbolsComeFromTheRuntimeThatIsLoadedFirst) {
  const auto api = OpenModule(SearchFor("no_device"));
  ASSERT_TRUE(api) << api.error().ToString();
  const auto count = CountDevices(**api, GpuPresence{});
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ErrorCode::kDevice);
  EXPECT_THAT(count.error().message, HasSubstr("HIP finds no GPU: there is neither /dev/kfd"));
}

TEST(ModuleTest, AnOldDriverIsNamed) {
  const auto api = OpenModule(SearchFor("old_driver"));
  ASSERT_TRUE(api) << api.error().ToString();
  const auto count = CountDevices(**api, GpuPresence{});
  ASSERT_FALSE(count);
  EXPECT_THAT(count.error().message, HasSubstr("hipErrorInsufficientDriver (35), driver version is insufficient"));
  EXPECT_THAT(count.error().message, HasSubstr("update the GPU's driver"));
}

TEST(ModuleTest, NoModule) {
  EXPECT_THAT(OpenError(SearchFor("nowhere")).message, HasSubstr("has no librocmforge_hip.so: build it"));
  ModuleSearch search = SearchFor("no_device");
  search.override_path = "/no/such\nfile.so";
  EXPECT_THAT(OpenError(search).message, HasSubstr("ROCMFORGE_GPU_MODULE names '/no/such\\nfile.so'"));
  search.override_path = std::string(kFakes) + "/no_device/librocmforge_hip.so";
  search.folders.clear();
  EXPECT_TRUE(OpenModule(search));
}

// In a program of its own: another test's runtime would still be loaded.
TEST(ModuleDeathTest, NoRuntime) {
  const auto report = [] {
    ModuleSearch search = SearchFor("no_device");
    search.runtimes = {"librf-no-such-runtime.so.7", "/opt/none/librf-no-such-runtime.so.7"};
    fprintf(stderr, "%s\n", OpenError(search).message.c_str());
    exit(0);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(report(), testing::ExitedWithCode(0),
              "the HIP runtime cannot be loaded: no librf-no-such-runtime.so.7 is installed; install ROCm");
}

// What is wrong with a runtime that exists says more than that others do not.
TEST(ModuleDeathTest, ABrokenRuntime) {
  const TempFolder folder;
  const std::string broken = folder.Put("libamdhip64.so.6", "not a library");
  const auto report = [&broken] {
    ModuleSearch search = SearchFor("no_device");
    search.runtimes = {"librf-no-such-runtime.so.7", broken, "librf-no-such-runtime.so.5"};
    fprintf(stderr, "%s\n", OpenError(search).message.c_str());
    exit(0);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(report(), testing::ExitedWithCode(0), "libamdhip64.so.6: file too short|invalid ELF header");
}

TEST(ModuleTest, FilesThatAreNoModules) {
  EXPECT_THAT(OpenError(SearchFor("no_symbol")).message, HasSubstr("is no GPU module of this program"));
  EXPECT_THAT(OpenError(SearchFor("null_table")).message, HasSubstr("has no table of functions"));
  const TempFolder folder;
  ModuleSearch search = SearchFor("nowhere");
  search.override_path = folder.Put("librocmforge_hip.so", "text");
  EXPECT_THAT(OpenError(search).message, HasSubstr("does not fit the installed GPU runtime"));
}

TEST(ModuleTest, ModulesOfOtherSources) {
  EXPECT_THAT(OpenError(SearchFor("wrong_version")).message, HasSubstr("is of another version of this program"));
  EXPECT_THAT(OpenError(SearchFor("wrong_table")).message, HasSubstr("build both from the same sources"));
  EXPECT_THAT(OpenError(SearchFor("missing_function")).message, HasSubstr("RfFakeIsInNoRuntime"));
}

TEST(ModuleTest, TheEmulatorNeverPassesForAGpu) {
  EXPECT_THAT(OpenError(SearchFor("emulator")).message, HasSubstr("is a module for emulator, not for --device hip"));
  ModuleSearch search = SearchFor("emulator");
  search.kind = "emulated";
  search.override_path = std::string(kFakes) + "/emulator/librocmforge_hip.so";
  const auto api = OpenModule(search);
  ASSERT_TRUE(api) << api.error().ToString();
  EXPECT_EQ(CountDevices(**api, GpuPresence{}).value(), 2);
  search.override_path = std::string(kFakes) + "/no_device/librocmforge_hip.so";
  EXPECT_THAT(OpenError(search).message, HasSubstr("is a module for HIP, not for --device emulated"));
}

TEST(ModuleTest, WhereModulesAndRuntimesAreLookedFor) {
  const ModuleSearch hip = DefaultSearch("hip");
  ASSERT_EQ(hip.folders.size(), 2u);
  EXPECT_EQ(hip.folders[1], hip.folders[0].parent_path() / "lib" / "rocmforge");
  EXPECT_THAT(hip.runtimes, testing::IsSupersetOf({"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"}));
  EXPECT_TRUE(DefaultSearch("emulated").runtimes.empty());
}

}  // namespace
}  // namespace rf::hip
