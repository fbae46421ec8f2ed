// `plan`: which device and kernel runs each step of a model, and where the memory goes.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/device_json.h"
#include "app/input.h"
#include "app/model_options.h"
#include "app/option_range.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  bool json = false;
};

ordered_json VariantsJson(const StepInfo& step) {
  auto variants = ordered_json::array();
  for (const VariantInfo& variant : step.variants) {
    variants.push_back({{"batch", variant.is_prompt ? "prompt" : "single_tokens"},
                        {"first_tokens", variant.first_tokens},
                        {"last_tokens", variant.last_tokens},
                        {"variant", variant.name}});
  }
  return variants;
}

ordered_json MemoryJson(const MemoryPlan& memory) {
  return {{"weights", memory.weights},         {"weights_mapped", memory.weights_mapped}, {"kv_cache", memory.kv_cache},
          {"activations", memory.activations}, {"workspace", memory.workspace},           {"total", memory.Total()}};
}

ordered_json PartJson(const PartInfo& part) {
  return {{"device", part.device.Label()},
          {"first_layer", part.first_layer},
          {"last_layer", part.last_layer},
          {"memory", MemoryJson(part.memory)}};
}

void PrintPlanJson(const OpenedModel& opened) {
  ordered_json plan;
  plan["devices"] = ordered_json::array();
  for (const auto& device : opened.devices) plan["devices"].push_back(ToJson(device->properties()));
  plan["steps"] = ordered_json::array();
  for (const StepInfo& step : opened.session->steps) {
    plan["steps"].push_back({{"op", step.op},
                             {"layer", step.layer},
                             {"device", step.device},
                             {"kernel", step.kernel},
                             {"reason", step.reason},
                             {"variants", VariantsJson(step)}});
  }
  plan["parts"] = ordered_json::array();
  for (const PartInfo& part : opened.session->parts) plan["parts"].push_back(PartJson(part));
  plan["memory"] = MemoryJson(opened.session->memory);
  plan["memory"]["ctx"] = opened.session->context_length;
  PrintJson(plan);
}

// The steps of layers that are alike, or consecutive steps outside the layers.
struct LayerGroup {
  std::vector<int32_t> layers;  // ascending; empty: outside
  std::span<const StepInfo> steps;
};

bool AreAlike(std::span<const StepInfo> a, std::span<const StepInfo> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const StepInfo& x, const StepInfo& y) {
    return x.op == y.op && x.device == y.device && x.kernel == y.kernel && x.reason == y.reason;
  });
}

// In the order of their first steps.
std::vector<LayerGroup> GroupLayers(std::span<const StepInfo> steps) {
  std::vector<LayerGroup> groups;
  for (size_t begin = 0, end = 0; begin < steps.size(); begin = end) {
    const int32_t number = steps[begin].layer;
    while (end < steps.size() && steps[end].layer == number) ++end;
    const auto layer = steps.subspan(begin, end - begin);
    auto alike = std::find_if(groups.begin(), groups.end(), [&layer, number](const LayerGroup& group) {
      return number >= 0 && !group.layers.empty() && AreAlike(group.steps, layer);
    });
    if (alike == groups.end()) alike = groups.insert(groups.end(), LayerGroup{{}, layer});
    if (number >= 0) alike->layers.push_back(number);
  }
  return groups;
}

// "layers 0-4, 6, 8-9".
std::string TitleOf(const LayerGroup& group) {
  if (group.layers.empty()) return "outside the layers";
  std::string title = group.layers.size() == 1 ? "layer" : "layers";
  for (size_t begin = 0, end = 0; begin < group.layers.size(); begin = end) {
    while (end < group.layers.size() && group.layers[end] - group.layers[begin] == static_cast<int32_t>(end - begin)) {
      ++end;
    }
    title += fmt::format("{} {}", begin == 0 ? "" : ",", group.layers[begin]);
    if (end - begin > 1) title += fmt::format("-{}", group.layers[end - 1]);
  }
  return title;
}

std::string TextOf(std::span<const VariantInfo> variants) {
  std::string text;
  for (const VariantInfo& it : variants) {
    const std::string to = it.first_tokens == it.last_tokens ? "" : fmt::format("-{}", it.last_tokens);
    const char* of = it.is_prompt ? "of a prompt" : it.last_tokens == 1 ? "token" : "tokens";
    text += fmt::format("{}{}{} {}: {}", text.empty() ? "" : "; ", it.first_tokens, to, of, it.name);
  }
  return text;
}

// What the kernels of all steps decide by the size of a batch; each kernel's decisions once for each way they go.
void PrintVariants(std::span<const StepInfo> steps) {
  std::vector<std::string> lines;
  for (const StepInfo& step : steps) {
    if (step.variants.empty()) continue;
    std::string line = fmt::format("  {:<10} {:<32} {}", step.device, step.kernel, TextOf(step.variants));
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
  }
  if (lines.empty()) return;
  fmt::print("\nvariants by the size of a batch\n");
  for (const std::string& line : lines) fmt::print("{}\n", line);
}

void PrintMemory(const char* what, uint64_t bytes, const char* remark = "") {
  fmt::print("  {:<22} {:>10.1f} MB{}\n", what, static_cast<double>(bytes) / 1e6, remark);
}

// "  layers 0-11 on cpu avx2, 8 threads: AMD EPYC 7763, 1234.5 MB".
void PrintPart(const PartInfo& part) {
  const std::string layers = part.first_layer < 0 ? "before the layers" : LayerRange(part.first_layer, part.last_layer);
  fmt::print("  {} on {}: {}, {:.1f} MB\n", layers, ShortDescription(part.device), part.device.name,
             static_cast<double>(part.memory.Total()) / 1e6);
}

void PrintPlan(const OpenedModel& opened) {
  const ModelSession& session = *opened.session;
  if (session.parts.size() == 1) {
    const DeviceProperties& device = session.parts[0].device;
    fmt::print("{} ({}) on {}: {}\n", session.name, session.architecture, ShortDescription(device), device.name);
  } else {
    fmt::print("{} ({})\n", session.name, session.architecture);
    for (const PartInfo& part : session.parts) PrintPart(part);
  }
  for (const LayerGroup& group : GroupLayers(session.steps)) {
    fmt::print("\n{}\n", TitleOf(group));
    for (const StepInfo& step : group.steps) {
      fmt::print("  {:<16} {:<10} {:<32} {}\n", step.op, step.device, step.kernel, step.reason);
    }
  }
  PrintVariants(session.steps);
  fmt::print("\nmemory for {} positions\n", session.context_length);
  PrintMemory("weights", session.memory.weights);
  PrintMemory("weights in the file", session.memory.weights_mapped, "  (mapped, not counted)");
  PrintMemory("KV cache", session.memory.kv_cache);
  PrintMemory("activations", session.memory.activations);
  PrintMemory("workspace", session.memory.workspace);
  PrintMemory("total", session.memory.Total());
}

Status Run(const Options& options) {
  ModelOptions model = options.model;
  model.session.describes_variants = true;
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(model));
  if (options.json) {
    PrintPlanJson(opened);
  } else {
    PrintPlan(opened);
  }
  return {};
}

}  // namespace

void AddPlanCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "plan", "Show which device and kernel runs each step of a model, and the memory",
      [](CLI::App& command, Options& options) {
        AddModelOptions(command, options.model);
        command.add_option("--parallel", options.model.session.max_sequences, "sequences at once (default 1)")
            ->check(AcceptIn(1, 256));
        command.add_flag("--json", options.json, "print {\"devices\", \"steps\", \"parts\", \"memory\"}");
      },
      Run);
}

}  // namespace rf::app
