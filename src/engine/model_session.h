// From a model file to a running engine: the one way in which every command loads a model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "engine/engine.h"
#include "engine/grammar_constraint.h"
#include "gguf/reader.h"
#include "model/hyperparameters.h"
#include "plan/plan.h"
#include "text/template/chat.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

struct SessionOptions {
  int32_t context_length = 0;  ///< 0: the model's own, at most kDefaultContext
  int32_t prefill_chunk = 512;
  int32_t max_sequences = 1;  ///< running at once
  int32_t max_queue = 512;    ///< waiting requests at most
  int64_t kv_tokens = 0;      ///< positions in the KV cache, shared by all; 0: one context, two if max_sequences > 1
  Format kv_format = Format::kF16;
  int32_t page_tokens = 32;
  /// Rows of logits in one step at most, e.g. for tools that want those of every position.
  int32_t max_outputs = 0;  ///< 0: max_sequences
  bool use_mmap = true;
  bool verify = false;         ///< weights that are NaN or infinite are refused (GgufOptions::verify)
  bool check_weights = false;  ///< as PlanOptions has it
  bool use_prefix_cache = true;
  std::optional<int32_t> gpu_layers;  ///< as PlanOptions has them
  bool best_on_device = true;         ///< as PlanOptions has it
  bool describes_variants = false;    ///< ModelSession::steps have their variants
  bool record_steps = true;           ///< a GPU replays decoding steps as recorded graphs
  Profile* profile = nullptr;         ///< as PlanOptions has it
  std::string chat_template;          ///< replaces the file's own; empty: that one
  LoadProgress progress;
  /// Puts something around the runner that steps go through; empty: nothing.
  std::function<std::unique_ptr<Runner>(std::unique_ptr<Runner>)> wrap_runner;
  const Syscalls* syscalls = nullptr;  ///< what the file is read with; null: the real ones. Must outlive the session
};

inline constexpr int32_t kDefaultContext = 8192;

/// A loaded model. Everything but the engine may be used from several threads at once.
struct ModelSession {
  std::string name;  ///< the file's `general.name`, or the file's stem
  std::string architecture;
  Hyperparameters hparams;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<GrammarLibrary> grammars;
  /// Nothing if the file has none; an Error if it has one that cannot be used (reported when a chat is asked for).
  std::optional<Result<ChatTemplate>> chat_template;
  std::shared_ptr<const GgufFile> file;
  int32_t context_length = 0;
  std::vector<StepInfo> steps;  ///< the plan, for people
  MemoryPlan memory;
  std::vector<PartInfo> parts;  ///< of the plan, in the order in which they run; never empty
  std::unique_ptr<Engine> engine;

  /// The prompt of a conversation, tokenized: what the template wrote with its special tokens, what came from the
  /// conversation as plain text, even where it spells a control token. Errors: kUnsupported if the model has no chat
  /// template; those of ChatTemplate::Apply.
  Result<std::vector<TokenId>> EncodeChat(const ChatTemplateInput& input) const;
};

/// The plan that a session with these options makes for a model that was trained for `trained_context` positions.
PlanOptions PlanOptionsOf(const SessionOptions& options, int32_t trained_context);

/// Opens, checks, plans, loads. `devices`, best first, must outlive the session. Errors: those of GgufFile::Open,
/// BuildModel, Tokenizer::Create, Plan::Make; kInvalidArgument for options out of range; kOutOfMemory.
Result<std::unique_ptr<ModelSession>> LoadModel(const std::string& path, std::span<Device* const> devices,
                                                const SessionOptions& options);

}  // namespace rf
