#include "gguf/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "gguf/message.h"
#include "gguf/parse.h"
#include "gguf/split.h"

namespace rf {

struct GgufFile::State {
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;
  std::vector<GgufShard> shards;
  std::vector<std::string> sources;  // how messages call each shard
  std::vector<File> files;
  std::vector<MappedFile> mappings;                    // one for each shard, or none
  std::unordered_map<std::string_view, size_t> index;  // views of the tensors' names
  std::vector<std::string> warnings;
};

namespace {

// A path takes at most this much of a message.
constexpr size_t kSourceBytes = 64;

// An error about a file of a split model, which the user did not name.
Error ShardError(Error error, const std::string& path, size_t index, size_t count) {
  // That file being absent or a folder means that the model is damaged, not that the user asked for something odd.
  if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalidArgument)
    error.code = ErrorCode::kCorruptFile;
  const size_t slash = path.rfind('/');
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  error.message = fmt::format("file {} of {} ('{}'): {}", index + 1, count, PathForMessage(name, 40), error.message);
  return error;
}

// Kernels read mapped tensors in place and rely on the usual alignment. Files may choose a smaller one.
bool IsAligned(const std::vector<GgufTensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [](const GgufTensor& tensor) { return tensor.file_offset % kGgufDefaultAlignment == 0; });
}

Status MapShards(std::vector<File>& files, const GgufOptions& options, std::vector<MappedFile>& mappings,
                 std::vector<std::string>& warnings) {
  mappings.reserve(files.size());
  for (const File& file : files) {
    auto mapping = MappedFile::Map(file);
    if (mapping) {
      mappings.push_back(std::move(mapping).value());
      if (options.read_ahead) mappings.back().Advise(0, file.size(), MapAdvice::kWillNeed);
      continue;
    }
    const Error& error = mapping.error();
    if (error.code != ErrorCode::kUnsupported && error.code != ErrorCode::kOutOfMemory) return error;
    // The file can still be read piece by piece.
    warnings.push_back(error.ToString() + "; reading it instead");
    mappings.clear();
    return {};
  }
  return {};
}

}  // namespace

GgufFile::GgufFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
GgufFile::GgufFile(GgufFile&&) noexcept = default;
GgufFile& GgufFile::operator=(GgufFile&&) noexcept = default;
GgufFile::~GgufFile() = default;

Result<GgufFile> GgufFile::Open(const std::string& path, const GgufOptions& options) {
  try {
    GgufFile file(std::make_unique<State>());
    RF_RETURN_IF_ERROR(file.AddShard(path, options));
    RF_ASSIGN_OR_RETURN(const auto others, OtherShards(file.metadata(), path, options.limits));
    for (size_t i = 0; i < others.size(); ++i) {
      if (auto status = file.AddShard(others[i], options); !status)
        return ShardError(std::move(status).error(), others[i], i + 1, others.size() + 1);
    }
    RF_RETURN_IF_ERROR(file.Finish(options));
    return file;
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory", {}};
  }
}

Status GgufFile::AddShard(const std::string& path, const GgufOptions& options) {
  State& state = *state_;
  const auto index = static_cast<int32_t>(state.shards.size());
  const std::string source = PathForMessage(path, kSourceBytes);
  RF_ASSIGN_OR_RETURN(File file, File::Open(path, options.syscalls));
  RF_ASSIGN_OR_RETURN(GgufHeader header, ParseGguf(file, source, options.limits));
  if (index == 0) {
    state.metadata = std::move(header.metadata);
  } else {
    RF_RETURN_IF_ERROR(CheckShard(state.metadata, header.metadata, static_cast<uint32_t>(index)));
  }
  for (GgufTensor& tensor : header.tensors) {
    tensor.shard = index;
    state.tensors.push_back(std::move(tensor));
  }
  for (std::string& warning : header.warnings) state.warnings.push_back(std::move(warning));
  state.shards.push_back(std::move(header.shard));
  state.sources.push_back(source);
  state.files.push_back(std::move(file));
  return {};
}

