// Reads GGUF files, version 2 and 3, whole or split, as hostile input: nothing is used before it is validated.
// Format: docs/gguf.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/syscalls.h"
#include "gguf/limits.h"
#include "gguf/metadata.h"
#include "quant/format.h"

namespace rf {

struct GgufOptions {
  /// Map the files if the system can and the tensors are aligned to 32 bytes; otherwise tensors are read on demand.
  /// Metadata is always read.
  bool use_mmap = true;
  bool read_ahead = false;     ///< ask the system to bring the whole mapping into memory soon
  bool vocab_only_ok = false;  ///< accept files without tensors
  bool verify = false;         ///< read every tensor and refuse weights that are NaN or infinite (VerifyTensors)
  GgufLimits limits;
  const Syscalls* syscalls = nullptr;  ///< null: the real ones. Must outlive the file
};

/// One tensor's place and shape, validated: the bytes lie inside their file and overlap no other tensor.
struct GgufTensor {
  std::string name;
  Format format = Format::kF32;
  std::vector<int64_t> shape;  ///< row-major, outermost first, last contiguous; 1 to 4 dimensions, each >= 1
  int64_t n_elements = 0;
  uint64_t n_bytes = 0;
  int32_t shard = 0;         ///< index into shards()
  uint64_t file_offset = 0;  ///< of the first byte, from the start of its file
  uint64_t info_offset = 0;  ///< byte where its record in the header begins, for messages
};

/// One file of a model; most models have one.
struct GgufShard {
  std::string path;
  uint64_t file_bytes = 0;
  uint32_t version = 0;
  uint64_t alignment = kGgufDefaultAlignment;
  uint64_t data_offset = 0;  ///< where tensor data begins
};

/// An open model file with its metadata in memory. Movable. All const members may be used from several threads at once.
///
/// Tensor bytes are touched only when asked for. A mapped file that shrinks or cannot be read while it is in use does
/// not kill the process: the missing part reads as zeros and Damage() reports it from then on.
class GgufFile {
 public:
  /// Opens `path`, the first file if the model is split. The other files are found beside it by name
  /// ("x-00001-of-00003.gguf").
  /// Errors: kNotFound, kInvalidArgument (a folder, a FIFO, a device), kIo (permission, read errors), kCorruptFile,
  /// kUnsupported (big-endian, other versions), kOutOfMemory.
  static Result<GgufFile> Open(const std::string& path, const GgufOptions& options = {});

  GgufFile(GgufFile&&) noexcept;
  GgufFile& operator=(GgufFile&&) noexcept;
  ~GgufFile();

  /// Metadata of the first file.
  const GgufMetadata& metadata() const;
  std::span<const GgufTensor> tensors() const;
  std::span<const GgufShard> shards() const;
  /// Index into tensors(); nothing if there is none of that name.
  std::optional<size_t> FindTensor(std::string_view name) const;

  bool is_mapped() const;
  /// The tensor's bytes in the mapping, aligned to 32 bytes, valid as long as this object. Errors: kUnsupported if the
  /// file is not mapped, kIo if the mapping is damaged. REQUIRES: i < tensors().size().
  Result<std::span<const std::byte>> TensorBytes(size_t i) const;
  /// Copies the tensor's bytes from the file, mapped or not. REQUIRES: dst.size() == n_bytes. Errors: kIo.
  Status ReadTensor(size_t i, std::span<std::byte> dst) const;
  /// As ReadTensor for `dst.size()` bytes from byte `offset` of the tensor. REQUIRES: the range lies in the tensor.
  Status ReadTensorRange(size_t i, uint64_t offset, std::span<std::byte> dst) const;
  /// Tells the system that the tensor will be read soon, or is not needed for now. Only a hint.
  void WillNeed(size_t i) const;
  void DontNeed(size_t i) const;

  /// Success, or kIo naming file and offset once a part of a mapping turned out to be unreadable. Cheap: to be asked
  /// after each step.
  Status Damage() const;
  /// Offset of the first byte of the page that was found unreadable first, in whichever shard; nothing if all is well.
  std::optional<uint64_t> DamagedOffset() const;

  /// What is odd but accepted, e.g. bytes after the last tensor. Escaped, one line each. Also sent to the log.
  const std::vector<std::string>& warnings() const;
  /// An Error about a tensor, with the file and the byte of its record. `message` should name the tensor.
  Error TensorError(size_t i, ErrorCode code, std::string message) const;

 private:
  struct State;
  explicit GgufFile(std::unique_ptr<State> state);
  /// Opens and parses the next file of the model.
  Status AddShard(const std::string& path, const GgufOptions& options);
  /// Checks the files together, maps and verifies them.
  Status Finish(const GgufOptions& options);
  std::unique_ptr<State> state_;
};

/// Reads all tensor data. Errors: kCorruptFile "tensor 't' has a value that is not finite in row R", once unpacked to
/// F32, in which kernels compute; kIo.
Status VerifyTensors(const GgufFile& file);

}  // namespace rf
