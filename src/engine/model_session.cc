#include "engine/model_session.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/plan_runner.h"
#include "model/model.h"

namespace rf {
namespace {

struct IntRange {
  const char* name;
  int64_t value;
  int64_t min;
  int64_t max;
};

Status CheckOptions(const SessionOptions& options) {
  const IntRange ranges[] = {
      {"context length", options.context_length, 0, int64_t{1} << 30},
      {"prefill chunk", options.prefill_chunk, 1, 65536},
      {"number of parallel sequences", options.max_sequences, 1, 4096},
      {"KV cache positions", options.kv_tokens, 0, INT32_MAX},
      {"tokens per page", options.page_tokens, 1, 4096},
      {"logit rows per step", options.max_outputs, 0, 65536},
  };
  for (const IntRange& range : ranges) {
    if (range.value >= range.min && range.value <= range.max) continue;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is {}, must be {} to {}", range.name, range.value, range.min, range.max), ""};
  }
  return {};
}

int32_t ContextOf(const SessionOptions& options, int32_t trained) {
  return options.context_length > 0 ? options.context_length : std::min(trained, kDefaultContext);
}

// No larger than the context: activations would be reserved for nothing.
int32_t PrefillChunkOf(const SessionOptions& options, int32_t context) {
  return std::min(options.prefill_chunk, context);
}

// What Plan::Make reads tensors with: the mapping's bytes, or a copy in a buffer that the next one reuses. Pages of the
// mapping that the device has copied are given back at once, so that a model is not in memory twice.
TensorReader MakeTensorReader(const std::shared_ptr<const GgufFile>& file) {
  auto buffer = std::make_shared<std::vector<std::byte>>();
  const auto read = [file, buffer](int32_t index) -> Result<TensorData> {
    const auto i = static_cast<size_t>(index);
    const GgufTensor& tensor = file->tensors()[i];
    if (file->is_mapped()) {
      file->WillNeed(i);
      RF_ASSIGN_OR_RETURN(const auto bytes, file->TensorBytes(i));
      return TensorData{tensor.name, bytes};
    }
    buffer->resize(tensor.n_bytes);
    RF_RETURN_IF_ERROR(file->ReadTensor(i, *buffer));
    return TensorData{tensor.name, *buffer};
  };
  const auto release = [file](int32_t index) { file->DontNeed(static_cast<size_t>(index)); };
  return {read, release, file->is_mapped()};
}

class SessionLoader {
 public:
  SessionLoader(std::span<Device* const> devices, const SessionOptions& options)
      : devices_(devices), options_(options), session_(std::make_unique<ModelSession>()) {}

  Result<std::unique_ptr<ModelSession>> Load(const std::string& path) {
    RF_RETURN_IF_ERROR(CheckOptions(options_));
    RF_RETURN_IF_ERROR(Open(path));
    RF_ASSIGN_OR_RETURN(Model model,
                        BuildModel(*session_->file, ModelOptions{options_.context_length, kDefaultContext}));
    Describe(path, model);
    RF_RETURN_IF_ERROR(ChooseContext());
    RF_ASSIGN_OR_RETURN(auto tokenizer, Tokenizer::Create(std::move(model.vocab)));
    session_->tokenizer = std::move(tokenizer);
    session_->grammars = std::make_shared<GrammarLibrary>(session_->tokenizer);
    ReadChatTemplate(model);
    RF_RETURN_IF_ERROR(StartEngine(std::move(model.graph)));
    return std::move(session_);
  }

 private:
  Status Open(const std::string& path) {
    GgufOptions open;
    open.use_mmap = options_.use_mmap;
    open.read_ahead = true;
    open.verify = options_.verify;
    open.syscalls = options_.syscalls;
    RF_ASSIGN_OR_RETURN(GgufFile file, GgufFile::Open(path, open));
    session_->file = std::make_shared<const GgufFile>(std::move(file));
    return {};
  }

  void Describe(const std::string& path, const Model& model) {
    const auto name = session_->file->metadata().FindString("general.name");
    session_->name = name && *name ? std::string(**name) : std::filesystem::path(path).stem().string();
    session_->architecture = model.architecture;
    session_->hparams = model.hparams;
  }

  Status ChooseContext() {
    const int32_t trained = session_->hparams.context_length;
    session_->context_length = ContextOf(options_, trained);
    if (session_->context_length > trained) {
      Log(LogLevel::kWarning,
          fmt::format("the model was trained for {} positions, {} are asked for", trained, session_->context_length));
    }
    return {};
  }

