// graph_logits MODEL TOKEN,TOKEN,… [CONTEXT]: the logits of a small F32 model by walking its graph with the ops'
// references in double, one node after another: no plan, no device, no paging worth the name. Prints a line of {"pos",
// "logits"} for each position. The architecture tests use it to check the graphs by themselves.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "gguf/reader.h"
#include "model/model.h"

namespace rf {
namespace {

constexpr int32_t kPageTokens = 16;

class GraphWalker {
 public:
  GraphWalker(const GgufFile& file, const Graph& graph, std::vector<int32_t> tokens)
      : file_(file), graph_(graph), tokens_(std::move(tokens)) {
    FillBatch();
    AllocateValues();
    AllocateCache();
  }

  Status Run() {
    for (const Node& node : graph_.nodes) RF_RETURN_IF_ERROR(RunNode(node));
    return {};
  }

  TensorView logits() const { return views_[static_cast<size_t>(graph_.logits)]; }

 private:
  void FillBatch() {
    const auto n = static_cast<int32_t>(tokens_.size());
    for (int32_t t = 0; t < n; ++t) positions_.push_back(t);
    sequence_of_.assign(tokens_.size(), 0);
    bounds_ = {0, n};
    n_pages_ = n / kPageTokens + 1;
    for (int32_t page = 0; page < n_pages_; ++page) page_table_.push_back(n_pages_ - 1 - page);  // not in order
    batch_ = {n,
              1,
              n,
              tokens_.data(),
              positions_.data(),
              sequence_of_.data(),
              bounds_.data(),
              &bounds_[1],
              page_table_.data(),
              n_pages_,
              positions_.data()};
  }

  void AllocateValues() {
    for (const Value& value : graph_.values) {
      const int64_t n_rows = static_cast<int64_t>(tokens_.size()) * value.rows_per_token;
      storage_.emplace_back(static_cast<size_t>(n_rows * value.n_cols));
      views_.push_back({storage_.back().data(), value.format, n_rows, value.n_cols, value.n_cols});
    }
  }

  void AllocateCache() {
    for (const KvLayerSpec& spec : graph_.kv_layers) {
      const size_t size = static_cast<size_t>(n_pages_) * static_cast<size_t>(spec.n_kv_heads * kPageTokens) *
                          static_cast<size_t>(spec.head_dim);
      storage_.emplace_back(size);
      storage_.emplace_back(size);
      caches_.push_back({storage_[storage_.size() - 2].data(), storage_.back().data(), Format::kF32, n_pages_,
                         spec.n_kv_heads, kPageTokens, spec.head_dim});
    }
  }

  Result<WeightView> ViewOf(WeightId id) const {
    const WeightRef& ref = graph_.weights[static_cast<size_t>(id)];
    WeightView view{nullptr, ref.format, kFileLayout, ref.n_matrices, ref.n_rows, ref.n_cols};
    if (ref.constant >= 0) {
      view.data = graph_.constants[static_cast<size_t>(ref.constant)].data();
      return view;
    }
    RF_ASSIGN_OR_RETURN(const auto bytes, file_.TensorBytes(static_cast<size_t>(ref.tensor)));
    view.data = bytes.data() + ref.first_row * RowBytes(GetFormatInfo(ref.format), ref.n_cols);
    return view;
  }

  Status RunNode(const Node& node) {
    Operands operands;
    for (size_t i = 0; i < node.in.size(); ++i) {
      if (node.in[i] >= 0) operands.in[i] = views_[static_cast<size_t>(node.in[i])];
    }
    for (size_t i = 0; i < node.out.size(); ++i) {
      if (node.out[i] >= 0) operands.out[i] = views_[static_cast<size_t>(node.out[i])];
    }
    for (size_t i = 0; i < node.weight.size(); ++i) {
      if (node.weight[i] < 0) continue;
      RF_ASSIGN_OR_RETURN(operands.weight[i], ViewOf(node.weight[i]));
    }
    operands.batch = &batch_;
    if (node.kv_layer >= 0) operands.kv = &caches_[static_cast<size_t>(node.kv_layer)];
    return std::visit([&](const auto& op) { return RunOp(op, operands); }, node.op);
  }

  template <typename Op>
  static Status RunOp(const OpNode<Op>& op, const Operands& operands) {
    const typename Op::Args args = Op::Bind(op.attrs, operands);
    RF_RETURN_IF_ERROR(Op::Check(args));
    Op::Reference(args);
    return {};
  }
  static Status RunOp(std::monostate, const Operands&) {
    return Error{ErrorCode::kInvalidArgument, "a node without an op", ""};
  }

  const GgufFile& file_;
  const Graph& graph_;
  std::vector<int32_t> tokens_, positions_, sequence_of_, bounds_, page_table_;
  int32_t n_pages_ = 0;
  BatchView batch_;
  std::vector<std::vector<float>> storage_;
  std::vector<TensorView> views_;
  std::vector<KvLayerView> caches_;
};

std::vector<int32_t> ParseTokens(const char* text) {
  std::vector<int32_t> tokens;
  while (*text != '\0') {
    char* end = nullptr;
    tokens.push_back(static_cast<int32_t>(std::strtol(text, &end, 10)));
    text = *end == ',' ? end + 1 : "";
  }
  return tokens;
}

void Print(const TensorView& logits) {
  for (int64_t row = 0; row < logits.n_rows; ++row) {
    std::string line = fmt::format("{{\"pos\":{},\"logits\":[", row);
    const float* values = static_cast<const float*>(logits.data) + row * logits.row_stride;
    for (int64_t i = 0; i < logits.n_cols; ++i) line += fmt::format("{}{:.9g}", i == 0 ? "" : ",", values[i]);
    std::puts((line + "]}").c_str());
  }
}

Status Main(int argc, char** argv) {
  if (argc < 3) return Error{ErrorCode::kInvalidArgument, "usage: graph_logits MODEL TOKENS [CONTEXT]", ""};
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(argv[1]));
  ModelOptions options;
  if (argc > 3) options.context_length = std::atoi(argv[3]);
  RF_ASSIGN_OR_RETURN(const Model model, BuildModel(file, options));
  GraphWalker walker(file, model.graph, ParseTokens(argv[2]));
  RF_RETURN_IF_ERROR(walker.Run());
  Print(walker.logits());
  return {};
}

}  // namespace
}  // namespace rf

int main(int argc, char** argv) {
  const rf::Status status = rf::Main(argc, argv);
  if (status.has_value()) return 0;
  std::fprintf(stderr, "%s\n", status.error().ToString().c_str());
  return 1;
}
