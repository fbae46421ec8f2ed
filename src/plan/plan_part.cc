#include "plan/plan_part.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "plan/alignment.h"
#include "plan/best_of_logits.h"
#include "plan/profile.h"

namespace rf {
namespace {

// Bytes of K (or V) of one page in one layer.
uint64_t HalfPageBytes(const KvLayerSpec& layer, int32_t page_tokens, Format format) {
  return static_cast<uint64_t>(page_tokens) * KvPositionBytes(layer, format) / 2;
}

}  // namespace

uint64_t KvPositionBytes(const KvLayerSpec& layer, Format format) {
  return 2 * static_cast<uint64_t>(layer.n_kv_heads) *
         static_cast<uint64_t>(RowBytes(GetFormatInfo(format), layer.head_dim));
}

uint64_t KvPageBytes(const Graph& graph, int32_t page_tokens, Format format) {
  uint64_t total = 0;
  for (const KvLayerSpec& layer : graph.kv_layers) total += 2 * HalfPageBytes(layer, page_tokens, format);
  return total;
}

Result<std::unique_ptr<PlanPart>> PlanPart::Make(PartPlacement placement, const TensorReader& reader,
                                                 const PlanOptions& options, const LoadProgress& progress) {
  std::unique_ptr<PlanPart> part(new PlanPart(std::move(placement), options));
  if (options.best_on_device) AppendBestOfLogits(part->graph_, *part->device_);
  RF_ASSIGN_OR_RETURN(part->stream_, part->device_->CreateStream());
  RF_ASSIGN_OR_RETURN(part->weights_, WeightSet::Load(part->graph_, reader, *part->device_, progress));
  RF_RETURN_IF_ERROR(part->ReserveKvCache());
  RF_RETURN_IF_ERROR(part->ReserveArena());
  RF_RETURN_IF_ERROR(part->BindSteps());
  RF_RETURN_IF_ERROR(part->ReserveWorkspace());
  if (options.check_weights) RF_RETURN_IF_ERROR(part->weights_.Check(part->graph_, reader, *part->device_));
  part->memory_.weights = part->weights_.bytes_owned();
  part->memory_.weights_mapped = part->weights_.bytes_mapped();
  return part;
}

Status PlanPart::ReserveKvCache() {
  uint64_t total = 0;
  for (const KvLayerSpec& layer : graph_.kv_layers) {
    total += 2 * AlignUp(HalfPageBytes(layer, options_.page_tokens, options_.kv_format) *
                         static_cast<uint64_t>(options_.n_pages));
  }
  memory_.kv_cache = total;
  if (total == 0) return {};
  RF_ASSIGN_OR_RETURN(kv_buffer_, device_->Allocate(total, "KV cache"));
  auto* base = static_cast<std::byte*>(kv_buffer_->data());
  for (const KvLayerSpec& layer : graph_.kv_layers) {
    const uint64_t half = AlignUp(HalfPageBytes(layer, options_.page_tokens, options_.kv_format) *
                                  static_cast<uint64_t>(options_.n_pages));
    kv_layers_.push_back(KvLayerView{base, base + half, options_.kv_format, options_.n_pages, layer.n_kv_heads,
                                     options_.page_tokens, layer.head_dim});
    base += 2 * half;
  }
  return {};
}

Status PlanPart::ReserveArena() {
  const ArenaLayout layout = LayOutArena(graph_, options_.rows);
  memory_.activations = layout.bytes;
  RF_ASSIGN_OR_RETURN(arena_, device_->Allocate(std::max<uint64_t>(layout.bytes, 1), "activations"));
  auto* base = static_cast<std::byte*>(arena_->data());
  for (size_t i = 0; i < graph_.values.size(); ++i) {
    const Value& value = graph_.values[i];
    values_.push_back(
        TensorView{base + layout.offset[i], value.format, MaxRows(value, options_.rows), value.n_cols, value.n_cols});
  }
  return {};
}

Status PlanPart::BindSteps() {
  const BindContext context{graph_, weights_, kv_layers_, device_->kernels()};
  const std::vector<Node>& nodes = graph_.nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    first_node_.push_back(i);
    if (i + 1 < nodes.size()) {
      if (auto pair = BindPair(nodes[i], nodes[i + 1], context)) {
        steps_.push_back(std::move(pair));
        ++i;
        continue;
      }
    }
    RF_ASSIGN_OR_RETURN(auto step, BindStep(nodes[i], context));
    steps_.push_back(std::move(step));
  }
  return {};
}

Status PlanPart::ReserveWorkspace() {
  BatchView largest;
  largest.n_tokens = static_cast<int32_t>(options_.rows.max_tokens);
  largest.n_outputs = static_cast<int32_t>(options_.rows.max_outputs);
  largest.n_sequences = options_.max_sequences;
  const LaunchState state{values_, &largest, nullptr};
  size_t bytes = 0;
  for (const auto& step : steps_) {
    RF_RETURN_IF_ERROR(step->Check(state));
    bytes = std::max(bytes, step->WorkspaceBytes(state, device_->properties().n_threads));
  }
  memory_.workspace = bytes;
  if (bytes == 0) return {};
  RF_ASSIGN_OR_RETURN(workspace_, device_->Allocate(bytes, "kernel workspace"));
  stream_->SetWorkspace(workspace_.get());
  return {};
}

