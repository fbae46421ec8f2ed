#include "server/supervisor/supervisor.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "base/utf8.h"
#include "server/supervisor/exchange.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
using BoostError = boost::system::error_code;
using std::chrono::duration_cast;
using std::chrono::seconds;

// A restart that takes so many times as long as the first start did, and at least this long, counts as a death.
constexpr int kLoadFactor = 10;
constexpr auto kMinLoadLimit = std::chrono::minutes(1);
constexpr auto kTimeoutGrace = seconds(5);  // the worker's own limit comes first
constexpr auto kReapInterval = std::chrono::milliseconds(5);
constexpr auto kReapPatience = seconds(10);
constexpr size_t kMaxTagsInLog = 8;

HttpResponse CodedError(const Error& error, const char* code) {
  HttpResponse response = ErrorResponse(error);
  response.body = DumpJson(ErrorJson(error, code));
  return response;
}

// The breadcrumb: what the worker was doing.
std::string DescribeStep(const StepView& step) {
  if (step.number == 0) return "it had computed nothing";
  const size_t n_tags = std::min(step.tags.size(), kMaxTagsInLog);
  const std::vector<uint64_t> tags(step.tags.begin(), step.tags.begin() + static_cast<std::ptrdiff_t>(n_tags));
  return fmt::format("step {} ({} tokens of {} sequences, requests {}{}) {}", step.number, step.n_tokens,
                     step.n_sequences, fmt::join(tags, ", "), n_tags < step.tags.size() ? ", …" : "",
                     step.is_running ? "was running" : "was done");
}

}  // namespace

Supervisor::Supervisor(asio::io_context& context, SupervisorOptions options)
    : context_(context), options_(std::move(options)) {}

Supervisor::~Supervisor() = default;

uint64_t Supervisor::IdOf(const Exchange& exchange) {
  return exchange.id();
}

Status Supervisor::StartWorker() {
  state_ = State::kStarting;
  started_ = Clock::now();
  ++worker_number_;
  last_words_.clear();
  RF_ASSIGN_OR_RETURN(const auto command, options_.command(worker_number_));
  RF_ASSIGN_OR_RETURN(worker_, WorkerProcess::Start(context_.get_executor(), command));
  return {};
}

Status Supervisor::Start() {
  RF_RETURN_IF_ERROR(StartWorker());
  RF_RETURN_IF_ERROR(AwaitFirstWord());
  OnReady();
  asio::co_spawn(context_, Run(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);  // a supervisor that does not watch must not look alive
  });
  return {};
}

// Not on the event loop: nothing else is to be done meanwhile, and Ctrl-C works as in any program.
Status Supervisor::AwaitFirstWord() {
  for (;;) {
    pollfd event{worker_->channel().native_handle(), POLLIN, 0};
    poll(&event, 1, -1);
    const auto message = worker_->Receive();
    if (!message) break;
    if (!*message) continue;
    if ((*message)->kind == MessageKind::kReady) return {};
    return Error{(*message)->code, (*message)->text, ""};
  }
  std::optional<std::string> end;
  worker_->Kill();
  while (!(end = worker_->Reap())) poll(nullptr, 0, 1);
  return Error{ErrorCode::kDevice, fmt::format("the worker process ended {} while it loaded the model", *end), ""};
}

void Supervisor::OnReady() {
  const auto took = Clock::now() - started_;
  if (worker_number_ == 1) load_limit_ = std::max<Clock::duration>(kLoadFactor * took, kMinLoadLimit);
  if (worker_number_ > 1) {
    Log(LogLevel::kInfo,
        fmt::format("The model is loaded anew, after {:.1f} s", std::chrono::duration<double>(took).count()));
  }
  state_ = State::kReady;
  WakeAll();
}

