// `inspect` for scripts.
#include <utility>

#include "app/inspect/report.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

ordered_json ScalarJson(const GgufValue& value) {
  switch (value.type()) {
    case GgufType::kString: return std::string(*value.AsString());
    case GgufType::kBool: return *value.AsBool();
    case GgufType::kF32:
    case GgufType::kF64: return *value.AsF64();
    case GgufType::kU64: return *value.AsU64();
    default: return *value.AsI64();
  }
}

// Arrays (token lists, scores) by their type and length only.
ordered_json ValueJson(const GgufValue& value) {
  if (!value.is_array()) return ScalarJson(value);
  return {{"array_of", GgufTypeName(value.element_type())}, {"length", value.size()}};
}

ordered_json IdJson(const std::optional<TokenId>& id) {
  return id ? ordered_json(*id) : ordered_json(nullptr);
}

ordered_json TokenizerJson(const InspectReport& report) {
  if (!report.tokenizer) return nullptr;
  const VocabData& vocab = report.tokenizer->data();
  return {{"model", vocab.model},
          {"pre", vocab.pre},
          {"n_tokens", vocab.tokens.size()},
          {"bos", IdJson(vocab.bos)},
          {"eos", IdJson(vocab.eos)},
          {"end_of_generation", report.tokenizer->end_of_generation_ids()},
          {"adds_bos", report.tokenizer->adds_bos()},
          {"adds_eos", report.tokenizer->adds_eos()}};
}

ordered_json MemoryJson(const InspectReport& report) {
  auto list = ordered_json::array();
  for (const ContextMemory& entry : report.memory) {
    const MemoryPlan& plan = entry.plan;
    list.push_back({{"ctx", entry.context},
                    {"weights", plan.weights},
                    {"weights_mapped", plan.weights_mapped},
                    {"kv", plan.kv_cache},
                    {"scratch", plan.activations + plan.workspace},
                    {"total", plan.Total()}});
  }
  return list;
}

ordered_json TensorsJson(const GgufFile& file) {
  auto list = ordered_json::array();
  for (const GgufTensor& tensor : file.tensors()) {
    list.push_back({{"name", tensor.name},
                    {"type", GetFormatInfo(tensor.format).name},
                    {"shape", tensor.shape},
                    {"bytes", tensor.n_bytes},
                    {"file", tensor.shard},
                    {"offset", tensor.file_offset}});
  }
  return list;
}

}  // namespace

ordered_json ToJson(const InspectReport& report, bool with_tensors) {
  ordered_json metadata = ordered_json::object();
  for (const auto& entry : report.file->metadata().entries()) metadata[entry.key] = ValueJson(entry.value);
  auto files = ordered_json::array();
  for (const GgufShard& shard : report.file->shards()) files.push_back(shard.path);
  ordered_json json = {
      {"files", files},
      {"architecture", report.architecture},
      {"parameters", report.n_parameters},
      {"file_size", report.file_bytes},
      {"vocabulary_only", report.is_vocabulary()},
      {"types", report.types},
      {"context_length", report.hparams ? ordered_json(report.hparams->context_length) : ordered_json(nullptr)},
      {"tokenizer", TokenizerJson(report)},
      {"chat_template", report.chat_template.empty() ? ordered_json(nullptr) : ordered_json(report.chat_template)},
      {"metadata", std::move(metadata)},
      {"memory", MemoryJson(report)},
      {"device", report.device}};
  if (report.refusal) json["refusal"] = report.refusal->ToString();
  if (with_tensors) json["tensors"] = TensorsJson(*report.file);
  return json;
}

}  // namespace rf::app
