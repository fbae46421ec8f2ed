#include "model/tensor_binder.h"

#include <cstring>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "base/utf8.h"

namespace rf {
namespace {

std::string ShowShape(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// [5, 8] and [5, 8, 1, 1] in the file's order are the same: outermost ones may be left out.
std::vector<int64_t> WithoutLeadingOnes(const std::vector<int64_t>& shape) {
  size_t first = 0;
  while (first + 1 < shape.size() && shape[first] == 1) ++first;
  return {shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end()};
}

}  // namespace

Status TensorBinder::CheckShape(size_t index, const std::vector<int64_t>& shape) const {
  const GgufTensor& tensor = file_.tensors()[index];
  if (WithoutLeadingOnes(tensor.shape) != WithoutLeadingOnes(shape)) {
    return file_.TensorError(index, ErrorCode::kCorruptFile,
                             fmt::format("tensor '{}' has shape {}, expected {}", EscapeForMessage(tensor.name),
                                         ShowShape(tensor.shape), ShowShape(shape)));
  }
  if (shape.size() == 1 && tensor.format != Format::kF32) {  // norms, biases and rope factors are read as they are
    return file_.TensorError(index, ErrorCode::kUnsupported,
                             fmt::format("tensor '{}' is a vector stored as {}, must be F32",
                                         EscapeForMessage(tensor.name), GetFormatInfo(tensor.format).name));
  }
  return {};
}

Result<WeightId> TensorBinder::Find(const std::string& name, const std::vector<int64_t>& shape) {
  RF_CHECK(!shape.empty() && shape.size() <= 3);
  const auto index = file_.FindTensor(name);
  if (!index) return WeightId{-1};
  RF_RETURN_IF_ERROR(CheckShape(*index, shape));
  is_bound_[*index] = true;
  WeightRef ref;
  ref.tensor = static_cast<int32_t>(*index);
  ref.format = file_.tensors()[*index].format;
  ref.n_cols = shape.back();
  ref.n_rows = shape.size() >= 2 ? shape[shape.size() - 2] : 1;
  ref.n_matrices = shape.size() == 3 ? shape[0] : 1;
  return graph_.AddWeight(ref);
}

Result<WeightId> TensorBinder::Require(const std::string& name, const std::vector<int64_t>& shape) {
  RF_ASSIGN_OR_RETURN(const WeightId weight, Find(name, shape));
  if (weight >= 0) return weight;
  return Error{ErrorCode::kCorruptFile, fmt::format("missing tensor '{}' (shape {})", name, ShowShape(shape)),
               file_.metadata().source()};
}

WeightId TensorBinder::Slice(WeightId whole, int64_t first_row, int64_t n_rows) {
  WeightRef ref = graph_.weights[static_cast<size_t>(whole)];
  RF_CHECK(ref.n_matrices == 1 && first_row >= 0 && first_row + n_rows <= ref.n_rows);
  ref.first_row = first_row;
  ref.n_rows = n_rows;
  return graph_.AddWeight(ref);
}

Result<std::vector<float>> TensorBinder::ReadVector(const std::string& name, int64_t n) {
  RF_ASSIGN_OR_RETURN(const WeightId weight, Require(name, {n}));
  const auto index = static_cast<size_t>(graph_.weights[static_cast<size_t>(weight)].tensor);
  graph_.weights.pop_back();  // it is read here and now, no op will
  const GgufTensor& tensor = file_.tensors()[index];
  std::vector<std::byte> bytes(tensor.n_bytes);
  RF_RETURN_IF_ERROR(file_.ReadTensor(index, bytes));
  std::vector<float> values(static_cast<size_t>(n));
  GetFormatInfo(tensor.format).unpack(bytes.data(), n, values.data());
  return values;
}

Status TensorBinder::CheckAllBound(std::span<const std::string_view> ignored, std::string_view architecture) const {
  for (size_t i = 0; i < is_bound_.size(); ++i) {
    if (is_bound_[i]) continue;
    const std::string& name = file_.tensors()[i].name;
    bool is_ignored = false;
    for (const std::string_view suffix : ignored) is_ignored = is_ignored || std::string_view(name).ends_with(suffix);
    if (is_ignored) continue;
    return file_.TensorError(i, ErrorCode::kUnsupported,
                             fmt::format("tensor '{}' has no place in architecture '{}' as this build knows it",
                                         EscapeForMessage(name), architecture));
  }
  return {};
}

}  // namespace rf
