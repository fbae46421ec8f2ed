#include "app/store/model_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/store/cache_dir.h"
#include "app/store/catalog.h"
#include "app/store/file_in_use.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".gguf";

bool LooksLikePath(const std::string& model) {
  return model.find('/') != std::string::npos || fs::path(model).extension() == kExtension;
}

Error UnknownModel(const std::string& model) {
  const std::string shown = EscapeForMessage(model, 80);
  if (FindInCatalog(model) != nullptr) {
    return {ErrorCode::kNotFound, fmt::format("model '{0}' is not here yet; fetch it with: rocmforge pull {0}", shown),
            ""};
  }
  return {
      ErrorCode::kNotFound,
      fmt::format("no model '{}'; `rocmforge models` lists what is here, `rocmforge pull --help` what can be fetched",
                  shown),
      ""};
}

}  // namespace

Result<std::vector<StoredModel>> ListModels() {
  RF_ASSIGN_OR_RETURN(const fs::path dir, ModelsDir());
  std::vector<StoredModel> models;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(dir, error)) {
    std::error_code stat_error;
    const fs::path& path = item.path();
    if (path.extension() != kExtension || path.filename().string()[0] == '.' || !item.is_regular_file(stat_error))
      continue;
    models.push_back({path.stem().string(), path, item.file_size(stat_error)});
  }
  if (error) return Error{ErrorCode::kIo, error.message(), dir.string()};
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return models;
}

Result<fs::path> ResolveModel(const std::string& model) {
  if (model.empty()) return Error{ErrorCode::kInvalidArgument, "MODEL is empty", ""};
  if (LooksLikePath(model)) return fs::path(model);
  RF_RETURN_IF_ERROR(CheckModelName(model));
  RF_ASSIGN_OR_RETURN(const fs::path dir, ModelsDir());
  const fs::path path = dir / (model + kExtension);
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(path, error))) return path;
  if (fs::exists(model, error)) return fs::path(model);
  return UnknownModel(model);
}

Status RemoveModel(const std::string& name) {
  RF_RETURN_IF_ERROR(CheckModelName(name));
  RF_ASSIGN_OR_RETURN(const fs::path dir, ModelsDir());
  const fs::path path = dir / (name + kExtension);
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error))) return UnknownModel(name);
  if (IsInUse(path))
    return Error{ErrorCode::kBusy, fmt::format("model '{}' is in use by a running process; stop that first", name), ""};
  if (!fs::remove(path, error)) return Error{ErrorCode::kIo, error.message(), path.string()};
  return {};
}

}  // namespace rf::app
