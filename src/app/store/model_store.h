// Models by name: the GGUF files of the models' folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace rf::app {

struct StoredModel {
  std::string name;
  std::filesystem::path path;
  uint64_t size_bytes;
};

/// What the models' folder holds, by name. Errors: kIo.
Result<std::vector<StoredModel>> ListModels();

/// The file of MODEL: a path if it names an existing file or looks like one, otherwise a stored model's. Errors:
/// kNotFound that says what to type, kInvalidArgument.
Result<std::filesystem::path> ResolveModel(const std::string& model);

/// Removes a stored model. Errors: kNotFound, kBusy if a running process of this engine uses it, kIo.
Status RemoveModel(const std::string& name);

}  // namespace rf::app
