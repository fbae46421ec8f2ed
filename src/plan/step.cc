#include "plan/step.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace rf {
namespace {

// Adds a name to a std::string that lacks it.
void AddName(void* to, const char* name) {
  auto& all = *static_cast<std::string*>(to);
  if (all.find(name) != std::string::npos) return;
  all += all.empty() ? name : fmt::format(" + {}", name);
}

template <typename Op>
class BoundStep final : public Step {
 public:
  BoundStep(const Node& node, const typename Op::Attrs& attrs, const BindContext& context)
      : node_(node), attrs_(attrs) {
    for (size_t i = 0; i < node.weight.size(); ++i) {
      if (node.weight[i] >= 0) weights_[i] = context.weights.Get(node.weight[i], IdOf(node.op));
    }
    if (node.kv_layer >= 0) kv_ = context.kv_layers[node.kv_layer];
  }

  void set_entry(const KernelEntry<Op>& entry) { entry_ = entry; }

  typename Op::Args Bind(const LaunchState& state) const {
    Operands operands;
    for (size_t i = 0; i < node_.in.size(); ++i) {
      if (node_.in[i] >= 0) operands.in[i] = state.values[node_.in[i]];
    }
    for (size_t i = 0; i < node_.out.size(); ++i) {
      if (node_.out[i] >= 0) operands.out[i] = state.values[node_.out[i]];
    }
    for (size_t i = 0; i < node_.weight.size(); ++i) operands.weight[i] = weights_[i];
    operands.batch = state.batch;
    operands.kv = &kv_;
    return Op::Bind(attrs_, operands);
  }

  void Launch(const LaunchState& state) const override { entry_.launch(state.context, Bind(state)); }
  Status Check(const LaunchState& state) const override { return Op::Check(Bind(state)); }
  size_t WorkspaceBytes(const LaunchState& state, int n_threads) const override {
    return entry_.workspace_bytes == nullptr ? 0 : entry_.workspace_bytes(Bind(state), n_threads);
  }
  std::string_view kernel_name() const override { return entry_.name; }
  std::string VariantName(const LaunchState& state) const override {
    std::string all;
    if (entry_.name_variants != nullptr) entry_.name_variants(state.context, Bind(state), {&all, AddName});
    return all;
  }
  std::string_view op_name() const override { return OpName(IdOf(node_.op)); }
  int32_t layer() const override { return node_.layer; }
  ValueId main_output() const override { return node_.out[0] >= 0 ? node_.out[0] : node_.in[0]; }

 private:
  Node node_;
  typename Op::Attrs attrs_;
  std::array<WeightView, Operands::kMaxWeights> weights_{};
  KvLayerView kv_;
  KernelEntry<Op> entry_;
};

template <typename Op>
Result<std::unique_ptr<BoundStep<Op>>> BindOp(const Node& node, const typename Op::Attrs& attrs,
                                              const BindContext& context) {
  auto step = std::make_unique<BoundStep<Op>>(node, attrs, context);
  const Format kv_format = context.kv_layers.empty() ? Format::kF16 : context.kv_layers[0].format;
  const Format key = KernelKey(context.graph, node, kv_format);
  const KernelEntry<Op>& entry = context.kernels.SlotOf<Op>().Get(key);
  if (entry.launch == nullptr) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("no kernel for {} with {}", OpName(IdOf(node.op)), GetFormatInfo(key).name), ""};
  }
  step->set_entry(entry);
  return step;
}

// Two ops by one kernel where that is for their args, else each by its own.
template <typename First, typename Second>
class PairStep final : public Step {
 public:
  PairStep(std::unique_ptr<BoundStep<First>> first, std::unique_ptr<BoundStep<Second>> second,
           const PairEntry<First, Second>& entry)
      : first_(std::move(first)),
        second_(std::move(second)),
        entry_(entry),
        op_name_(fmt::format("{}, {}", first_->op_name(), second_->op_name())) {}

  void Launch(const LaunchState& state) const override {
    if (entry_.launch(state.context, first_->Bind(state), second_->Bind(state))) return;
    first_->Launch(state);
    second_->Launch(state);
  }
  Status Check(const LaunchState& state) const override {
    RF_RETURN_IF_ERROR(first_->Check(state));
    return second_->Check(state);
  }
  size_t WorkspaceBytes(const LaunchState& state, int n_threads) const override {
    const size_t alone = std::max(first_->WorkspaceBytes(state, n_threads), second_->WorkspaceBytes(state, n_threads));
    if (entry_.workspace_bytes == nullptr) return alone;
    return std::max(alone, entry_.workspace_bytes(first_->Bind(state), second_->Bind(state)));
  }
  std::string_view kernel_name() const override { return entry_.name; }
  std::string VariantName(const LaunchState& state) const override {
    const auto first = first_->Bind(state);
    const auto second = second_->Bind(state);
    if (entry_.is_for == nullptr || entry_.is_for(state.context, first, second)) return "both at once";
    return fmt::format("{}, {}", NameAlone(*first_, state), NameAlone(*second_, state));
  }
  std::string_view op_name() const override { return op_name_; }
  int32_t layer() const override { return first_->layer(); }
  ValueId main_output() const override { return first_->main_output(); }

