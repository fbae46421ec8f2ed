// Where models are kept.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace rf::app {

/// The models' folder, made if missing: $ROCMFORGE_CACHE/models, else $XDG_CACHE_HOME/rocmforge/models, else
/// ~/.cache/rocmforge/models, else a private folder below the temporary folder (said in the log).
/// Errors: kIo if it cannot be made, is a symbolic link, or belongs to another user.
Result<std::filesystem::path> ModelsDir();

/// Refuses names that could leave the models' folder or confuse a file system: "", ".", "..", '/', '\\', control
/// characters, a leading
/// '.' or '-', the device names of Windows, over 200 bytes. Errors: kInvalidArgument.
Status CheckModelName(const std::string& name);

}  // namespace rf::app
