#include "plan/plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "plan/fusion/passes.h"
#include "plan/placement.h"
#include "plan/refusal.h"

namespace rf {
namespace {

std::set<int32_t> TensorsOf(const Graph& graph) {
  std::set<int32_t> tensors;
  for (const Node& node : graph.nodes) {
    for (const WeightId weight : node.weight) {
      if (weight >= 0) tensors.insert(graph.weights[static_cast<size_t>(weight)].tensor);
    }
  }
  return tensors;
}

// Gives back only tensors that no other part reads: one may look at them where they lie.
TensorReader ReaderOfPart(const TensorReader& reader, const Placement& placement, size_t part) {
  std::set<int32_t> shared;
  for (size_t other = 0; other < placement.size(); ++other) {
    if (other != part) shared.merge(TensorsOf(placement[other].graph));
  }
  TensorReader own = reader;
  if (!reader.release) return own;
  own.release = [release = reader.release, shared](int32_t tensor) {
    if (shared.count(tensor) == 0) release(tensor);
  };
  return own;
}

// Counts on from the parts before it.
LoadProgress ProgressOfPart(const LoadProgress& progress, const Placement& placement, size_t part) {
  if (!progress) return nullptr;
  uint64_t before = 0;
  uint64_t total = 0;
  for (size_t i = 0; i < placement.size(); ++i) {
    const uint64_t bytes = BytesToLoad(placement[i].graph);
    if (i < part) before += bytes;
    total += bytes;
  }
  return [&progress, before, total](uint64_t done, uint64_t) { progress(before + done, total); };
}

// Plans that are made anew after a GPU had less memory than was planned on it.
constexpr int kMaxFailures = 3;

// Gives the GPU of a plan that could not be loaded the budget that it turned out to have. False: the error stands.
bool Shrink(const Error& error, const Placement& placement, std::span<Device* const> devices, PlanOptions& options) {
  if (error.code != ErrorCode::kOutOfMemory || options.gpu_layers) return false;
  Device& gpu = *placement.back().device;
  const bool has_cpu = devices.back()->properties().is_host_memory;
  if (!has_cpu || gpu.properties().is_host_memory || error.where != gpu.properties().Label()) return false;
  const auto planned = MemoryToPlan(gpu, options);
  const auto had = gpu.BytesHadAtFailure();
  if (!planned || !had) return false;
  // Each plan is smaller than the last one, whatever the device says.
  const uint64_t budget = std::min(*had, planned->free_bytes / 16 * 15);
  options.budgets[&gpu] = budget;
  constexpr double kMiB = 1024.0 * 1024.0;
  Log(LogLevel::kWarning,
      fmt::format("{}: {:.0f} MiB were said to be free, {:.0f} could be had ({}); planned again with that",
                  gpu.properties().Label(), static_cast<double>(planned->free_bytes) / kMiB,
                  static_cast<double>(*had) / kMiB, error.message));
  return true;
}

}  // namespace

Result<std::unique_ptr<Plan>> Plan::Load(const Placement& placement, const TensorReader& reader,
                                         const PlanOptions& options, const LoadProgress& progress) {
  std::unique_ptr<Plan> plan(new Plan(options));
  for (size_t i = 0; i < placement.size(); ++i) {
    RF_ASSIGN_OR_RETURN(auto part, PlanPart::Make(placement[i], ReaderOfPart(reader, placement, i), options,
                                                  ProgressOfPart(progress, placement, i)));
    plan->parts_.push_back(std::move(part));
  }
  return plan;
}

Result<std::unique_ptr<Plan>> Plan::Make(Graph graph, const TensorReader& reader, std::span<Device* const> devices,
                                         const PlanOptions& options, const LoadProgress& progress) {
  RunFusionPasses(graph);
  PlanOptions tried = options;
  for (int n_failed = 0;; ++n_failed) {
    RF_ASSIGN_OR_RETURN(const Placement placement, PlaceGraph(graph, devices, tried, reader.is_mapped));
    auto plan = Load(placement, reader, tried, progress);
    if (plan || n_failed == kMaxFailures || !Shrink(plan.error(), placement, devices, tried)) return plan;
  }
}

Status Plan::Execute(size_t i, const BatchView& batch) {
  if (i > 0) RF_RETURN_IF_ERROR(HandOver(*parts_[i - 1], *parts_[i]));
  parts_[i]->Execute(batch);
  return {};
}

// Straight from or into the CPU's activations. What the copy reads stays until the next step.
Status Plan::HandOver(const PlanPart& from, const PlanPart& to) {
  const bool is_from_host = from.device().properties().is_host_memory;
  RF_CHECK(is_from_host || to.device().properties().is_host_memory);
  if (is_from_host) RF_RETURN_IF_ERROR(from.stream().Synchronize());
  for (const ValueId id : to.graph().inputs) {
    const TensorView& made = from.value(id);
    const auto bytes = static_cast<size_t>(made.n_rows * RowBytes(GetFormatInfo(made.format), made.n_cols));
    if (bytes == 0) continue;
    RF_RETURN_IF_ERROR(is_from_host ? to.stream().CopyToDevice(to.value(id).data, made.data, bytes)
                                    : from.stream().CopyToHost(to.value(id).data, made.data, bytes));
  }
  return is_from_host ? Status{} : from.stream().Synchronize();
}

Plan::BestViews Plan::best() const {
  const PlanPart& last = *parts_.back();
  const Graph::Best& best = last.graph().best;
  if (best.ids < 0) return {};
  return {&last.value(best.ids), &last.value(best.values), &last.value(best.sums)};
}

Status Plan::Synchronize() {
  Status first;
  for (const auto& part : parts_) {
    const Status status = part->stream().Synchronize();
    if (first) first = status;
  }
  return first;
}

Status Plan::CopyPage(int32_t source, int32_t destination) {
  for (const auto& part : parts_) RF_RETURN_IF_ERROR(part->CopyPage(source, destination));
  return {};
}

MemoryPlan Plan::memory() const {
  MemoryPlan sum;
  for (const auto& part : parts_) sum += part->memory();
  return sum;
}

std::vector<StepInfo> Plan::Describe() const {
  std::vector<StepInfo> lines;
  for (const auto& part : parts_) {
    for (StepInfo& line : part->Describe()) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<StepInfo> Plan::DescribeVariants() {
  std::vector<StepInfo> lines = Describe();
  size_t at = 0;
  for (const auto& part : parts_) {
    for (std::vector<VariantInfo>& variants : part->DescribeVariants()) lines[at++].variants = std::move(variants);
  }
  return lines;
}

}  // namespace rf
