// Writes GGUF files, version 2 or 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/syscalls.h"
#include "gguf/metadata.h"
#include "gguf/reader.h"
#include "quant/format.h"

namespace rf {

/// A tensor to write. The bytes are not copied: they must live until the file is written.
struct GgufTensorSource {
  std::string name;
  Format format = Format::kF32;
  std::vector<int64_t> shape;  ///< row-major, outermost first
  std::span<const std::byte> bytes;
};

/// What a file holds. Tensor data is written in the order of `tensors`, each padded to "general.alignment" (a u32 key,
/// 32 if absent).
struct GgufContents {
  uint32_t version = 3;
  GgufMetadata metadata;
  std::vector<GgufTensorSource> tensors;
};

/// Writes to a temporary file beside `path` and renames it over `path` when all is written and flushed to disk.
/// Errors: kInvalidArgument for contents the format cannot hold (names the key or tensor), kIo. An old file at `path`
/// is unchanged on errors.
Status WriteGguf(const GgufContents& contents, const std::string& path, const Syscalls* syscalls = nullptr);

/// The file as bytes. Errors: kInvalidArgument as above.
Result<std::vector<std::byte>> SerializeGguf(const GgufContents& contents);

/// The contents of an open, mapped and unsplit file, with views of its tensor bytes: writing them gives the same file
/// again if its tensors lie in order without gaps. Errors: those of GgufFile::TensorBytes.
Result<GgufContents> ContentsOf(const GgufFile& file);

}  // namespace rf