void PlanPart::SetRows(const BatchView& batch) {
  const RowLimits rows{batch.n_tokens, batch.n_outputs};
  for (size_t i = 0; i < values_.size(); ++i) values_[i].n_rows = MaxRows(graph_.values[i], rows);
}

void PlanPart::Execute(const BatchView& batch) {
  SetRows(batch);
  const auto launch_all = [&] {
    const LaunchState state{values_, &batch, stream_->native()};
    for (const auto& step : steps_) {
      if (values_[step->main_output()].n_rows > 0) step->Launch(state);
    }
  };
  if (options_.profile != nullptr) {
    marking_ = LaunchMarked(batch);
  } else if (options_.record_steps) {
    recorder_.Queue(*stream_, batch, launch_all);
  } else {
    launch_all();
  }
}

Status PlanPart::LaunchMarked(const BatchView& batch) {
  marked_.clear();
  RF_RETURN_IF_ERROR(stream_->Mark());
  const LaunchState state{values_, &batch, stream_->native()};
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (values_[steps_[i]->main_output()].n_rows == 0) continue;
    steps_[i]->Launch(state);
    marked_.push_back(i);
    RF_RETURN_IF_ERROR(stream_->Mark());
  }
  return {};
}

Status PlanPart::AddToProfile(const BatchSizes& batch) {
  RF_RETURN_IF_ERROR(marking_);
  RF_ASSIGN_OR_RETURN(const std::vector<double> seconds, stream_->TakeMarks());
  RF_CHECK(seconds.size() == marked_.size());
  const std::string device = device_->properties().Label();
  for (size_t i = 0; i < marked_.size(); ++i) {
    const size_t step = marked_[i];
    const size_t end = step + 1 < first_node_.size() ? first_node_[step + 1] : graph_.nodes.size();
    StepWork work;
    for (size_t node = first_node_[step]; node < end; ++node) {
      work += CountWork(graph_, graph_.nodes[node], weights_, options_.kv_format, batch);
    }
    options_.profile->Add(device, steps_[step]->op_name(), steps_[step]->kernel_name(), seconds[i], work);
  }
  return {};
}

Status PlanPart::CopyPage(int32_t source, int32_t destination) {
  for (size_t i = 0; i < kv_layers_.size(); ++i) {
    const uint64_t bytes = HalfPageBytes(graph_.kv_layers[i], options_.page_tokens, options_.kv_format);
    for (void* half : {kv_layers_[i].k, kv_layers_[i].v}) {
      auto* base = static_cast<std::byte*>(half);
      RF_RETURN_IF_ERROR(stream_->CopyOnDevice(base + bytes * static_cast<uint64_t>(destination),
                                               base + bytes * static_cast<uint64_t>(source), bytes));
    }
  }
  return {};
}

PartInfo PlanPart::info() const {
  PartInfo info{device_->properties(), -1, -1, memory_};
  for (const Node& node : graph_.nodes) {
    if (node.layer < 0) continue;
    if (info.first_layer < 0) info.first_layer = node.layer;
    info.last_layer = node.layer;
  }
  return info;
}

void PlanPart::AddVariants(const BatchView& batch, bool is_prompt, std::vector<std::vector<VariantInfo>>& found) {
  SetRows(batch);
  const LaunchState state{values_, &batch, stream_->native()};
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (values_[steps_[i]->main_output()].n_rows == 0) continue;
    std::string name = steps_[i]->VariantName(state);
    if (name.empty()) continue;
    std::vector<VariantInfo>& variants = found[i];
    if (!variants.empty() && variants.back().is_prompt == is_prompt && variants.back().name == name) {
      variants.back().last_tokens = batch.n_tokens;
    } else {
      variants.push_back({is_prompt, batch.n_tokens, batch.n_tokens, std::move(name)});
    }
  }
}

std::vector<std::vector<VariantInfo>> PlanPart::DescribeVariants() {
  std::vector<std::vector<VariantInfo>> found(steps_.size());
  BatchView batch;
  for (int32_t n = 1; n <= options_.max_sequences && n <= options_.rows.max_tokens; ++n) {
    batch.n_tokens = batch.n_sequences = batch.n_outputs = n;
    AddVariants(batch, false, found);
  }
  batch.n_sequences = batch.n_outputs = 1;
  for (int32_t n = 2; n <= options_.rows.max_tokens; ++n) {
    batch.n_tokens = n;
    AddVariants(batch, true, found);
  }
  return found;
}

std::vector<StepInfo> PlanPart::Describe() const {
  std::vector<StepInfo> lines;
  for (const auto& step : steps_) {
    lines.push_back(StepInfo{std::string(step->op_name()),
                             step->layer(),
                             device_->properties().Label(),
                             std::string(step->kernel_name()),
                             reason_,
                             {}});
  }
  return lines;
}

}  // namespace rf
