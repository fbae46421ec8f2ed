#include "app/inspect/report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/input.h"
#include "app/store/model_store.h"
#include "base/log.h"
#include "base/utf8.h"
#include "model/vocab.h"
#include "plan/estimate.h"
#include "plan/placement.h"

namespace rf::app {
namespace {

constexpr int32_t kFirstContext = 2048;

Status OpenFile(const ModelOptions& options, InspectReport& report) {
  RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(options.model));
  report.path = path.string();
  GgufOptions open;
  open.use_mmap = options.session.use_mmap;
  open.verify = options.session.verify;
  open.vocab_only_ok = true;
  RF_ASSIGN_OR_RETURN(report.file, GgufFile::Open(report.path, open));
  for (const GgufShard& shard : report.file->shards()) report.file_bytes += shard.file_bytes;
  for (const GgufTensor& tensor : report.file->tensors()) {
    report.n_parameters += tensor.n_elements;
    report.tensor_bytes += tensor.n_bytes;
    ++report.types[std::string(GetFormatInfo(tensor.format).name)];
  }
  return {};
}

// Doubling from 2048 to what the model was trained for.
std::vector<int32_t> ContextsOf(const SessionOptions& session, int32_t trained) {
  if (session.context_length > 0) return {session.context_length};
  std::vector<int32_t> contexts;
  for (int64_t context = kFirstContext; context < trained; context *= 2)
    contexts.push_back(static_cast<int32_t>(context));
  contexts.push_back(trained);
  return contexts;
}

// The device that a plan prefers if memory is no matter.
Device& FirstAble(const DeviceList& devices, const Graph& graph, Format kv_format) {
  for (const auto& device : devices) {
    if (!FindMissingKernel(graph, *device, kv_format)) return *device;
  }
  return *devices.front();  // whose error tells what is missing
}

Status EstimateContexts(const ModelOptions& options, const Graph& graph, InspectReport& report) {
  RF_ASSIGN_OR_RETURN(const DeviceList devices, CreateDevices(options.devices));
  Device& device = FirstAble(devices, graph, options.session.kv_format);
  report.device = fmt::format("{} {}", device.properties().Label(), device.properties().isa);
  for (const int32_t context : ContextsOf(options.session, report.hparams->context_length)) {
    SessionOptions session = options.session;
    session.context_length = context;
    const PlanOptions plan = PlanOptionsOf(session, report.hparams->context_length);
    RF_ASSIGN_OR_RETURN(const MemoryPlan memory, EstimateMemory(graph, device, plan, report.file->is_mapped()));
    report.memory.push_back({context, memory});
  }
  return {};
}

Status CheckTemplate(const ModelOptions& options, InspectReport& report) {
  RF_ASSIGN_OR_RETURN(const auto source, report.file->metadata().FindString("tokenizer.chat_template"));
  if (!options.chat_template_file.empty()) {
    RF_ASSIGN_OR_RETURN(report.chat_template, ReadTextFile(options.chat_template_file));
  } else if (source) {
    report.chat_template = *source;
  }
  if (report.chat_template.empty()) return {};
  auto parsed = ChatTemplate::Create(report.chat_template);
  if (!parsed) {
    report.refusal = report.file->metadata().ErrorAt(
        "tokenizer.chat_template", fmt::format("chat template cannot be used: {}", parsed.error().ToString()));
    return {};
  }
  report.chat = parsed->capabilities();
  for (const TemplateWarning& warning : parsed->warnings()) {
    Log(LogLevel::kWarning, fmt::format("chat template:{}:{}: {}", warning.line, warning.column, warning.message));
  }
  return {};
}

// The model as loading builds it; a file that is sound but not for this engine is still described.
Status BuildGraph(const ModelOptions& options, InspectReport& report) {
  auto model = BuildModel(*report.file, ::rf::ModelOptions{options.session.context_length});
  if (!model && model.error().code == ErrorCode::kUnsupported) {
    report.refusal = std::move(model).error();
    return {};
  }
  if (!model) return std::move(model).error();
  report.hparams = model->hparams;
  RF_ASSIGN_OR_RETURN(report.tokenizer, Tokenizer::Create(std::move(model->vocab)));
  return EstimateContexts(options, model->graph, report);
}

}  // namespace

Result<InspectReport> InspectModel(const ModelOptions& options) {
  InspectReport report;
  RF_RETURN_IF_ERROR(OpenFile(options, report));
  RF_ASSIGN_OR_RETURN(const auto architecture, report.file->metadata().FindString("general.architecture"));
  if (architecture) report.architecture = *architecture;
  if (report.is_vocabulary()) {
    RF_ASSIGN_OR_RETURN(VocabData vocab, ReadVocab(*report.file));
    RF_ASSIGN_OR_RETURN(report.tokenizer, Tokenizer::Create(std::move(vocab)));
  } else {
    RF_RETURN_IF_ERROR(BuildGraph(options, report));
  }
  RF_RETURN_IF_ERROR(CheckTemplate(options, report));
  return report;
}

}  // namespace rf::app
