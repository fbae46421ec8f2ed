// A model that needs no file: it writes the alphabet.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/model_session.h"
#include "engine/runner.h"
#include "text/tokenizer/test_vocab.h"

namespace rf::server::test_util {

/// What a test may change while the model runs.
struct FakeControls {
  std::atomic<int> step_ms = 0;  ///< time of one step
  std::atomic<bool> fails = false;
  /// Set before the server starts: what the model writes after a prompt's end, byte by byte, in place of the alphabet.
  std::string script;
};

constexpr int32_t kFakeVocab = 258;  ///< the bytes, a merge that no test uses, and the end
constexpr int32_t kFakeEnd = 257;

/// What follows a token: after '>' comes 'a', then the alphabet up to 'z', then the end. Capitals go round for ever.
/// After '1' comes a euro sign (three tokens), then '2', then the end. After anything else comes the end.
inline int32_t FakeNext(int32_t token) {
  if (token == '>') return 'a';
  if (token >= 'a' && token < 'z') return token + 1;
  if (token >= 'A' && token <= 'Z') return token == 'Z' ? 'A' : token + 1;
  const std::vector<int32_t> euro = {'1', 0xE2, 0x82, 0xAC, '2'};
  for (size_t i = 0; i + 1 < euro.size(); ++i) {
    if (token == euro[i]) return euro[i + 1];
  }
  return kFakeEnd;
}

/// Logits: 10 for the token that follows, 5 for the one after it by number, 0 for all others.
class FakeRunner final : public Runner {
 public:
  FakeRunner(std::shared_ptr<FakeControls> controls, const RunnerLimits& limits)
      : controls_(std::move(controls)), limits_(limits) {}

  const RunnerLimits& limits() const override { return limits_; }
  Status CopyPage(int32_t, int32_t) override { return {}; }
  Result<std::span<const float>> Run(const StepBatch& batch) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(controls_->step_ms));
    if (controls_->fails) return Error{ErrorCode::kDevice, "the fake device is lost", ""};
    logits_.assign(batch.output_rows.size() * kFakeVocab, 0.0f);
    for (size_t i = 0; i < batch.output_rows.size(); ++i) {
      const int32_t next = Next(batch, static_cast<size_t>(batch.output_rows[i]));
      logits_[i * kFakeVocab + static_cast<size_t>(next)] = 10.0f;
      logits_[i * kFakeVocab + static_cast<size_t>((next + 1) % kFakeVocab)] = 5.0f;
    }
    return std::span<const float>(logits_);
  }

 private:
  int32_t Next(const StepBatch& batch, size_t row) {
    const std::string& script = controls_->script;
    if (script.empty()) return FakeNext(batch.token_ids[row]);
    // A step with more than one row for a sequence is its prompt.
    const auto sequence = static_cast<size_t>(batch.sequence_of[row]);
    const bool is_prompt = batch.first_token[sequence + 1] - batch.first_token[sequence] > 1;
    if (is_prompt) script_begin_ = batch.positions[row];
    const auto at = static_cast<size_t>(batch.positions[row] - script_begin_);
    return at < script.size() ? static_cast<unsigned char>(script[at]) : kFakeEnd;
  }

  std::shared_ptr<FakeControls> controls_;
  RunnerLimits limits_;
  std::vector<float> logits_;
  int32_t script_begin_ = 0;  // one request at a time
};

struct FakeModelOptions {
  int32_t context = 256;
  int32_t max_sequences = 4;
  int32_t max_queue = 512;
  int32_t prefill_chunk = 64;
  /// Writes "role:content\n" for each message and ends in '>'; raises for the content "raise".
  std::string chat_template =
      "{% for m in messages %}{% if m.content == 'raise' %}{{ raise_exception('I am told to') }}"
      "{% endif %}{{ m.role }}:{{ m.content }}\n{% endfor %}{{ '>' }}";
};

/// A session as LoadModel makes it.
inline std::unique_ptr<ModelSession> FakeSession(std::shared_ptr<FakeControls> controls,
                                                 FakeModelOptions options = {}) {
  auto session = std::make_unique<ModelSession>();
  VocabData vocab = test_vocab::ByteLevel("gpt-2", {{"\x01", "\x01"}});
  vocab.eos = kFakeEnd;
  session->name = "The alphabet";
  session->architecture = "fake";
  session->tokenizer = test_vocab::MakeTokenizer(std::move(vocab));
  session->grammars = std::make_shared<GrammarLibrary>(session->tokenizer);
  session->chat_template = ChatTemplate::Create(options.chat_template);
  session->context_length = options.context;
  RunnerLimits limits;
  limits.n_vocab = kFakeVocab;
  limits.max_tokens = options.prefill_chunk + options.max_sequences;
  limits.max_sequences = limits.max_outputs = options.max_sequences;
  limits.page_tokens = 16;
  limits.max_pages_per_sequence = (options.context + 15) / 16;
  limits.n_pages = limits.max_pages_per_sequence * options.max_sequences;
  EngineOptions engine;
  engine.context_length = options.context;
  engine.prefill_chunk = options.prefill_chunk;
  engine.max_queue = options.max_queue;
  session->engine = std::make_unique<Engine>(std::make_unique<FakeRunner>(std::move(controls), limits), engine);
  return session;
}

}  // namespace rf::server::test_util
