// RF_CHECK: programmer errors throw BugError, which is caught in the engine step and in main, nowhere else.
// Never use it on file, network or user data: those get an Error (base/result.h).
#pragma once

#include <stdexcept>
#include <string>

namespace rf {

/// A broken invariant of this program.
class BugError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws BugError("file:line: RF_CHECK(condition) failed: detail").
[[noreturn]] void ThrowBug(const char* file, int line, const char* condition, const std::string& detail = {});

}  // namespace rf

#define RF_CHECK(condition, ...)                                                                 \
  do {                                                                                           \
    if (!(condition)) ::rf::ThrowBug(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
