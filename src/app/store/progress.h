// Progress of long transfers on stderr: one line that rewrites itself on a terminal, a plain line now and then
// otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rf::app {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// total_bytes 0: unknown.
  void Update(uint64_t done_bytes, uint64_t total_bytes);

 private:
  void Print(uint64_t done_bytes, uint64_t total_bytes);

  std::string what_;
  bool is_terminal_;
  bool has_printed_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace rf::app
