#include "conformance/placed_operands.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/check.h"

namespace rf::conformance {
namespace {

template <typename Shape>
std::vector<uint32_t> RowsAt(const uint32_t* words, const Shape& shape) {
  std::vector<uint32_t> rows;
  for (int64_t row = 0; row < shape.n_rows; ++row) {
    const auto* begin = words + row * shape.row_stride;
    rows.insert(rows.end(), begin, begin + shape.n_cols);
  }
  return rows;
}

std::vector<uint32_t> RowWords(const TensorView& view) {
  return RowsAt(static_cast<const uint32_t*>(view.data), view);
}

std::vector<uint32_t> RowWords(const HostTensor& tensor) {
  return RowsAt(tensor.words.data(), tensor);
}

// What the file's layout promises of a weight's address: a plain element's size, nothing for blocks.
size_t AlignmentOf(Format format) {
  const FormatInfo& info = GetFormatInfo(format);
  return info.block_elements == 1 ? static_cast<size_t>(info.block_bytes) : 1;
}

// Whether the elements behind each row's columns are still poison.
bool GapsAreIntact(const TensorView& view) {
  const auto* words = static_cast<const uint32_t*>(view.data);
  for (int64_t row = 0; row + 1 < view.n_rows; ++row) {
    for (int64_t i = view.n_cols; i < view.row_stride; ++i) {
      if (words[row * view.row_stride + i] != UINT32_MAX) return false;
    }
  }
  return true;
}

std::vector<uint8_t> BytesAt(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  return {bytes, bytes + size};
}

}  // namespace

PlacedOperands::PlacedOperands(const HostOperands& host, Machine* machine, OpId op) : host_(host), machine_(machine) {
  PlaceTensors();
  for (int i = 0; i < Operands::kMaxWeights; ++i) {
    if (host.weight[i]) operands_.weight[i] = PlaceWeight(*host.weight[i], op);
  }
  PlaceBatch();
  operands_.batch = &batch_;
  if (!host.kv) return;
  const HostKv& kv = *host.kv;
  kv_ = {PlaceBytes(kv.k), PlaceBytes(kv.v), kv.format, kv.n_pages, kv.n_kv_heads, kv.page_tokens, kv.head_dim};
  operands_.kv = &kv_;
}

template <typename T>
T* PlacedOperands::PlaceBytes(const std::vector<T>& values) {
  OperandMemory& memory = memory_.emplace_back(machine_, values.size() * sizeof(T), sizeof(T));
  if (!values.empty()) memcpy(memory.host(), values.data(), memory.size());
  memory.Send();
  return static_cast<T*>(memory.address());
}

TensorView PlacedOperands::Place(const HostTensor& tensor) {
  TensorView view{nullptr, tensor.format, tensor.n_rows, tensor.n_cols, tensor.row_stride};
  if (tensor.n_rows == 0) {
    view.data = PlaceBytes(std::vector<uint32_t>());
    return view;
  }
  // Nothing lies behind the last row's columns.
  std::vector<uint32_t> words(tensor.words.begin(), tensor.words.end() - (tensor.row_stride - tensor.n_cols));
  for (int64_t row = 0; row + 1 < tensor.n_rows; ++row) {
    std::fill_n(words.begin() + row * tensor.row_stride + tensor.n_cols, tensor.row_stride - tensor.n_cols, UINT32_MAX);
  }
  view.data = PlaceBytes(words);
  return view;
}

void PlacedOperands::PlaceTensors() {
  for (int i = 0; i < Operands::kMaxInputs; ++i) {
    if (host_.in[i]) operands_.in[i] = Place(*host_.in[i]);
  }
  for (int i = 0; i < Operands::kMaxOutputs; ++i) {
    if (host_.out_is_in[i] >= 0) {
      operands_.out[i] = operands_.in[host_.out_is_in[i]];
    } else if (host_.out[i]) {
      operands_.out[i] = Place(*host_.out[i]);
    }
  }
}

WeightView PlacedOperands::PlaceWeight(const HostWeight& weight, OpId op) {
  const OperandMemory& memory = memory_.emplace_back(nullptr, weight.bytes.size(), AlignmentOf(weight.format));
  memcpy(memory.host(), weight.bytes.data(), memory.size());
  const std::span<const std::byte> bytes{static_cast<const std::byte*>(memory.host()), memory.size()};
  if (machine_ == nullptr) {
    return {bytes.data(), weight.format, kFileLayout, weight.n_matrices, weight.n_rows, weight.n_cols};
  }
  const WeightSource source{"weight", weight.format, weight.n_matrices, weight.n_rows, weight.n_cols, bytes, op, true};
  auto loaded = machine_->device->LoadWeight(source);
  EXPECT_TRUE(loaded.has_value()) << loaded.error().ToString();
  return weights_.emplace_back(std::move(*loaded)).view;
}

void PlacedOperands::PlaceBatch() {
  const HostBatch& batch = host_.batch;
  batch_.n_tokens = batch.n_tokens();
  batch_.n_sequences = batch.n_sequences();
  batch_.n_outputs = static_cast<int32_t>(batch.output_rows.size());
  batch_.token_ids = PlaceBytes(batch.token_ids);
  batch_.positions = PlaceBytes(batch.positions);
  batch_.sequence_of = PlaceBytes(batch.sequence_of);
  batch_.first_token = PlaceBytes(batch.first_token);
  batch_.kv_length = PlaceBytes(batch.kv_length);
  batch_.page_table = PlaceBytes(batch.page_table);
  batch_.page_table_stride = batch.page_table_stride;
  batch_.output_rows = PlaceBytes(batch.output_rows);
  batch_.best_factors = PlaceBytes(batch.best_factors);
  batch_.first_change = PlaceBytes(batch.first_change);
  batch_.changes = PlaceBytes(batch.changes);
}

const void* PlacedOperands::OnHost(const void* address) const {
  const auto found = std::find_if(memory_.begin(), memory_.end(),
                                  [address](const OperandMemory& memory) { return memory.address() == address; });
  RF_CHECK(found != memory_.end());
  return found->host();
}

TensorView PlacedOperands::OnHost(TensorView view) const {
  view.data = const_cast<void*>(OnHost(view.data));
  return view;
}

Outputs PlacedOperands::Collect() {
  Outputs outputs;
  for (OperandMemory& memory : memory_) {
    memory.Fetch();
    EXPECT_TRUE(memory.IsIntact()) << "written outside an operand";
  }
  for (int i = 0; i < Operands::kMaxOutputs; ++i) {
    if (operands_.out[i].data == nullptr) continue;
    outputs.out[i] = RowWords(OnHost(operands_.out[i]));
    EXPECT_TRUE(GapsAreIntact(OnHost(operands_.out[i]))) << "written between the rows of out[" << i << "]";
  }
  for (int i = 0; i < Operands::kMaxInputs; ++i) {
    const void* data = operands_.in[i].data;
    const auto is_it = [data](const TensorView& out) { return out.data == data; };
    if (!host_.in[i] || std::any_of(std::begin(operands_.out), std::end(operands_.out), is_it)) continue;
    EXPECT_EQ(RowWords(OnHost(operands_.in[i])), RowWords(*host_.in[i])) << "in[" << i << "] was changed";
  }
  if (!host_.kv) return outputs;
  outputs.k = BytesAt(OnHost(kv_.k), host_.kv->k.size());
  outputs.v = BytesAt(OnHost(kv_.v), host_.kv->v.size());
  return outputs;
}

}  // namespace rf::conformance
