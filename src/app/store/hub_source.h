// Models of the Hugging Face hub: hf:owner/repo[:file].
#pragma once

#include <string>
#include <string_view>

#include "app/store/http_source.h"
#include "base/result.h"

namespace rf::app {

/// Asks the hub for the repository's files and chooses one: the named one, the only GGUF, or the only one with Q4_K_M
/// in its name. The digest that the hub knows is checked after the download. $HF_ENDPOINT names another hub, $HF_TOKEN
/// an access token. Errors: kInvalidArgument (malformed, or several files: they are listed), kNotFound, kIo.
Result<HttpSource> FindOnHub(std::string_view reference);

}  // namespace rf::app
