// Models split over several files: "x-00001-of-00003.gguf" and so on, tied together by the keys split.*.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "gguf/limits.h"
#include "gguf/metadata.h"
#include "gguf/parse.h"

namespace rf {

/// Paths of the files after the first one, made from the first one's path; none if the model is one file.
/// Errors: kCorruptFile if split.no or split.count make no sense, this is not the first file, or its name does not end
/// in
/// "-00001-of-00003.gguf".
Result<std::vector<std::string>> OtherShards(const GgufMetadata& first, const std::string& first_path,
                                             const GgufLimits& limits);

/// Whether `shard` is file number `index` (from 0) of the model that `first` begins. Errors: kCorruptFile.
Status CheckShard(const GgufMetadata& first, const GgufMetadata& shard, uint32_t index);

/// Whether the model has as many tensors as split.tensors.count says. Errors: kCorruptFile.
Status CheckTensorTotal(const GgufMetadata& first, uint64_t n_tensors);

}  // namespace rf
