// From the bytes of one GGUF file to checked metadata and tensor records.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "gguf/byte_reader.h"
#include "gguf/limits.h"
#include "gguf/metadata.h"
#include "gguf/reader.h"

namespace rf {

/// One file's header, complete and consistent with the file's size.
struct GgufHeader {
  GgufShard shard;
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;    ///< in file order; `shard` still 0
  std::vector<std::string> warnings;  ///< one line each
};

/// Reads and checks everything of `file` but the tensor data. `source` is how messages call the file.
/// Errors: kCorruptFile, kUnsupported (version, byte order), kIo.
Result<GgufHeader> ParseGguf(const File& file, const std::string& source, const GgufLimits& limits);

/// Key and value #index at the reader's place. `header.metadata` gets it.
Status ParseKeyValue(ByteReader& in, uint64_t index, const GgufLimits& limits, GgufMetadata& metadata);

/// Tensor record #index. Everything is checked that does not depend on where the tensor data begins: file_offset is
/// left relative to that.
Result<GgufTensor> ParseTensorInfo(ByteReader& in, uint64_t index, uint64_t alignment, const GgufLimits& limits);

/// Makes the tensors' offsets absolute. Errors: kCorruptFile if one is not inside the file or overlaps another.
Status PlaceTensors(const std::string& source, GgufHeader& header);

}  // namespace rf
