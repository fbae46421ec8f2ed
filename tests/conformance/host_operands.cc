#include "conformance/host_operands.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "base/half.h"

namespace rf::conformance {
namespace {

HostTensor TakeRows(const HostTensor& tensor, int64_t first, int64_t count) {
  HostTensor part = tensor;
  part.n_rows = count;
  const auto begin = tensor.words.begin() + first * tensor.row_stride;
  part.words.assign(begin, begin + count * tensor.row_stride);
  return part;
}

// What is said of outputs first .. first + count - 1.
void TakeOutputs(const HostBatch& all, size_t first, size_t count, HostBatch& part) {
  if (all.best_factors.empty()) return;
  const auto factors = all.best_factors.begin() + static_cast<std::ptrdiff_t>(first);
  part.best_factors.assign(factors, factors + static_cast<std::ptrdiff_t>(count));
  part.changes.assign(all.changes.begin() + all.first_change[first],
                      all.changes.begin() + all.first_change[first + count]);
  for (size_t i = first; i <= first + count; ++i) {
    part.first_change.push_back(all.first_change[i] - all.first_change[first]);
  }
}

HostBatch TakeBatch(const HostBatch& all, int32_t first, int32_t count) {
  HostBatch part;
  part.page_table_stride = all.page_table_stride;
  part.first_token.push_back(0);
  for (int32_t s = 0; s < all.n_sequences(); ++s) {
    const int32_t begin = std::max(first, all.first_token[s]);
    const int32_t end = std::min(first + count, all.first_token[s + 1]);
    if (begin >= end) continue;
    for (int32_t t = begin; t < end; ++t) {
      part.token_ids.push_back(all.token_ids[t]);
      part.positions.push_back(all.positions[t]);
      part.sequence_of.push_back(part.n_sequences());
    }
    part.kv_length.push_back(all.positions[end - 1] + 1);
    part.first_token.push_back(part.n_tokens());
    const auto row = all.page_table.begin() + s * all.page_table_stride;
    part.page_table.insert(part.page_table.end(), row, row + all.page_table_stride);
  }
  for (int32_t row : all.output_rows) {
    if (row >= first && row < first + count) part.output_rows.push_back(row - first);
  }
  const auto before =
      std::count_if(all.output_rows.begin(), all.output_rows.end(), [first](int32_t row) { return row < first; });
  TakeOutputs(all, static_cast<size_t>(before), part.output_rows.size(), part);
  return part;
}

}  // namespace

float HostTensor::At(int64_t row, int64_t col) const {
  return BitsToFloat(words[row * row_stride + col]);
}
void HostTensor::Set(int64_t row, int64_t col, float value) {
  words[row * row_stride + col] = FloatToBits(value);
}
void HostTensor::SetInt(int64_t row, int64_t col, int32_t value) {
  words[row * row_stride + col] = static_cast<uint32_t>(value);
}

int64_t HostKv::RowBytes() const {
  return rf::RowBytes(GetFormatInfo(format), head_dim);
}

int64_t HostKv::RowAt(int32_t page, int32_t head, int32_t slot) const {
  return ((static_cast<int64_t>(page) * n_kv_heads + head) * page_tokens + slot) * RowBytes();
}

HostOperands TakeTokens(const HostOperands& all, int32_t first, int32_t count) {
  HostOperands part = all;
  part.batch = TakeBatch(all.batch, first, count);
  const auto before = std::count_if(all.batch.output_rows.begin(), all.batch.output_rows.end(),
                                    [&](int32_t row) { return row < first; });
  const auto take = [&](const std::optional<HostTensor>& tensor, std::optional<HostTensor>& into) {
    if (!tensor) return;
    if (tensor->rows_of == RowsOf::kOutputs) {
      into = TakeRows(*tensor, before, static_cast<int64_t>(part.batch.output_rows.size()));
    } else {
      into = TakeRows(*tensor, first * tensor->rows_per_token, count * tensor->rows_per_token);
    }
  };
  for (int i = 0; i < Operands::kMaxInputs; ++i) take(all.in[i], part.in[i]);
  for (int i = 0; i < Operands::kMaxOutputs; ++i) take(all.out[i], part.out[i]);
  return part;
}

int32_t AssignPages(HostBatch& batch, int32_t page_tokens, uint64_t seed) {
  std::vector<int32_t> n_pages;
  for (int32_t length : batch.kv_length) n_pages.push_back((length + page_tokens - 1) / page_tokens);
  const int32_t total = std::accumulate(n_pages.begin(), n_pages.end(), 0) + 1;  // one that nobody uses
  std::vector<int32_t> order(total);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  batch.page_table_stride = *std::max_element(n_pages.begin(), n_pages.end()) + 1;
  batch.page_table.assign(batch.kv_length.size() * batch.page_table_stride, INT32_MAX);  // a fault if ever followed
  int32_t next = 0;
  for (size_t s = 0; s < n_pages.size(); ++s) {
    for (int32_t i = 0; i < n_pages[s]; ++i) batch.page_table[s * batch.page_table_stride + i] = order[next++];
  }
  return total;
}

HostOperands RelayPages(const HostOperands& all, int32_t page_tokens, uint64_t seed) {
  HostOperands other = all;
  HostKv& to = *other.kv;
  const HostKv& from = *all.kv;
  to.page_tokens = page_tokens;
  to.n_pages = AssignPages(other.batch, page_tokens, seed);
  to.k.assign(static_cast<size_t>(to.RowAt(to.n_pages, 0, 0)), 0xff);
  to.v = to.k;
  const auto page_of = [](const HostBatch& batch, int32_t sequence, int32_t entry) {
    return batch.page_table[sequence * batch.page_table_stride + entry];
  };
  for (int32_t s = 0; s < all.batch.n_sequences(); ++s) {
    for (int32_t p = 0; p < all.batch.kv_length[s]; ++p) {
      for (int32_t h = 0; h < from.n_kv_heads; ++h) {
        const int64_t source = from.RowAt(page_of(all.batch, s, p / from.page_tokens), h, p % from.page_tokens);
        const int64_t target = to.RowAt(page_of(other.batch, s, p / page_tokens), h, p % page_tokens);
        memcpy(&to.k[target], &from.k[source], static_cast<size_t>(from.RowBytes()));
        memcpy(&to.v[target], &from.v[source], static_cast<size_t>(from.RowBytes()));
      }
    }
  }
  return other;
}

}  // namespace rf::conformance