asio::awaitable<void> Supervisor::Sleep(Clock::duration time) {
  asio::steady_timer timer(context_, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> Supervisor::Run() {
  for (;;) {
    const std::string why = co_await WatchWorker();
    const std::string end = co_await EndWorker();
    std::optional<seconds> delay = OnDeath(why.empty() ? end : fmt::format("{}: {}", end, why));
    for (bool is_started = false; !is_started;) {
      if (!delay) co_return;
      co_await Sleep(*delay);
      if (state_ == State::kStopping) co_return;
      const Status started = StartWorker();
      is_started = started.has_value();
      if (!is_started) delay = OnDeath(started.error().message);
    }
  }
}

bool Supervisor::TakeMessages() {
  for (;;) {
    const auto message = worker_->Receive();
    if (!message) return false;
    if (!*message) return true;
    if ((*message)->kind == MessageKind::kReady && state_ == State::kStarting) OnReady();
    if ((*message)->kind == MessageKind::kFailed || (*message)->kind == MessageKind::kLost) {
      last_words_ = EscapeForMessage((*message)->text, kMaxChannelText);
    }
    if ((*message)->descriptor >= 0) return false;  // workers send none
  }
}

// Why the worker must be ended, or nothing.
std::string Supervisor::Look(Watchdog& watchdog) {
  const auto now = Clock::now();
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange->is_late(now)) exchange->Interrupt();
  }
  if (state_ == State::kStarting && now - started_ > load_limit_) return "it did not load the model in time";
  const StepView step = worker_->board().Read();
  const bool is_serving = state_ == State::kReady;
  switch (watchdog.Look(worker_->board().beats(), step, is_serving)) {
    case Watchdog::Verdict::kSound: break;
    case Watchdog::Verdict::kSilent:
      return fmt::format("it stood still for {} s", duration_cast<seconds>(Watchdog::kSilence).count());
    case Watchdog::Verdict::kStuck: return fmt::format("a step took longer than {} ms", step.allowed_ms);
  }
  return "";
}

asio::awaitable<std::string> Supervisor::WatchWorker() {
  Watchdog watchdog;
  const auto timer = std::make_shared<asio::steady_timer>(context_);
  auto next_look = Clock::now() + Watchdog::kInterval;
  while (TakeMessages()) {
    if (Clock::now() >= next_look) {
      next_look = Clock::now() + Watchdog::kInterval;
      std::string why = Look(watchdog);
      if (!why.empty()) co_return why;
    }
    timer->expires_at(next_look);
    worker_->channel().async_wait(asio::posix::descriptor_base::wait_read, [timer](const BoostError& error) {
      if (!error) timer->cancel();
    });
    BoostError ignored;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    worker_->channel().cancel(ignored);
  }
  co_return last_words_;
}

asio::awaitable<std::string> Supervisor::EndWorker() {
  state_ = state_ == State::kStopping ? state_ : State::kStarting;
  worker_->Kill();
  const auto begin = Clock::now();
  for (bool has_warned = false;;) {
    if (auto end = worker_->Reap()) co_return *end;
    if (!has_warned && Clock::now() - begin > kReapPatience) {
      Log(LogLevel::kWarning, "the worker process was killed and does not end: its driver holds it");
      has_warned = true;
    }
    co_await Sleep(kReapInterval);
  }
}

std::vector<uint64_t> Supervisor::RunningAtDeath(const StepView& step) const {
  std::vector<uint64_t> fingerprints;
  for (const uint64_t tag : step.tags) {
    const auto found = exchanges_.find(tag);
    if (found == exchanges_.end() || found->second->worker() != worker_number_) continue;
    fingerprints.push_back(found->second->fingerprint());
  }
  return fingerprints;
}

std::optional<seconds> Supervisor::OnDeath(const std::string& how) {
  last_end_ = how;
  std::string crumb;
  if (worker_ != nullptr) {
    const StepView step = worker_->board().Read();
    quarantine_.RecordDeath(RunningAtDeath(step));
    crumb = "; " + DescribeStep(step);
    worker_.reset();
  }
  Log(LogLevel::kError, fmt::format("worker process {} ended {}{}", worker_number_, how, crumb));
  ended_worker_ = worker_number_;
  if (state_ == State::kStopping) return std::nullopt;
  const auto delay = policy_.OnDeath(Clock::now());
  if (delay) {
    Log(LogLevel::kInfo, fmt::format("Loading the model anew; {} requests wait", exchanges_.size()));
  } else {
    state_ = State::kGivenUp;
    Log(LogLevel::kError, status().error().message);
  }
  WakeAll();
  return delay;
}

void Supervisor::WakeAll() {
  for (const auto& [id, exchange] : exchanges_) exchange->Wake();
}

