#include "app/store/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace rf::app {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(5);

}  // namespace

Progress::Progress(std::string what) : what_(std::move(what)), is_terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (is_terminal_ && has_printed_) std::fputc('\n', stderr);
}

void Progress::Update(uint64_t done_bytes, uint64_t total_bytes) {
  const auto now = std::chrono::steady_clock::now();
  const bool is_done = total_bytes != 0 && done_bytes >= total_bytes;
  if (!is_done && has_printed_ && now - last_ < (is_terminal_ ? kTerminalInterval : kPlainInterval)) return;
  last_ = now;
  has_printed_ = true;
  Print(done_bytes, total_bytes);
}

void Progress::Print(uint64_t done_bytes, uint64_t total_bytes) {
  std::string line = fmt::format("{}: {:.1f}", what_, static_cast<double>(done_bytes) / 1e6);
  if (total_bytes != 0) {
    line += fmt::format(" of {:.1f} MB ({} %)", static_cast<double>(total_bytes) / 1e6, done_bytes * 100 / total_bytes);
  } else {
    line += " MB";
  }
  std::fprintf(stderr, is_terminal_ ? "\r\x1b[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
}

}  // namespace rf::app
