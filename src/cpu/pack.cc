#include "cpu/pack.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "cpu/pack_blocks.h"
#include "cpu/pack_layout.h"

namespace rf::cpu {
namespace {

/// One row of the file, and where it goes: lane `row` of a panel.
struct RowCopy {
  const uint8_t* source;
  uint8_t* panel;
  int row;
  int64_t n_cols;
};

/// Puts a row's block into the planes of the panel, one 32-bit word of each plane.
void StoreWords(const uint32_t* words, int n_words, uint8_t* quants, int row) {
  for (int i = 0; i < n_words; ++i) memcpy(quants + i * kWordPlane + row * 4, &words[i], 4);
}

template <class Source>
void PackIntegerRow(const RowCopy& copy) {
  constexpr PanelLayout kLayout = LayoutOf(Source::kFormat);
  constexpr int kRecordBlocks = kLayout.record_weights / kBlock;
  const uint8_t* source = copy.source;
  uint8_t* record = copy.panel;
  for (int64_t col = 0; col < copy.n_cols; col += kLayout.record_weights) {
    Source::StoreScales(source, record, copy.row);
    for (int b = 0; b < kRecordBlocks; ++b) {
      uint32_t words[8];
      const int n_words = Source::Words(source, b, words);
      StoreWords(words, n_words, record + kLayout.quants + b * kLayout.block_bytes, copy.row);
    }
    source += Source::kBytes;
    record += kLayout.record_bytes;
  }
}

template <typename Value>
void PackPlainRow(const RowCopy& copy) {
  for (int64_t col = 0; col < copy.n_cols; ++col) {
    memcpy(copy.panel + (col * kPanelRows + copy.row) * static_cast<int64_t>(sizeof(Value)),
           copy.source + col * static_cast<int64_t>(sizeof(Value)), sizeof(Value));
  }
}

using PackRowToPanel = void (*)(const RowCopy&);

PackRowToPanel PackerOf(Format format) {
#define RF_PANEL_BLOCKS(Name, ...) \
  if (format == Format::k##Name) return PackIntegerRow<Name##Source>;
#define RF_PANEL_COLUMNS(Name, type) \
  if (format == Format::k##Name) return PackPlainRow<type>;
#include "cpu/panels.def"
#undef RF_PANEL_BLOCKS
#undef RF_PANEL_COLUMNS
  return nullptr;
}

struct PackJob {
  PackShape shape;
  const uint8_t* source;
  uint8_t* packed;
  PackRowToPanel pack_row;
  int64_t row_bytes;
  int64_t panel_bytes;
  int64_t panels_per_matrix;
};

void PackOnePanel(void* context, int64_t task, int) {
  const auto& job = *static_cast<const PackJob*>(context);
  const int64_t matrix = task / job.panels_per_matrix;
  const int64_t first_row = task % job.panels_per_matrix * kPanelRows;
  const int n_rows = static_cast<int>(std::min<int64_t>(kPanelRows, job.shape.n_rows - first_row));
  uint8_t* panel = job.packed + task * job.panel_bytes;
  if (n_rows < kPanelRows) memset(panel, 0, static_cast<size_t>(job.panel_bytes));
  // In stretches that stay in the cache: sixteen rows write to the same lines.
  const PanelLayout layout = LayoutOf(job.shape.format);
  const FormatInfo& info = GetFormatInfo(job.shape.format);
  const int64_t stretch = std::max<int64_t>(layout.record_weights, 256);
  const uint8_t* rows = job.source + (matrix * job.shape.n_rows + first_row) * job.row_bytes;
  for (int64_t col = 0; col < job.shape.n_cols; col += stretch) {
    const int64_t n_cols = std::min(stretch, job.shape.n_cols - col);
    for (int row = 0; row < n_rows; ++row) {
      job.pack_row({rows + row * job.row_bytes + RowBytes(info, col), panel + PanelBytes(layout, col), row, n_cols});
    }
  }
}

}  // namespace

bool HasPanelLayout(const PackShape& shape) {
  const PanelLayout layout = LayoutOf(shape.format);
  return layout.record_weights != 0 && shape.n_cols % layout.record_weights == 0;
}

size_t PackedBytes(const PackShape& shape) {
  RF_CHECK(HasPanelLayout(shape));
  return static_cast<size_t>(shape.n_matrices * PanelCount(shape.n_rows) *
                             PanelBytes(LayoutOf(shape.format), shape.n_cols));
}

void PackPanels(const PackShape& shape, const void* file_bytes, void* packed, ThreadPool& pool) {
  RF_CHECK(HasPanelLayout(shape));
  PackJob job{shape,
              static_cast<const uint8_t*>(file_bytes),
              static_cast<uint8_t*>(packed),
              PackerOf(shape.format),
              RowBytes(GetFormatInfo(shape.format), shape.n_cols),
              PanelBytes(LayoutOf(shape.format), shape.n_cols),
              PanelCount(shape.n_rows)};
  // Who writes a page first has it on its node, so that is who will read it.
  const auto end_of_matrix = [](const void* context, int64_t matrix) {
    return (matrix + 1) * static_cast<const PackJob*>(context)->panels_per_matrix;
  };
  pool.Run(shape.n_matrices * job.panels_per_matrix, PackOnePanel, &job, {shape.n_matrices, end_of_matrix});
}

}  // namespace rf::cpu
