// All choices of one HTTP request on their way through the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "engine/engine_thread.h"
#include "engine/request.h"
#include "server/openai/choice_text.h"
#include "server/openai/generation_params.h"
#include "server/openai/mailbox.h"
#include "text/grammar/matcher.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::server {

/// What a choice has produced since the last time.
struct ChoiceUpdate {
  TextPiece piece;
  std::vector<GeneratedToken> prompt_tokens;  ///< log-probabilities of the prompt, where asked for
  bool is_finished = false;
  bool is_stopped_by_text = false;
  RequestResult result;  ///< if finished
};

/// What is asked for, beside GenerationParams.
struct GenerationJob {
  std::vector<std::vector<TokenId>> prompts;                ///< each gives params.n choices: choice p * n + i
  bool is_chat = false;                                     ///< the answer begins a text of its own
  std::shared_ptr<const grammar::CompiledGrammar> grammar;  ///< that every choice must match; null: none
  bool wants_prompt_logprobs = false;
  std::shared_ptr<const std::vector<TokenId>> shown_controls;  ///< see ChoiceText
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  uint64_t tag = 0;              ///< Request::tag of all choices
  size_t max_waiting_bytes = 0;  ///< of updates that nobody takes, before the request is given up; 0: no limit
};

/// Lives on the event loop; going away cancels what is not finished.
class Generation {
 public:
  using Updates = std::map<size_t, ChoiceUpdate>;

  /// Submits all choices. The choices of one prompt take successive seeds. Errors: those of EngineThread::SubmitAll;
  /// then nothing runs. REQUIRES: `engine`, `tokenizer` and the executor's context outlive it.
  static Result<std::unique_ptr<Generation>> Start(EngineThread& engine, const Tokenizer& tokenizer,
                                                   const boost::asio::any_io_executor& executor,
                                                   const GenerationParams& params, GenerationJob job);
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  /// Waits for something to happen. REQUIRES: !is_done(). Errors, after which it is over: those that a choice ended
  /// with, kTimeout (deadline), kBusy (max_waiting_bytes), kCancelled.
  boost::asio::awaitable<Result<Updates>> Next();
  /// Whether all choices are finished.
  bool is_done() const { return n_finished_ == ids_.size(); }
  /// Ends all choices; Next() then tells kCancelled.
  void Cancel();

 private:
  // What the engine's thread and the event loop share.
  struct Inbox {
    Updates updates;
    size_t n_bytes = 0;
    bool is_overfull = false;
  };
  struct Choice;

  Generation(EngineThread& engine, const boost::asio::any_io_executor& executor, GenerationJob job)
      : engine_(engine), job_(std::move(job)), inbox_(std::make_shared<Mailbox<Inbox>>(executor)) {}
  Request MakeRequest(const Tokenizer& tokenizer, const GenerationParams& params, size_t index) const;
  Result<Updates> Check(std::optional<Inbox> inbox);

  EngineThread& engine_;
  GenerationJob job_;
  std::shared_ptr<Mailbox<Inbox>> inbox_;
  std::vector<RequestId> ids_;
  std::vector<bool> is_finished_;
  size_t n_finished_ = 0;
};

}  // namespace rf::server