Status GgufFile::Finish(const GgufOptions& options) {
  State& state = *state_;
  RF_RETURN_IF_ERROR(CheckTensorTotal(state.metadata, state.tensors.size()));
  if (state.tensors.empty() && !options.vocab_only_ok)
    return CorruptAt(state.sources[0], 8, "no tensors: the file has only metadata");
  state.index.reserve(state.tensors.size());
  for (size_t i = 0; i < state.tensors.size(); ++i) {
    const auto [first, is_new] = state.index.try_emplace(state.tensors[i].name, i);
    if (!is_new)
      return TensorError(i, ErrorCode::kCorruptFile,
                         fmt::format("duplicate tensor name '{}' (#{} and #{})", NameForMessage(state.tensors[i].name),
                                     first->second, i));
  }
  if (options.use_mmap && IsAligned(state.tensors))
    RF_RETURN_IF_ERROR(MapShards(state.files, options, state.mappings, state.warnings));
  if (options.verify) RF_RETURN_IF_ERROR(VerifyTensors(*this));
  for (const std::string& warning : state.warnings) Log(LogLevel::kWarning, warning);
  return {};
}

const GgufMetadata& GgufFile::metadata() const {
  return state_->metadata;
}
std::span<const GgufTensor> GgufFile::tensors() const {
  return state_->tensors;
}
std::span<const GgufShard> GgufFile::shards() const {
  return state_->shards;
}
const std::vector<std::string>& GgufFile::warnings() const {
  return state_->warnings;
}
bool GgufFile::is_mapped() const {
  return !state_->mappings.empty();
}

std::optional<size_t> GgufFile::FindTensor(std::string_view name) const {
  const auto it = state_->index.find(name);
  return it == state_->index.end() ? std::nullopt : std::optional(it->second);
}

Result<std::span<const std::byte>> GgufFile::TensorBytes(size_t i) const {
  RF_CHECK(i < state_->tensors.size());
  if (!is_mapped())
    return TensorError(i, ErrorCode::kUnsupported, "the file is not mapped: tensors can only be copied");
  RF_RETURN_IF_ERROR(Damage());
  const GgufTensor& tensor = state_->tensors[i];
  return state_->mappings[static_cast<size_t>(tensor.shard)].bytes().subspan(tensor.file_offset, tensor.n_bytes);
}

Status GgufFile::ReadTensor(size_t i, std::span<std::byte> dst) const {
  RF_CHECK(i < state_->tensors.size() && dst.size() == state_->tensors[i].n_bytes);
  return ReadTensorRange(i, 0, dst);
}

Status GgufFile::ReadTensorRange(size_t i, uint64_t offset, std::span<std::byte> dst) const {
  RF_CHECK(i < state_->tensors.size());
  const GgufTensor& tensor = state_->tensors[i];
  RF_CHECK(offset <= tensor.n_bytes && dst.size() <= tensor.n_bytes - offset);
  auto status = state_->files[static_cast<size_t>(tensor.shard)].ReadAt(tensor.file_offset + offset, dst);
  if (status) return status;
  Error error = std::move(status).error();
  error.message = fmt::format("tensor '{}': {}", NameForMessage(tensor.name), error.message);
  return error;
}

void GgufFile::WillNeed(size_t i) const {
  RF_CHECK(i < state_->tensors.size());
  const GgufTensor& tensor = state_->tensors[i];
  if (!is_mapped()) return;
  state_->mappings[static_cast<size_t>(tensor.shard)].Advise(tensor.file_offset, tensor.n_bytes, MapAdvice::kWillNeed);
}

void GgufFile::DontNeed(size_t i) const {
  RF_CHECK(i < state_->tensors.size());
  const GgufTensor& tensor = state_->tensors[i];
  if (!is_mapped()) return;
  state_->mappings[static_cast<size_t>(tensor.shard)].Advise(tensor.file_offset, tensor.n_bytes, MapAdvice::kDontNeed);
}

Status GgufFile::Damage() const {
  for (size_t i = 0; i < state_->mappings.size(); ++i) {
    if (const auto offset = state_->mappings[i].damaged_offset())
      return Error{ErrorCode::kIo,
                   fmt::format("the file was cut short or cannot be read any more at byte {}; it had {} bytes when it "
                               "was opened",
                               *offset, state_->shards[i].file_bytes),
                   state_->sources[i]};
  }
  return {};
}

std::optional<uint64_t> GgufFile::DamagedOffset() const {
  for (const MappedFile& mapping : state_->mappings)
    if (const auto offset = mapping.damaged_offset()) return offset;
  return std::nullopt;
}

Error GgufFile::TensorError(size_t i, ErrorCode code, std::string message) const {
  RF_CHECK(i < state_->tensors.size());
  const GgufTensor& tensor = state_->tensors[i];
  Error error = CorruptAt(state_->sources[static_cast<size_t>(tensor.shard)], tensor.info_offset, std::move(message));
  error.code = code;
  return error;
}

}  // namespace rf
