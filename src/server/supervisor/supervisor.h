// The process that clients talk to when the model runs in a process of its own: it holds their connections and
// requests, and starts a new worker process when one ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/result.h"
#include "server/http/router.h"
#include "server/supervisor/quarantine.h"
#include "server/supervisor/restart_policy.h"
#include "server/supervisor/watchdog.h"
#include "server/supervisor/worker_process.h"

namespace rf::server {

class Exchange;

struct SupervisorOptions {
  /// The command line of the worker of a number, for WorkerProcess::Start.
  std::function<Result<std::vector<std::string>>(uint64_t number)> command;
  size_t max_waiting = 520;  ///< requests held while no worker is ready; further ones get 429
  std::chrono::seconds request_timeout{600};
};

/// Lives on the event loop of an HttpServer whose handlers it makes. Goes away before that loop's context.
class Supervisor {
 public:
  using Clock = std::chrono::steady_clock;

  Supervisor(boost::asio::io_context& context, SupervisorOptions options);
  /// Ends the worker. REQUIRES: no handler is left.
  ~Supervisor();

  /// Starts the first worker and waits until it is ready; from then on the event loop watches it. Errors: those of
  /// WorkerProcess::Start; the worker's own, if it cannot load the model; kDevice if it ends without a word.
  Status Start();

  /// Hands every request to the worker; answers /health itself while there is none.
  Router MakeRouter();
  /// Ends all requests with an error: the answer to "stop now".
  void CancelAll();

  /// Requests that are not answered yet.
  size_t n_requests() const { return exchanges_.size(); }
  /// kDevice if it has given up starting workers.
  Status status() const;

  // For exchanges.
  void Add(Exchange& exchange);
  void Remove(Exchange& exchange);
  uint64_t Fingerprint(const HttpRequest& request) const { return quarantine_.Fingerprint(request.path, request.body); }
  /// The answer to a request that is not to be run, or not any more.
  std::optional<HttpResponse> Refusal(const Exchange& exchange) const;
  /// Whether a worker can have the request now. Of the suspects one may run at a time.
  bool MayRun(const Exchange& exchange);
  Result<int> Connect(const Exchange& exchange) { return worker_->Connect(IdOf(exchange)); }
  /// The number of the worker that is there, from 1; of the last one that has ended and been dealt with.
  uint64_t worker_number() const { return worker_number_; }
  uint64_t ended_worker() const { return ended_worker_; }
  bool is_ready() const { return state_ == State::kReady; }
  /// It has its answer: no worker is to be feared for it.
  void OnAnswered(const Exchange& exchange);
  /// What is told to a client whose answer broke off.
  Error BrokenOff() const;

 private:
  enum class State : uint8_t { kStarting, kReady, kGivenUp, kStopping };

  static uint64_t IdOf(const Exchange& exchange);
  Status StartWorker();
  Status AwaitFirstWord();
  /// Returns when the worker has ended or must be ended; why, if it is known.
  boost::asio::awaitable<std::string> WatchWorker();
  boost::asio::awaitable<std::string> EndWorker();
  boost::asio::awaitable<void> Run();
  boost::asio::awaitable<void> Sleep(Clock::duration time);
  /// False: the worker is over.
  bool TakeMessages();
  void OnReady();
  std::string Look(Watchdog& watchdog);
  /// How long to wait for the next start; nothing: never.
  std::optional<std::chrono::seconds> OnDeath(const std::string& how);
  std::vector<uint64_t> RunningAtDeath(const StepView& step) const;
  void WakeAll();
  HttpResponse NotReady() const;
  boost::asio::awaitable<HandlerResult> Forward(const HttpRequest& request);
  boost::asio::awaitable<HandlerResult> Health(const HttpRequest& request);

  boost::asio::io_context& context_;
  const SupervisorOptions options_;
  std::unique_ptr<WorkerProcess> worker_;
  State state_ = State::kStarting;
  uint64_t worker_number_ = 0;
  uint64_t ended_worker_ = 0;
  Clock::time_point started_;
  Clock::duration load_limit_ = Clock::duration::max();
  std::string last_words_;  // the worker's, before it ended
  std::string last_end_;    // how the last one ended
  RestartPolicy policy_;
  Quarantine quarantine_;
  uint64_t next_id_ = 1;
  uint64_t running_suspect_ = 0;             // an exchange's id; 0: none
  std::map<uint64_t, Exchange*> exchanges_;  // in the order in which they came
};

}  // namespace rf::server
