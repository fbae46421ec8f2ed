#include "base/check.h"

namespace rf {

void ThrowBug(const char* file, int line, const char* condition, const std::string& detail) {
  std::string text = std::string(file) + ":" + std::to_string(line) + ": RF_CHECK(" + condition + ") failed";
  if (!detail.empty()) text += ": " + detail;
  throw BugError(text);
}

}  // namespace rf