 private:
  static std::string NameAlone(const Step& step, const LaunchState& state) {
    const std::string variant = step.VariantName(state);
    return variant.empty() ? std::string(step.kernel_name()) : fmt::format("{} {}", step.kernel_name(), variant);
  }

  std::unique_ptr<BoundStep<First>> first_;
  std::unique_ptr<BoundStep<Second>> second_;
  PairEntry<First, Second> entry_;
  std::string op_name_;
};

template <typename First, typename Second>
std::unique_ptr<Step> BindBoth(const Node& first, const Node& second, const BindContext& context) {
  const PairEntry<First, Second>& entry = context.kernels.PairOf<First, Second>();
  if (entry.launch == nullptr) return nullptr;
  auto a = BindOp<First>(first, std::get<OpNode<First>>(first.op).attrs, context);
  auto b = BindOp<Second>(second, std::get<OpNode<Second>>(second.op).attrs, context);
  if (!a || !b) return nullptr;  // binding each alone says why
  return std::make_unique<PairStep<First, Second>>(*std::move(a), *std::move(b), entry);
}

// How often a node's rows come.
RowKind RowsOf(const Graph& graph, const Node& node) {
  return graph.values[static_cast<size_t>(node.out[0] >= 0 ? node.out[0] : node.in[0])].rows;
}

// Operands that carry formats only: enough for Op::Key().
Operands FormatOperands(const Graph& graph, const Node& node, const KvLayerView* kv) {
  Operands operands;
  for (size_t i = 0; i < node.in.size(); ++i) {
    if (node.in[i] >= 0) operands.in[i].format = graph.values[node.in[i]].format;
  }
  for (size_t i = 0; i < node.out.size(); ++i) {
    if (node.out[i] >= 0) operands.out[i].format = graph.values[node.out[i]].format;
  }
  for (size_t i = 0; i < node.weight.size(); ++i) {
    if (node.weight[i] >= 0) operands.weight[i].format = graph.weights[node.weight[i]].format;
  }
  operands.kv = kv;
  return operands;
}

// Calls visitor(OpNode<Op>) for the op that the node holds; a node without an op is a bug.
template <typename Visitor>
auto VisitOp(const AnyOp& op, Visitor&& visitor) {
  using R = decltype(visitor(std::get<0>(op)));
  return std::visit(
      [&](const auto& alternative) -> R {
        if constexpr (std::is_same_v<std::decay_t<decltype(alternative)>, std::monostate>) {
          ThrowBug(__FILE__, __LINE__, "node has an op");
        } else {
          return visitor(alternative);
        }
      },
      op);
}

}  // namespace

Format KernelKey(const Graph& graph, const Node& node, Format kv_format) {
  KvLayerView kv;
  kv.format = kv_format;
  const Operands operands = FormatOperands(graph, node, &kv);
  return VisitOp(node.op, [&](const auto& op) {
    using Op = typename std::decay_t<decltype(op)>::op;
    return Op::Key(Op::Bind(op.attrs, operands));
  });
}

bool HasKernel(const KernelTable& kernels, const Graph& graph, const Node& node, Format kv_format) {
  const Format key = KernelKey(graph, node, kv_format);
  return VisitOp(node.op, [&](const auto& op) {
    using Op = typename std::decay_t<decltype(op)>::op;
    return kernels.SlotOf<Op>().Get(key).launch != nullptr;
  });
}

Result<std::unique_ptr<Step>> BindStep(const Node& node, const BindContext& context) {
  return VisitOp(node.op, [&](const auto& op) -> Result<std::unique_ptr<Step>> {
    using Op = typename std::decay_t<decltype(op)>::op;
    RF_ASSIGN_OR_RETURN(auto step, BindOp<Op>(node, op.attrs, context));
    return std::unique_ptr<Step>(std::move(step));
  });
}

std::unique_ptr<Step> BindPair(const Node& first, const Node& second, const BindContext& context) {
  if (first.layer != second.layer || RowsOf(context.graph, first) != RowsOf(context.graph, second)) return nullptr;
#define RF_PAIR(First, Second, file)                                                                          \
  if (std::holds_alternative<OpNode<First>>(first.op) && std::holds_alternative<OpNode<Second>>(second.op)) { \
    return BindBoth<First, Second>(first, second, context);                                                   \
  }
#include "ops/pairs.def"
#undef RF_PAIR
  return nullptr;
}

}  // namespace rf
