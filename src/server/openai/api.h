// What the endpoints share: the model that is served, the engine, and the workers that read requests.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/log.h"
#include "engine/engine_thread.h"
#include "engine/model_session.h"
#include "server/http/router.h"
#include "server/openai/generation.h"
#include "server/openai/mailbox.h"
#include "text/toolcall/detect.h"

namespace rf::server {

struct ApiOptions {
  std::string model_id;              ///< what `model` is called in answers
  std::vector<std::string> aliases;  ///< further names that requests may use
  std::optional<uint64_t> seed;      ///< of requests that name none; nothing: a random one each time
  std::chrono::seconds request_timeout{600};
  size_t stream_buffer_bytes = 256u << 10;  ///< of one stream, before a client that reads too slowly is given up
};

/// Lives as long as the server runs; used by handlers on the event loop. Goes away before the event loop's context.
class Api {
 public:
  /// Takes the session's engine onto a thread of its own.
  Api(std::unique_ptr<ModelSession> session, ApiOptions options);
  ~Api();

  /// Adds every endpoint of endpoints.def.
  Router MakeRouter();
  /// Ends all requests with an error: the answer to "stop now".
  void CancelAll();

  const ModelSession& session() const { return *session_; }
  const ApiOptions& options() const { return options_; }
  EngineThread& engine() { return *engine_; }
  int64_t created() const { return created_; }  ///< Unix time of the start
  const std::string& fingerprint() const { return fingerprint_; }
  /// How the model writes its replies.
  const ReplyStyle& reply_style() const { return reply_style_; }
  /// The control tokens, ascending, that are part of that.
  const std::shared_ptr<const std::vector<TokenId>>& reply_markers() const { return reply_markers_; }

  /// Success if requests may call the model by this name (or by none). Errors: kNotFound.
  Status CheckModel(const std::string& name) const;

  /// Runs `work` (returning a Result<T>) on a worker, since parsing, templates and tokenizing may take long. `work`
  /// must own what it uses, but for the Api. Errors: kBusy if very much is waiting.
  template <typename Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> OnWorker(Work work);

  /// As Generation::Start; CancelAll() reaches it until it goes away.
  Result<std::shared_ptr<Generation>> Generate(const boost::asio::any_io_executor& executor,
                                               const GenerationParams& params, GenerationJob job);

 private:
  static constexpr int kMaxWaitingWork = 512;

  std::unique_ptr<ModelSession> session_;
  ApiOptions options_;
  std::unique_ptr<EngineThread> engine_;
  int64_t created_;
  std::string fingerprint_;
  ReplyStyle reply_style_;
  std::shared_ptr<const std::vector<TokenId>> reply_markers_;
  std::set<Generation*> generations_;
  std::atomic<int> n_waiting_work_ = 0;
  boost::asio::thread_pool workers_{2};
};

template <typename Work>
boost::asio::awaitable<std::invoke_result_t<Work>> Api::OnWorker(Work work) {
  using Outcome = std::invoke_result_t<Work>;
  if (n_waiting_work_ >= kMaxWaitingWork) co_return Error{ErrorCode::kBusy, "too many requests; try again later", ""};
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto box = std::make_shared<Mailbox<std::optional<Outcome>>>(executor);
  ++n_waiting_work_;
  boost::asio::post(workers_, [this, box, work = std::move(work)]() mutable {
    std::optional<Outcome> outcome;
    try {
      outcome = work();
    } catch (const std::bad_alloc&) {
      outcome = Error{ErrorCode::kOutOfMemory, "not enough memory for this request", ""};
    } catch (const std::exception& error) {
      outcome = Error{ErrorCode::kInternal, "internal error while reading the request", ""};
      Log(LogLevel::kError, error.what());
    }
    --n_waiting_work_;
    box->Update([&](std::optional<Outcome>& value) { value = std::move(outcome); });
  });
  auto taken = co_await box->Take(std::chrono::steady_clock::time_point::max());
  co_return std::move(**taken);
}

#define RF_ENDPOINT(Name) void Add##Name##Endpoint(Router& router, Api& api);
#include "server/openai/endpoints.def"
#undef RF_ENDPOINT

/// A new id such as "chatcmpl-4f…": `prefix` and 24 random digits.
std::string NewId(const char* prefix);

/// Unix time in seconds.
int64_t UnixTime();

/// {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details": {"cached_tokens"}}.
class Usage {
 public:
  /// Adds a finished choice; each prompt counts once, with its first choice.
  void Add(const RequestResult& result, bool is_first_of_prompt);
  nlohmann::ordered_json ToJson() const;

 private:
  int64_t n_prompt_ = 0, n_cached_ = 0, n_generated_ = 0;
};

/// "stop" or "length".
const char* FinishReasonName(const ChoiceUpdate& update);

}  // namespace rf::server
