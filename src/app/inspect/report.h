// What `inspect` finds out about a file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/model_options.h"
#include "base/result.h"
#include "gguf/reader.h"
#include "model/model.h"
#include "plan/plan.h"
#include "text/template/chat.h"

namespace rf::app {

/// The memory of one context length.
struct ContextMemory {
  int32_t context = 0;
  MemoryPlan plan;
};

struct InspectReport {
  std::string path;
  std::optional<GgufFile> file;
  std::string architecture;  ///< as the file says
  uint64_t file_bytes = 0;   ///< of all its parts
  uint64_t tensor_bytes = 0;
  int64_t n_parameters = 0;
  std::map<std::string, int64_t> types;  ///< tensors of each format
  std::unique_ptr<Tokenizer> tokenizer;
  std::optional<Hyperparameters> hparams;  ///< nothing for vocabularies and unsupported architectures
  std::string chat_template;
  std::optional<ChatCapabilities> chat;
  std::vector<ContextMemory> memory;
  std::string device;  ///< that the memory is for
  /// Why the file cannot be run although it is sound: an unsupported architecture, a template that cannot be used.
  std::optional<Error> refusal;

  bool is_vocabulary() const { return file->tensors().empty(); }
};

/// Opens and checks a file as loading does. Errors: those of GgufFile::Open, BuildModel, Tokenizer::Create,
/// EstimateMemory.
Result<InspectReport> InspectModel(const ModelOptions& options);

/// The shape of `inspect --json`.
nlohmann::ordered_json ToJson(const InspectReport& report, bool with_tensors);

/// For people.
std::string Describe(const InspectReport& report, bool with_tensors);

}  // namespace rf::app
