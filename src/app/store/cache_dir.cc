#include "app/store/cache_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 200;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path Preferred() {
  if (const std::string own = Variable("ROCMFORGE_CACHE"); !own.empty()) return fs::path(own) / "models";
  if (const std::string xdg = Variable("XDG_CACHE_HOME"); !xdg.empty() && xdg[0] == '/') {
    return fs::path(xdg) / "rocmforge" / "models";
  }
  if (const std::string home = Variable("HOME"); !home.empty())
    return fs::path(home) / ".cache" / "rocmforge" / "models";
  return {};
}

fs::path Fallback() {
  std::error_code ignored;
  fs::path base = fs::temp_directory_path(ignored);
  if (base.empty()) base = "/tmp";
  return base / fmt::format("rocmforge-{}", geteuid()) / "models";
}

Status MakePrivate(const fs::path& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return Error{ErrorCode::kIo, "cannot make folder: " + error.message(), dir.string()};
  struct stat info {};
  if (lstat(dir.c_str(), &info) != 0) return Error{ErrorCode::kIo, std::strerror(errno), dir.string()};
  if (!S_ISDIR(info.st_mode)) return Error{ErrorCode::kIo, "is not a folder of its own (a link?)", dir.string()};
  if (info.st_uid != geteuid()) {
    return Error{ErrorCode::kIo, "belongs to another user; set ROCMFORGE_CACHE to a folder of yours", dir.string()};
  }
  return {};
}

}  // namespace

Result<fs::path> ModelsDir() {
  const fs::path preferred = Preferred();
  if (!preferred.empty()) {
    Status made = MakePrivate(preferred);
    if (made) return preferred;
    if (!Variable("ROCMFORGE_CACHE").empty()) return std::move(made).error();
    Log(LogLevel::kWarning, made.error().ToString() + "; using " + Fallback().string());
  } else {
    Log(LogLevel::kWarning, "HOME is not set; models go to " + Fallback().string());
  }
  const fs::path fallback = Fallback();
  RF_RETURN_IF_ERROR(MakePrivate(fallback.parent_path()));
  RF_RETURN_IF_ERROR(MakePrivate(fallback));
  return fallback;
}

Status CheckModelName(const std::string& name) {
  const auto refuse = [&](const char* why) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("model name '{}' {}", EscapeForMessage(name, 60), why), ""};
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > kMaxNameBytes) return refuse("is longer than 200 bytes");
  if (name[0] == '.' || name[0] == '-') return refuse("starts with '.' or '-'");
  for (const char c : name) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return refuse("has a character that names cannot have");
  }
  for (const char* device : {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}) {
    if (strcasecmp(name.c_str(), device) == 0) return refuse("is reserved");
  }
  return {};
}

}  // namespace rf::app