  void ReadChatTemplate(const Model& model) {
    const std::string& source = options_.chat_template.empty() ? model.chat_template : options_.chat_template;
    if (!source.empty()) session_->chat_template = ChatTemplate::Create(source);
  }

  Status StartEngine(Graph graph) {
    const PlanOptions plan_options = PlanOptionsOf(options_, session_->hparams.context_length);
    RF_ASSIGN_OR_RETURN(auto plan, Plan::Make(std::move(graph), MakeTensorReader(session_->file), devices_,
                                              plan_options, options_.progress));
    for (const auto& part : plan->parts()) session_->parts.push_back(part->info());
    session_->steps = options_.describes_variants ? plan->DescribeVariants() : plan->Describe();
    session_->memory = plan->memory();
    const int32_t max_pages = (session_->context_length + plan_options.page_tokens - 1) / plan_options.page_tokens;
    RF_ASSIGN_OR_RETURN(auto runner, PlanRunner::Create(std::move(plan), max_pages,
                                                        [file = session_->file] { return file->Damage(); }));
    EngineOptions engine;
    engine.context_length = session_->context_length;
    engine.prefill_chunk = PrefillChunkOf(options_, session_->context_length);
    engine.max_queue = options_.max_queue;
    engine.use_prefix_cache = options_.use_prefix_cache;
    std::unique_ptr<Runner> step_runner = std::move(runner);
    if (options_.wrap_runner) step_runner = options_.wrap_runner(std::move(step_runner));
    session_->engine = std::make_unique<Engine>(std::move(step_runner), engine);
    return {};
  }

  std::span<Device* const> devices_;
  const SessionOptions& options_;
  std::unique_ptr<ModelSession> session_;
};

}  // namespace

PlanOptions PlanOptionsOf(const SessionOptions& options, int32_t trained_context) {
  const int32_t context = ContextOf(options, trained_context);
  PlanOptions plan;
  plan.n_contexts = options.kv_tokens > 0 ? 0 : std::min(options.max_sequences, 2);
  const int64_t wanted = plan.n_contexts > 0 ? int64_t{context} * plan.n_contexts : options.kv_tokens;
  plan.max_sequences = options.max_sequences;
  plan.rows.max_tokens = int64_t{PrefillChunkOf(options, context)} + options.max_sequences;
  plan.rows.max_outputs = std::max(options.max_outputs, options.max_sequences);
  plan.page_tokens = options.page_tokens;
  plan.n_pages = static_cast<int32_t>((wanted + plan.page_tokens - 1) / plan.page_tokens);
  plan.kv_format = options.kv_format;
  plan.check_weights = options.check_weights;
  plan.record_steps = options.record_steps;
  plan.best_on_device = options.best_on_device;
  plan.gpu_layers = options.gpu_layers;
  plan.profile = options.profile;
  return plan;
}

Result<std::vector<TokenId>> ModelSession::EncodeChat(const ChatTemplateInput& input) const {
  if (!chat_template) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("model '{}' has no chat template; it completes text ('generate'), or give it a template "
                             "(--chat-template-file)",
                             EscapeForMessage(name, 80)),
                 ""};
  }
  if (!*chat_template) return chat_template->error();
  ChatTemplateInput filled = input;
  const VocabData& vocab = tokenizer->data();
  if (filled.bos.empty() && vocab.bos) filled.bos = vocab.tokens[static_cast<size_t>(*vocab.bos)];
  if (filled.eos.empty() && vocab.eos) filled.eos = vocab.tokens[static_cast<size_t>(*vocab.eos)];
  RF_ASSIGN_OR_RETURN(const RenderedText prompt, (*chat_template)->ApplyMarked(filled));
  // A template that prints the begin token must not get a second one. (A message that begins with its text is no such.)
  const bool has_bos = !filled.bos.empty() && prompt.text.starts_with(filled.bos) &&
                       (prompt.input.empty() || prompt.input.front().begin >= filled.bos.size());
  return tokenizer->Encode(prompt.text, {.add_special = !has_bos, .parse_special = true}, prompt.input);
}

Result<std::unique_ptr<ModelSession>> LoadModel(const std::string& path, std::span<Device* const> devices,
                                                const SessionOptions& options) {
  try {
    return SessionLoader(devices, options).Load(path);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "not enough memory to load the model", EscapeForMessage(path, 160)};
  }
}

}  // namespace rf
