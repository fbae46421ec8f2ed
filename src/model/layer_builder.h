// What blocks use to append their ops to a graph.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/graph.h"
#include "model/hyperparameters.h"
#include "model/presence.h"
#include "model/tensor_binder.h"

namespace rf {

/// The rotations that layers use: values made at the start of each step.
struct RopeTables {
  ValueId global = -1;
  ValueId local = -1;  ///< of windowed layers; equals global where there is one base only
};

/// Builds one layer. `current` is what the next block reads and replaces, `residual` the stream that AddResidual adds
/// to.
class LayerBuilder {
 public:
  LayerBuilder(const Hyperparameters& hparams, const RopeTables& rope, TensorBinder& tensors, Graph& graph)
      : hparams_(hparams), rope_(rope), tensors_(tensors), graph_(graph) {}

  ValueId current = -1;
  ValueId residual = -1;

  /// Layer number that names and nodes get; -1 outside the layers.
  void set_layer(int32_t layer) { layer_ = layer; }
  int32_t layer() const { return layer_; }
  const Hyperparameters& hparams() const { return hparams_; }
  TensorBinder& tensors() { return tensors_; }
  Graph& graph() { return graph_; }

  bool is_windowed() const { return hparams_.has_window[static_cast<size_t>(layer_)]; }
  ValueId rope_table() const { return is_windowed() ? rope_.local : rope_.global; }

  /// "blk.3.attn_q.weight"; without "blk.N." outside the layers.
  std::string Name(std::string_view tensor, std::string_view kind) const;

  /// A value [n_tokens * rows_per_token, n_cols] F32.
  ValueId AddActivation(int64_t n_cols, int32_t rows_per_token = 1);
  /// A node of this layer. The reference is good until the next node is added.
  Node& AddNode(AnyOp op);

  /// RmsNorm of `x` with the named weight [n_cols of x / n_groups].
  Result<ValueId> Normalize(ValueId x, const std::string& weight, int64_t size, int32_t n_groups = 1);

  /// One part of a product: which weight and bias (-1: none), and how many outputs.
  struct Part {
    WeightId weight;
    WeightId bias;
    int64_t n_outputs;
  };
  /// One MatMul of `x` with one to three parts; returns the parts' outputs.
  std::vector<ValueId> Multiply(ValueId x, const std::vector<Part>& parts);

  /// The part for `blk.N.<tensor>.weight` [n_outputs, n_inputs] and its bias, which may be absent unless required.
  Result<Part> BindPart(std::string_view tensor, int64_t n_outputs, int64_t n_inputs, Presence bias);

 private:
  const Hyperparameters& hparams_;
  RopeTables rope_;
  TensorBinder& tensors_;
  Graph& graph_;
  int32_t layer_ = -1;
};

}  // namespace rf
