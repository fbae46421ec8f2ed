// The shapes for ops that treat each row, or each element, alone.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "conformance/random.h"

namespace rf::conformance {

struct RowShape {
  int64_t n_rows;
  int64_t n_cols;
  int64_t gap;  ///< elements between a row's end and the next row

  std::string name() const { return fmt::format("[{}, {}+{}]", n_rows, n_cols, gap); }
};

/// One row, odd sizes around every vector length, ragged, many rows for the pool, a long row.
inline std::vector<RowShape> RowShapes() {
  return {{1, 1, 0},  {1, 3, 0},  {1, 8, 0},     {3, 15, 2},   {2, 16, 0},   {7, 17, 1},    {5, 31, 0},
          {4, 64, 0}, {3, 65, 3}, {40, 576, 64}, {70, 577, 0}, {3, 1023, 1}, {17, 4096, 0}, {1, 40001, 0}};
}

}  // namespace rf::conformance
