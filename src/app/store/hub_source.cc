#include "app/store/hub_source.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr std::string_view kPrefix = "hf:";
constexpr size_t kMaxListed = 8;

struct HubFile {
  std::string name;
  std::string sha256;
};

std::string Variable(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

bool IsSafeSegment(std::string_view text) {
  if (text.empty() || text == "." || text == ".." || text.size() > 200) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
  });
}

bool IsSafePath(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    if (!IsSafeSegment(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// The GGUF files in the hub's answer {"siblings": [{"rfilename": …, "lfs": {"sha256": …}}, …]}.
std::vector<HubFile> ListGgufFiles(const nlohmann::json& answer) {
  std::vector<HubFile> files;
  if (!answer.is_object() || !answer.contains("siblings") || !answer["siblings"].is_array()) return files;
  for (const auto& sibling : answer["siblings"]) {
    if (!sibling.is_object()) continue;
    const std::string name = sibling.value("rfilename", "");
    if (!EndsWith(name, ".gguf") || !IsSafePath(name)) continue;
    HubFile file{name, ""};
    if (sibling.contains("lfs") && sibling["lfs"].is_object()) file.sha256 = sibling["lfs"].value("sha256", "");
    if (file.sha256.size() != 64) file.sha256.clear();
    files.push_back(file);
  }
  return files;
}

std::string ListNames(const std::vector<HubFile>& files) {
  std::string names;
  for (size_t i = 0; i < files.size() && i < kMaxListed; ++i) names += (i == 0 ? "" : ", ") + files[i].name;
  if (files.size() > kMaxListed) names += fmt::format(", and {} more", files.size() - kMaxListed);
  return names;
}

Result<HubFile> Choose(const std::vector<HubFile>& files, std::string_view wanted, std::string_view repo) {
  if (files.empty()) return Error{ErrorCode::kNotFound, fmt::format("'{}' holds no GGUF file", repo), ""};
  if (!wanted.empty()) {
    for (const HubFile& file : files) {
      if (file.name == wanted) return file;
    }
    return Error{ErrorCode::kNotFound, fmt::format("'{}' has no file '{}'; it has: {}", repo, wanted, ListNames(files)),
                 ""};
  }
  if (files.size() == 1) return files[0];
  std::vector<HubFile> usual;
  for (const HubFile& file : files) {
    if (file.name.find("Q4_K_M") != std::string::npos || file.name.find("q4_k_m") != std::string::npos)
      usual.push_back(file);
  }
  if (usual.size() == 1) return usual[0];
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("'{}' has several files, name one (hf:{}:FILE): {}", repo, repo, ListNames(files)), ""};
}

}  // namespace

Result<HttpSource> FindOnHub(std::string_view reference) {
  std::string_view rest = reference.substr(kPrefix.size());
  const size_t colon = rest.find(':');
  const std::string repo(rest.substr(0, colon));
  const std::string wanted(colon == std::string_view::npos ? "" : rest.substr(colon + 1));
  if (std::count(repo.begin(), repo.end(), '/') != 1 || !IsSafePath(repo) || (!wanted.empty() && !IsSafePath(wanted))) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is not of the form hf:owner/repo[:file]", EscapeForMessage(reference, 120)), ""};
  }
  const std::string hub = Variable("HF_ENDPOINT", "https://huggingface.co");
  const std::string token = Variable("HF_TOKEN", "");
  RF_ASSIGN_OR_RETURN(const std::string text, FetchText(fmt::format("{}/api/models/{}?blobs=true", hub, repo), token));
  const auto answer = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded()) return Error{ErrorCode::kIo, "the hub's answer is not JSON", hub};
  std::vector<HubFile> files;
  try {
    files = ListGgufFiles(answer);
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::kIo, "the hub's answer has an unexpected form", hub};
  }
  RF_ASSIGN_OR_RETURN(const HubFile file, Choose(files, wanted, repo));
  return HttpSource{fmt::format("{}/{}/resolve/main/{}", hub, repo, file.name), token, file.sha256,
                    file.name.substr(file.name.find_last_of('/') + 1)};
}

}  // namespace rf::app
