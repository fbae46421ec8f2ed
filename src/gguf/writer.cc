#include "gguf/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/checked_math.h"
#include "base/file.h"
#include "base/utf8.h"
#include "gguf/limits.h"
#include "gguf/message.h"

namespace rf {
namespace {

Error Invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), {}};
}

// Little-endian bytes, appended.
class ByteSink {
 public:
  template <typename T>
  void Number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Bytes(std::span<const std::byte> bytes) {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void Text(std::string_view text) { bytes_.append(text); }
  void String(std::string_view text) {
    Number<uint64_t>(text.size());
    Text(text);
  }
  void PadTo(uint64_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
};

// Where tensor data goes, for contents that the format can hold.
struct Layout {
  uint64_t alignment = kGgufDefaultAlignment;
  std::vector<uint64_t> offsets;  // from the start of the data, one for each tensor
};

Result<uint64_t> AlignmentOf(const GgufMetadata& metadata) {
  const GgufValue* value = metadata.Find("general.alignment");
  if (!value) return kGgufDefaultAlignment;
  const uint64_t alignment = value->type() == GgufType::kU32 ? *value->AsU64() : 0;
  if (alignment == 0 || (alignment & (alignment - 1)) != 0)
    return Invalid("key 'general.alignment' must be a u32 power of two");
  return alignment;
}

Result<uint64_t> ExpectedBytes(const GgufTensorSource& tensor, const std::string& name) {
  if (tensor.shape.empty() || tensor.shape.size() > kGgufMaxDims)
    return Invalid(fmt::format("tensor '{}' has {} dimensions (max {})", name, tensor.shape.size(), kGgufMaxDims));
  int64_t n_elements = 1;
  for (const int64_t dim : tensor.shape) {
    const auto product = CheckedMul(n_elements, dim);
    if (dim < 1 || !product) return Invalid(fmt::format("tensor '{}' has a dimension of {}", name, dim));
    n_elements = *product;
  }
  const FormatInfo& info = GetFormatInfo(tensor.format);
  if (info.ggml_id < 0) return Invalid(fmt::format("tensor '{}': GGUF has no type {}", name, info.name));
  if (tensor.shape.back() % info.block_elements != 0)
    return Invalid(fmt::format("tensor '{}' of type {}: row of {} is not a multiple of block {}", name, info.name,
                               tensor.shape.back(), info.block_elements));
  const auto n_bytes = CheckedMul<int64_t>(n_elements / info.block_elements, info.block_bytes);
  if (!n_bytes) return Invalid(fmt::format("size of tensor '{}' overflows", name));
  return static_cast<uint64_t>(*n_bytes);
}

Result<Layout> Plan(const GgufContents& contents) {
  if (contents.version != 2 && contents.version != 3)
    return Invalid(fmt::format("version {} not supported (2-3)", contents.version));
  for (const GgufMetadata::Entry& entry : contents.metadata.entries())
    if (entry.key.empty()) return Invalid("a key is empty");
  Layout layout;
  RF_ASSIGN_OR_RETURN(layout.alignment, AlignmentOf(contents.metadata));
  std::unordered_set<std::string_view> names;
  uint64_t end = 0;
  for (const GgufTensorSource& tensor : contents.tensors) {
    const std::string name = NameForMessage(tensor.name);
    if (tensor.name.empty() || tensor.name.size() > GgufLimits().tensor_name_bytes)
      return Invalid(fmt::format("tensor name '{}' of {} bytes (1 to {})", name, tensor.name.size(),
                                 GgufLimits().tensor_name_bytes));
    if (!names.insert(tensor.name).second) return Invalid(fmt::format("duplicate tensor name '{}'", name));
    RF_ASSIGN_OR_RETURN(const uint64_t n_bytes, ExpectedBytes(tensor, name));
    if (n_bytes != tensor.bytes.size())
      return Invalid(fmt::format("tensor '{}' needs {} bytes, {} are given", name, n_bytes, tensor.bytes.size()));
    layout.offsets.push_back(end);
    const auto next = CheckedAdd(end, n_bytes);
    const auto padded = next ? CheckedAlignUp(*next, layout.alignment) : std::nullopt;
    if (!padded) return Invalid("the file's size overflows");
    end = *padded;
  }
  return layout;
}

void PutValue(const GgufValue& value, ByteSink& out) {
  out.Number(static_cast<uint32_t>(value.type()));
  if (value.is_array()) {
    out.Number(static_cast<uint32_t>(value.element_type()));
    out.Number<uint64_t>(value.size());
  }
  out.Bytes(value.bytes());
  for (size_t i = 0; i < value.strings().size(); ++i) out.String(value.strings()[i]);
}

// Everything before the tensor data, padded.
ByteSink Header(const GgufContents& contents, const Layout& layout) {
  ByteSink out;
  out.Text("GGUF");
  out.Number(contents.version);
  out.Number<uint64_t>(contents.tensors.size());
  out.Number<uint64_t>(contents.metadata.entries().size());
  for (const GgufMetadata::Entry& entry : contents.metadata.entries()) {
    out.String(entry.key);
    PutValue(entry.value, out);
  }
  for (size_t i = 0; i < contents.tensors.size(); ++i) {
    const GgufTensorSource& tensor = contents.tensors[i];
    out.String(tensor.name);
    out.Number(static_cast<uint32_t>(tensor.shape.size()));
    for (size_t d = tensor.shape.size(); d > 0; --d) out.Number(static_cast<uint64_t>(tensor.shape[d - 1]));
    out.Number(static_cast<uint32_t>(GetFormatInfo(tensor.format).ggml_id));
    out.Number(layout.offsets[i]);
  }
  out.PadTo(layout.alignment);
  return out;
}

// Calls write(bytes) for the file's parts in order.
template <typename Write>
Status WriteParts(const GgufContents& contents, Write&& write) {
  RF_ASSIGN_OR_RETURN(const Layout layout, Plan(contents));
  RF_RETURN_IF_ERROR(write(Header(contents, layout).bytes()));
  const std::vector<std::byte> zeros(layout.alignment);
  for (const GgufTensorSource& tensor : contents.tensors) {
    RF_RETURN_IF_ERROR(write(tensor.bytes));
    const uint64_t rest = tensor.bytes.size() % layout.alignment;
    if (rest > 0) RF_RETURN_IF_ERROR(write(std::span(zeros).first(layout.alignment - rest)));
  }
  return {};
}

}  // namespace

Status WriteGguf(const GgufContents& contents, const std::string& path, const Syscalls* syscalls) {
  RF_RETURN_IF_ERROR(Plan(contents));  // before a file is created
  RF_ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path, syscalls));
  RF_RETURN_IF_ERROR(WriteParts(contents, [&](std::span<const std::byte> bytes) { return file.Write(bytes); }));
  return file.Commit();
}

Result<std::vector<std::byte>> SerializeGguf(const GgufContents& contents) {
  std::vector<std::byte> out;
  RF_RETURN_IF_ERROR(WriteParts(contents, [&](std::span<const std::byte> bytes) -> Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  }));
  return out;
}

Result<GgufContents> ContentsOf(const GgufFile& file) {
  if (file.shards().size() != 1)
    return Error{ErrorCode::kUnsupported, fmt::format("the model is split over {} files", file.shards().size()),
                 file.metadata().source()};
  GgufContents contents{.version = file.shards()[0].version, .metadata = file.metadata(), .tensors = {}};
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const GgufTensor& tensor = file.tensors()[i];
    RF_ASSIGN_OR_RETURN(const auto bytes, file.TensorBytes(i));
    contents.tensors.push_back(GgufTensorSource{tensor.name, tensor.format, tensor.shape, bytes});
  }
  return contents;
}

}  // namespace rf
