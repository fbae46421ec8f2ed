#include "engine/engine_thread.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rf {

// Callers leave their wishes in a mailbox that the engine's thread empties between steps, so that no call waits for a
// step. What Submit() has to answer at once is decided by the engine's limits, which never change, and by its
// statistics as of the last step plus what lies in the mailbox.
struct EngineThread::State {
  explicit State(std::unique_ptr<Engine> owned)
      : engine(std::move(owned)), options(engine->options()), limits(engine->limits()), stats(engine->stats()) {}

  /// A request, or the wish that an earlier one be cancelled.
  struct Mail {
    RequestId id;
    std::optional<Request> request;
  };

  void Loop();
  void Handle(Mail mail);
  void Begin(RequestId id, Request request);
  void CancelAll();
  void RefuseRest();

  const std::unique_ptr<Engine> engine;                 ///< the thread's alone
  std::unordered_map<RequestId, RequestId> engine_ids;  ///< the thread's alone: our ids to the engine's
  const EngineOptions options;
  const RunnerLimits limits;

  mutable std::mutex mutex;  ///< guards what follows
  std::condition_variable wake;
  std::vector<Mail> mailbox;
  EngineStats stats;  ///< as of the last step, plus the waiting requests of the mailbox
  Status health;
  RequestId next_id = 1;
  bool is_stopping = false;

  std::thread thread;
};

EngineThread::EngineThread(std::unique_ptr<Engine> engine) : state_(std::make_unique<State>(std::move(engine))) {
  state_->thread = std::thread([state = state_.get()] { state->Loop(); });
}

EngineThread::~EngineThread() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->wake.notify_one();
  state_->thread.join();
}

Result<RequestId> EngineThread::Submit(Request request) {
  std::vector<Request> requests;
  requests.push_back(std::move(request));
  RF_ASSIGN_OR_RETURN(const auto ids, SubmitAll(std::move(requests)));
  return ids[0];
}

Result<std::vector<RequestId>> EngineThread::SubmitAll(std::vector<Request> requests) {
  for (const Request& request : requests) {
    RF_RETURN_IF_ERROR(CheckRequest(request, state_->limits, state_->options));
  }
  std::vector<RequestId> ids;
  ids.reserve(requests.size());
  {
    const std::lock_guard lock(state_->mutex);
    RF_RETURN_IF_ERROR(CheckQueue(requests, state_->stats, state_->limits, state_->options));
    state_->mailbox.reserve(state_->mailbox.size() + requests.size());  // what follows cannot fail half-way
    for (Request& request : requests) {
      ++state_->stats.n_waiting;
      state_->stats.n_waiting_tokens += static_cast<int64_t>(request.prompt.size());
      ids.push_back(state_->next_id++);
      state_->mailbox.push_back({ids.back(), std::move(request)});
    }
  }
  state_->wake.notify_one();
  return ids;
}

void EngineThread::Cancel(RequestId id) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->mailbox.push_back({id, std::nullopt});
  }
  state_->wake.notify_one();
}

EngineStats EngineThread::stats() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stats;
}

Status EngineThread::health() const {
  const std::lock_guard lock(state_->mutex);
  return state_->health;
}

void EngineThread::State::Loop() {
  for (bool stop = false; !stop;) {
    std::vector<Mail> mails;
    {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return is_stopping || !mailbox.empty() || engine->HasWork(); });
      mails.swap(mailbox);
      stop = is_stopping;
    }
    for (Mail& mail : mails) Handle(std::move(mail));
    if (stop) CancelAll();
    const Status status = engine->Step();

    const std::lock_guard lock(mutex);
    const uint64_t n_steps = stats.n_steps;
    stats = engine->stats();
    for (const Mail& mail : mailbox) {
      if (!mail.request) continue;
      ++stats.n_waiting;
      stats.n_waiting_tokens += static_cast<int64_t>(mail.request->prompt.size());
    }
    // A call that had nothing to compute says nothing about the device.
    if (!status || stats.n_steps != n_steps) health = status;
  }
  RefuseRest();
}

void EngineThread::State::Handle(Mail mail) {
  if (mail.request) {
    Begin(mail.id, std::move(*mail.request));
  } else if (const auto found = engine_ids.find(mail.id); found != engine_ids.end()) {
    engine->Cancel(found->second);
  }
}

void EngineThread::State::Begin(RequestId id, Request request) {
  std::function<void(const RequestResult&)> on_finish = [](const RequestResult&) {};
  if (request.on_finish) on_finish = std::move(request.on_finish);
  try {
    RequestId& engine_id = engine_ids[id];
    request.on_finish = [this, id, on_finish](const RequestResult& result) {
      engine_ids.erase(id);
      on_finish(result);
    };
    engine_id = engine->Enqueue(std::move(request));
  } catch (const std::exception&) {
    engine_ids.erase(id);
    RequestResult result;
    result.reason = FinishReason::kError;
    result.error = Error{ErrorCode::kOutOfMemory, "no memory", ""};
    on_finish(result);
  }
}

// What came in after the last look at the mailbox is answered too.
void EngineThread::State::RefuseRest() {
  const std::lock_guard lock(mutex);
  RequestResult result;
  result.reason = FinishReason::kCancelled;
  for (Mail& mail : mailbox) {
    if (mail.request && mail.request->on_finish) mail.request->on_finish(result);
  }
  mailbox.clear();
}

void EngineThread::State::CancelAll() {
  for (const auto& [id, engine_id] : engine_ids) engine->Cancel(engine_id);
}

}  // namespace rf
