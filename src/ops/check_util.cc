#include "ops/check_util.h"

#include <string>

#include <fmt/format.h>

#include "ops/kv_formats.h"

namespace rf {
namespace {

std::string Dim(int64_t n) {
  return n < 0 ? "any" : std::to_string(n);
}

bool Fits(int64_t got, int64_t wanted) {
  return wanted < 0 || got == wanted;
}

Error ShapeError(std::string_view op, std::string_view operand, const std::string& got, const std::string& wanted) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: {} is {}, expected {}", op, operand, got, wanted), ""};
}

std::string Show(int64_t n_rows, int64_t n_cols, Format format) {
  return fmt::format("[{}, {}] {}", Dim(n_rows), Dim(n_cols), GetFormatInfo(format).name);
}

}  // namespace

Status CheckTensor(std::string_view op, std::string_view operand, const TensorView& tensor, const WantedShape& wanted,
                   Format format) {
  if (tensor.format == format && Fits(tensor.n_rows, wanted.n_rows) && Fits(tensor.n_cols, wanted.n_cols) &&
      tensor.row_stride >= tensor.n_cols) {
    return {};
  }
  return ShapeError(op, operand, Show(tensor.n_rows, tensor.n_cols, tensor.format),
                    Show(wanted.n_rows, wanted.n_cols, format));
}

Status CheckWeight(std::string_view op, std::string_view operand, const WeightView& weight, const WantedShape& wanted) {
  const FormatInfo& info = GetFormatInfo(weight.format);
  if (weight.n_cols % info.block_elements != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: {} has rows of {} elements, not a multiple of {}'s block of {}", op, operand,
                             weight.n_cols, info.name, info.block_elements),
                 ""};
  }
  if (Fits(weight.n_rows, wanted.n_rows) && Fits(weight.n_cols, wanted.n_cols)) return {};
  return ShapeError(op, operand, Show(weight.n_rows, weight.n_cols, weight.format),
                    Show(wanted.n_rows, wanted.n_cols, weight.format));
}

Status CheckVector(std::string_view op, std::string_view operand, const WeightView& weight, int64_t n) {
  if (weight.format == Format::kF32 && weight.n_rows * weight.n_cols == n) return {};
  return ShapeError(op, operand, Show(weight.n_rows, weight.n_cols, weight.format), Show(1, n, Format::kF32));
}

Status CheckKv(std::string_view op, const KvLayerView& kv) {
  RF_RETURN_IF_ERROR(CheckThat(kv.n_kv_heads > 0 && kv.page_tokens > 0 && kv.head_dim > 0, op,
                               "the KV layer's sizes must be positive"));
  const FormatInfo& info = GetFormatInfo(kv.format);
  if (IsKvFormat(kv.format) && kv.head_dim % info.block_elements == 0) return {};
  return Error{ErrorCode::kUnsupported,
               fmt::format("{}: a KV cache in {} does not go with a head size of {}", op, info.name, kv.head_dim), ""};
}

Status CheckThat(bool condition, std::string_view op, std::string_view detail) {
  if (condition) return {};
  return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", op, detail), ""};
}

}  // namespace rf
