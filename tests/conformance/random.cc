#include "conformance/random.h"

#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "base/check.h"
#include "base/half.h"

namespace rf::conformance {
namespace {

// Seeds must not depend on the standard library's hash.
uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

// Whether a random block's largest magnitude is like a weight's; always for plain integers.
bool IsSensible(const std::vector<float>& values) {
  if (values.size() == 1) return std::isfinite(values[0]);
  float largest = 0.0f;
  for (float value : values) {
    if (!std::isfinite(value)) return false;
    largest = std::max(largest, std::fabs(value));
  }
  return largest > 0.05f && largest < 4.0f;
}

}  // namespace

Random::Random(std::string_view seed) : engine_(Fnv1a(seed)) {}

float Random::Normal(float scale) {
  // Box and Muller; std::normal_distribution is not the same everywhere.
  const double u = static_cast<double>((engine_() >> 11) + 1) * 0x1p-53;
  const double angle = static_cast<double>(engine_() >> 11) * 0x1p-53 * 2.0 * std::numbers::pi;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(angle)) * scale;
}

HostTensor Random::Tensor(int64_t n_rows, int64_t n_cols, float scale, int64_t gap) {
  HostTensor tensor = Output(n_rows, n_cols, gap);
  for (int64_t row = 0; row < n_rows; ++row) {
    for (int64_t col = 0; col < n_cols; ++col) tensor.Set(row, col, Normal(scale));
  }
  return tensor;
}

// Half of the blocks packed, half random bits; all random where there is no packer, all packed for plain formats.
void Random::Blocks(Format format, int64_t n_blocks, uint8_t* out) {
  const FormatInfo& info = GetFormatInfo(format);
  std::vector<float> values(static_cast<size_t>(info.block_elements));
  for (int64_t b = 0; b < n_blocks; ++b, out += info.block_bytes) {
    if (info.pack != nullptr && (info.block_elements == 1 || b % 2 == 0)) {
      for (float& value : values) value = Normal(0.3f);
      info.pack(values.data(), info.block_elements, out);
      continue;
    }
    if (format == Format::kF64) {  // random bits would be too large or too small for F32
      const double value = Normal(0.3f);
      memcpy(out, &value, sizeof(value));
      continue;
    }
    int tries = 0;
    do {
      RF_CHECK(++tries < 100000);
      for (int i = 0; i < info.block_bytes; ++i) out[i] = static_cast<uint8_t>(engine_());
      info.unpack(out, info.block_elements, values.data());
    } while (!IsSensible(values));
  }
}

HostWeight Random::Weight(Format format, int64_t n_matrices, int64_t n_rows, int64_t n_cols) {
  const FormatInfo& info = GetFormatInfo(format);
  RF_CHECK(n_cols % info.block_elements == 0);
  HostWeight weight{format, n_matrices, n_rows, n_cols, {}};
  const int64_t n_blocks = n_matrices * n_rows * (n_cols / info.block_elements);
  weight.bytes.resize(static_cast<size_t>(n_blocks * info.block_bytes));
  Blocks(format, n_blocks, weight.bytes.data());
  return weight;
}

HostWeight Random::Vector(int64_t n, float center, float scale) {
  HostWeight weight{Format::kF32, 1, 1, n, {}};
  weight.bytes.resize(static_cast<size_t>(n) * sizeof(float));
  for (int64_t i = 0; i < n; ++i) {
    const float value = center + Normal(scale);
    __builtin_memcpy(&weight.bytes[static_cast<size_t>(i) * sizeof(float)], &value, sizeof(value));
  }
  return weight;
}

HostKv Random::Cache(HostBatch& batch, const HostKv& shape) {
  HostKv kv = shape;
  kv.n_pages = AssignPages(batch, kv.page_tokens, engine_());
  kv.k.assign(static_cast<size_t>(kv.RowAt(kv.n_pages, 0, 0)), 0xff);
  kv.v = kv.k;
  const PackRowFn pack = GetFormatInfo(kv.format).pack;
  std::vector<float> row(static_cast<size_t>(kv.head_dim));
  for (int32_t s = 0; s < batch.n_sequences(); ++s) {
    for (int32_t p = 0; p < batch.kv_length[s]; ++p) {
      const int32_t page = batch.page_table[s * batch.page_table_stride + p / kv.page_tokens];
      for (int32_t h = 0; h < kv.n_kv_heads; ++h) {
        for (std::vector<uint8_t>* half : {&kv.k, &kv.v}) {
          for (float& value : row) value = Normal();
          pack(row.data(), kv.head_dim, &(*half)[kv.RowAt(page, h, p % kv.page_tokens)]);
        }
      }
    }
  }
  return kv;
}

HostTensor Output(int64_t n_rows, int64_t n_cols, int64_t gap, Format format) {
  HostTensor tensor{format, n_rows, n_cols, n_cols + gap, {}};
  tensor.words.assign(static_cast<size_t>(n_rows * tensor.row_stride), UINT32_MAX);
  return tensor;
}

HostBatch MakeBatch(std::span<const SequenceShape> sequences) {
  HostBatch batch;
  batch.first_token.push_back(0);
  for (const SequenceShape& sequence : sequences) {
    for (int32_t i = 0; i < sequence.fresh; ++i) {
      batch.token_ids.push_back(0);
      batch.positions.push_back(sequence.past + i);
      batch.sequence_of.push_back(batch.n_sequences());
    }
    batch.kv_length.push_back(sequence.past + sequence.fresh);
    batch.first_token.push_back(batch.n_tokens());
  }
  return batch;
}

HostBatch MakeBatch(int32_t n_tokens) {
  const SequenceShape one[] = {{0, n_tokens}};
  return MakeBatch(one);
}

}  // namespace rf::conformance