void Supervisor::CancelAll() {
  state_ = State::kStopping;
  for (const auto& [id, exchange] : exchanges_) exchange->Interrupt();
}

Status Supervisor::status() const {
  if (state_ != State::kGivenUp) return {};
  return Error{ErrorCode::kDevice,
               fmt::format("the model is not served any more: its process ended {} times within {} minutes, the last "
                           "time {}; restart the server",
                           policy_.n_deaths(), RestartPolicy::kWindow.count(), last_end_),
               ""};
}

Error Supervisor::BrokenOff() const {
  return {ErrorCode::kDevice,
          fmt::format("the answer broke off: the worker process ended {}; send the request again", last_end_), ""};
}

void Supervisor::Add(Exchange& exchange) {
  exchange.set_id(next_id_++);
  exchanges_.emplace(exchange.id(), &exchange);
}

void Supervisor::Remove(Exchange& exchange) {
  exchanges_.erase(exchange.id());
  if (running_suspect_ != exchange.id()) return;
  running_suspect_ = 0;
  WakeAll();
}

void Supervisor::OnAnswered(const Exchange& exchange) {
  quarantine_.Clear(exchange.fingerprint());
}

std::optional<HttpResponse> Supervisor::Refusal(const Exchange& exchange) const {
  if (state_ == State::kStopping)
    return ErrorResponse({ErrorCode::kCancelled, "the request was cancelled: the server is shutting down", ""});
  if (state_ == State::kGivenUp) return CodedError(status().error(), "device_unavailable");
  if (exchange.is_late(Clock::now())) {
    return ErrorResponse({ErrorCode::kTimeout, "the request took longer than the server allows", ""});
  }
  if (quarantine_.IsRefused(exchange.fingerprint())) {
    return CodedError({ErrorCode::kInternal,
                       fmt::format("the worker process ended {} times while it ran this request, the last time {}; it "
                                   "is not run again",
                                   Quarantine::kMaxDeaths, last_end_),
                       ""},
                      "poison_request");
  }
  return std::nullopt;
}

bool Supervisor::MayRun(const Exchange& exchange) {
  if (state_ != State::kReady) return false;
  if (!quarantine_.IsSuspect(exchange.fingerprint())) return true;
  if (running_suspect_ != 0 && running_suspect_ != exchange.id()) return false;
  running_suspect_ = exchange.id();
  return true;
}

HttpResponse Supervisor::NotReady() const {
  const Status unavailable = status();
  nlohmann::ordered_json json = {{"status", unavailable ? "starting" : "error"}};
  if (!unavailable) json["code"] = "device_unavailable";
  if (!last_end_.empty())
    json["message"] = unavailable ? "the worker process ended " + last_end_ : unavailable.error().message;
  return JsonResponse(json, http_status::kUnavailable);
}

asio::awaitable<HandlerResult> Supervisor::Health(const HttpRequest& request) {
  if (!is_ready()) co_return NotReady();
  Exchange::Options options;
  options.is_kept = false;
  const auto executor = co_await asio::this_coro::executor;
  Exchange exchange(executor, *this, request, options);
  auto response = co_await exchange.Begin();
  if (!response || !is_ready()) co_return NotReady();
  co_return *response;
}

asio::awaitable<HandlerResult> Supervisor::Forward(const HttpRequest& request) {
  if (state_ == State::kStarting && exchanges_.size() >= options_.max_waiting) {
    co_return ErrorResponse(
        {ErrorCode::kBusy, "the queue is full, and the model is being loaded; try again later", ""});
  }
  Exchange::Options options;
  options.deadline = Clock::now() + options_.request_timeout + kTimeoutGrace;
  const auto executor = co_await asio::this_coro::executor;
  const auto exchange = std::make_shared<Exchange>(executor, *this, request, options);
  auto response = co_await exchange->Begin();
  if (response) co_return *response;
  StreamBody body = [exchange](EventStream& events) { return exchange->Relay(events); };
  co_return body;
}

Router Supervisor::MakeRouter() {
  Router router;
  for (const char* path : {"/health", "/v1/health"}) {
    router.Add("GET", path, [this](const HttpRequest& request) { return Health(request); });
  }
  router.AddOthers([this](const HttpRequest& request) { return Forward(request); });
  return router;
}

}  // namespace rf::server
