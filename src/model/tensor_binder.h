// Binds tensors of the file to weights of the graph by name, and finds out which were forgotten.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gguf/reader.h"
#include "model/graph.h"

namespace rf {

class TensorBinder {
 public:
  /// Both must outlive the binder.
  TensorBinder(const GgufFile& file, Graph& graph)
      : file_(file), graph_(graph), is_bound_(file.tensors().size(), false) {}

  /// The tensor as a weight [n_matrices, n_rows, n_cols] (vectors are [1, n]).
  /// Errors: kCorruptFile "missing tensor 'x'" or "tensor 'x' has shape [..], expected [..]".
  Result<WeightId> Require(const std::string& name, const std::vector<int64_t>& shape);

  /// As Require; -1 if the file has no such tensor.
  Result<WeightId> Find(const std::string& name, const std::vector<int64_t>& shape);

  /// Rows [first, first + n_rows) of a matrix that was bound as a whole.
  WeightId Slice(WeightId whole, int64_t first_row, int64_t n_rows);

  bool Has(const std::string& name) const { return file_.FindTensor(name).has_value(); }

  /// Elements of a small F32 vector of the file, e.g. rope factors. Marks it as bound. Errors: kCorruptFile, kIo.
  Result<std::vector<float>> ReadVector(const std::string& name, int64_t n);

  /// Errors: kCorruptFile naming the first tensor that nothing bound and whose name ends in none of `ignored`.
  Status CheckAllBound(std::span<const std::string_view> ignored, std::string_view architecture) const;

 private:
  Status CheckShape(size_t index, const std::vector<int64_t>& shape) const;

  const GgufFile& file_;
  Graph& graph_;
  std::vector<bool> is_bound_;
};

}  // namespace rf
