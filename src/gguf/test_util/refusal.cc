#include "gguf/test_util/refusal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "base/sanitizers.h"
#include "gguf/test_util/temp_folder.h"

namespace rf {
namespace {

// A line of /proc/self/status in bytes; 0 if there is none.
int64_t StatusBytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
  return 0;
}

// Resident memory now; the peak is counted from here on.
int64_t StartPeak() {
  std::ofstream("/proc/self/clear_refs") << "5";
  return StatusBytes("VmRSS");
}

std::vector<GgufOptions> Ways(const GgufOptions& options) {
  std::vector<GgufOptions> ways(3, options);
  ways[0].use_mmap = true;
  ways[1].use_mmap = false;
  ways[2].use_mmap = true;
  ways[2].verify = true;
  return ways;
}

}  // namespace

void ExpectRefused(const std::string& path, const std::vector<std::string>& parts, ErrorCode code,
                   const GgufOptions& options) {
  std::string first;
  for (const GgufOptions& way : Ways(options)) {
    const int64_t before = StartPeak();
    const auto start = std::chrono::steady_clock::now();
    const auto file = GgufFile::Open(path, way);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const int64_t extra = StatusBytes("VmHWM") - before;
    ASSERT_FALSE(file.has_value()) << "accepted: " << path;
    const std::string message = file.error().ToString();
    SCOPED_TRACE(message);
    EXPECT_EQ(ErrorCodeName(file.error().code), ErrorCodeName(code));
    EXPECT_EQ(MessageFlaw(message), "");
    EXPECT_EQ(message.find("0x7f"), std::string::npos) << "looks like an address";
    for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << "lacks: " << part;
    EXPECT_LE(seconds.count(), kMaxRefusalSeconds);
    if (!kIsSanitized) {
      EXPECT_LE(extra, kMaxRefusalBytes);
    }
    if (first.empty()) first = message;
    EXPECT_EQ(first, message) << "mapped, read and verified must agree";
  }
}

void ExpectRefusedBytes(std::string_view bytes, const std::vector<std::string>& parts, ErrorCode code,
                        const GgufOptions& options) {
  const TempFolder folder;
  ExpectRefused(folder.Put("b.gguf", bytes), parts, code, options);
}

void ExpectAccepted(std::string_view bytes, const std::function<void(const GgufFile&)>& check,
                    const GgufOptions& options) {
  const TempFolder folder;
  const std::string path = folder.Put("b.gguf", bytes);
  for (const GgufOptions& way : Ways(options)) {
    const auto file = GgufFile::Open(path, way);
    ASSERT_TRUE(file.has_value()) << file.error().ToString();
    if (check) check(*file);
  }
}

}  // namespace rf
