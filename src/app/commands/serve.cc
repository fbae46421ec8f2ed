// `serve`: an OpenAI-compatible HTTP server.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/commands/command.h"
#include "app/model_options.h"
#include "app/option_range.h"
#include "base/log.h"
#include "base/utf8.h"
#include "server/http/server.h"
#include "server/openai/api.h"
#include "server/supervisor/supervisor.h"
#include "server/supervisor/worker.h"

namespace rf::app {
namespace {

using server::Api;
using server::ApiOptions;
using server::HttpLimits;
using server::HttpServer;
using server::Supervisor;
using server::Worker;

constexpr rlim_t kWantedFiles = 16384;
constexpr rlim_t kFilesForOthers = 64;  // the model, the terminal, libraries
constexpr int kMaxSeconds = 86'400;
constexpr int kMaxParallel = 1024;
constexpr int kMaxQueue = 1'000'000;

struct ServeOptions {
  ModelOptions model;
  std::string host = "127.0.0.1";
  uint16_t port = 8080;
  std::string alias;
  int drain_timeout = 30;
  int request_timeout = 600;
  bool is_insecure = false;
  std::string supervise = "auto";
  uint64_t worker_number = 0;  // of a worker process; 0: it is none
};

// Whether the model runs in a process of its own.
bool IsSupervised(const ServeOptions& options) {
  if (options.supervise != "auto") return options.supervise == "on";
  return options.model.session.gpu_layers != 0 && MayGiveGpu(options.model.devices);
}

// Allows as many open files as the system lets us, and no more connections than fit. A supervisor has a socket to its
// worker for each of them.
void FitConnections(bool is_supervised, HttpLimits& limits) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, kWantedFiles));
  setrlimit(RLIMIT_NOFILE, &files);
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const rlim_t n_files = files.rlim_cur > 2 * kFilesForOthers ? files.rlim_cur - kFilesForOthers : files.rlim_cur / 2;
  const rlim_t places = is_supervised ? n_files / 2 : n_files;
  if (places < static_cast<rlim_t>(limits.max_connections)) {
    limits.max_connections = static_cast<int>(places);
    Log(LogLevel::kWarning,
        fmt::format("at most {} connections at once: only {} files may be open (ulimit -n)", places, files.rlim_cur));
  }
}

Result<std::unique_ptr<HttpServer>> BindServer(const ServeOptions& options) {
  HttpLimits limits;
  FitConnections(IsSupervised(options), limits);
  RF_ASSIGN_OR_RETURN(auto http, HttpServer::Bind(options.host, options.port, limits));
  if (http->is_local()) return http;
  if (!options.is_insecure) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--host {} lets other machines connect, and there are no API keys yet; --insecure agrees",
                             EscapeForMessage(options.host, 60)),
                 ""};
  }
  Log(LogLevel::kWarning, "anyone who can reach this machine can use this server: there are no API keys yet");
  return http;
}

// What the user typed names the model best: a name, or a file's stem.
std::string ModelId(const ServeOptions& options) {
  if (!options.alias.empty()) return options.alias;
  const std::string& typed = options.model.model;
  return ReplaceInvalidUtf8(typed.ends_with(".gguf") ? std::filesystem::path(typed).stem().string() : typed);
}

ApiOptions MakeApiOptions(const ServeOptions& options, const ModelSession& session) {
  ApiOptions api;
  api.model_id = ModelId(options);
  api.aliases = {session.name, options.model.model};
  api.seed = options.model.seed;
  api.request_timeout = std::chrono::seconds(options.request_timeout);
  return api;
}

void PrintReady(const std::string& address, const std::string& model_id) {
  const std::string model = EscapeForMessage(model_id, 120);
  fmt::print("{} is served at http://{}/v1 (Ctrl-C stops)\n", model, address);
  std::fflush(stdout);
  fmt::print(stderr,
             "Try:  curl http://{}/v1/chat/completions -H 'Content-Type: application/json' \\\n"
             "        -d '{{\"model\": \"{}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n",
             address, model);
}

// The first SIGINT or SIGTERM drains, the second one stops at once.
class Stopper {
 public:
  struct Requests {
    std::function<size_t()> count;
    std::function<void()> cancel_all;
  };

  Stopper(HttpServer& http, Requests requests, std::chrono::seconds drain_timeout)
      : http_(http),
        requests_(std::move(requests)),
        drain_timeout_(drain_timeout),
        signals_(http.context(), SIGINT, SIGTERM) {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) Drain();
    });
  }

  Status status() const {
    if (!was_forced_) return {};
    return Error{ErrorCode::kCancelled, "stopped before all requests were answered", ""};
  }

 private:
  void Drain() {
    if (const size_t n_requests = requests_.count(); n_requests > 0) {
      Log(LogLevel::kInfo, fmt::format("Finishing {} requests (at most {} s); once more stops at once", n_requests,
                                       drain_timeout_.count()));
    }
    http_.Drain(drain_timeout_, requests_.cancel_all);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      was_forced_ = true;
      http_.Stop();
    });
  }

  HttpServer& http_;
  Requests requests_;
  std::chrono::seconds drain_timeout_;
  boost::asio::signal_set signals_;
  bool was_forced_ = false;
};

size_t CountRequests(Api& api) {
  const EngineStats stats = api.engine().stats();
  return static_cast<size_t>(stats.n_running + stats.n_waiting);
}

Status ServeInOneProcess(const ServeOptions& options, HttpServer& http) {
  RF_ASSIGN_OR_RETURN(OpenedModel opened, OpenSession(options.model));
  const ApiOptions api_options = MakeApiOptions(options, *opened.session);
  Api api(std::move(opened.session), api_options);
  RF_RETURN_IF_ERROR(http.Listen(api.MakeRouter()));
  Stopper stopper(http, {[&] { return CountRequests(api); }, [&] { api.CancelAll(); }},
                  std::chrono::seconds(options.drain_timeout));
  PrintReady(http.address(), api_options.model_id);
  http.Run();
  return stopper.status();
}

Status Supervise(const ServeOptions& options, HttpServer& http) {
  server::SupervisorOptions supervisor_options;
  supervisor_options.command = [](uint64_t number) {
    return server::OwnCommand("serve", fmt::format("--worker-number={}", number));
  };
  const SessionOptions& session = options.model.session;
  supervisor_options.max_waiting = static_cast<size_t>(session.max_queue) + static_cast<size_t>(session.max_sequences);
  supervisor_options.request_timeout = std::chrono::seconds(options.request_timeout);
  Supervisor supervisor(http.context(), supervisor_options);
  RF_RETURN_IF_ERROR(supervisor.Start());
  RF_RETURN_IF_ERROR(http.Listen(supervisor.MakeRouter()));
  Stopper stopper(http, {[&] { return supervisor.n_requests(); }, [&] { supervisor.CancelAll(); }},
                  std::chrono::seconds(options.drain_timeout));
  PrintReady(http.address(), ModelId(options));
  http.Run();
  RF_RETURN_IF_ERROR(stopper.status());
  return supervisor.status();
}

// For tests; see docs/server.md.
Status SetFault(const ServeOptions& options, const Device& device, Worker& worker) {
  const char* text = std::getenv("ROCMFORGE_FAULT");
  if (text == nullptr || *text == '\0') return {};
  RF_ASSIGN_OR_RETURN(const server::Fault fault, server::ParseFault(text));
  if (fault.worker != 0 && fault.worker != options.worker_number) return {};
  worker.SetFault(fault, [&device](bool never_ends) { return FailDevice(device.properties(), never_ends); });
  return {};
}

Result<OpenedModel> OpenInWorker(ModelOptions model, Worker& worker) {
  model.session.wrap_runner = [&worker](std::unique_ptr<Runner> runner) { return worker.Watch(std::move(runner)); };
  RF_ASSIGN_OR_RETURN(OpenedModel opened, OpenSession(model));
  RF_RETURN_IF_ERROR(worker.WarmUp(*opened.session->engine));
  return opened;
}

// What a worker process does. Its errors reach people through its supervisor.
Status RunWorker(const ServeOptions& options) {
  RF_ASSIGN_OR_RETURN(const auto worker, Worker::Create());
  const auto http = HttpServer::Unbound({});
  auto opened = OpenInWorker(options.model, *worker);
  if (!opened) worker->Fail(opened.error());
  const Status fault_set = SetFault(options, opened->DeviceInUse(), *worker);
  if (!fault_set) worker->Fail(fault_set.error());
  const ApiOptions api_options = MakeApiOptions(options, *opened->session);
  Api api(std::move(opened->session), api_options);
  RF_RETURN_IF_ERROR(http->Listen(api.MakeRouter()));
  worker->Serve(*http);
  return {};
}

Status RunServe(const ServeOptions& options) {
  if (options.worker_number > 0) return RunWorker(options);
  // The port first: that it is taken should not cost the time of loading a model. The server also has to go last.
  RF_ASSIGN_OR_RETURN(const auto http, BindServer(options));
  return IsSupervised(options) ? Supervise(options, *http) : ServeInOneProcess(options, *http);
}

void Setup(CLI::App& command, ServeOptions& options) {
  options.model.model = "smollm2";
  options.model.session.max_sequences = 8;
  // Rows for the logits of echoed prompts, beside one for each request's next token.
  options.model.session.max_outputs = 32;
  AddModelOptions(command, options.model)->required(false)->description("GGUF file or name (default smollm2)");
  command.add_option("--host", options.host,
                     "IP address to listen on (default 127.0.0.1: this machine only; 0.0.0.0: all)");
  command.add_option("--port", options.port, "port (default 8080; 0: any free one)")->check(AcceptIn(0, 65535));
  command.add_option("--parallel", options.model.session.max_sequences, "requests that run at once (default 8)")
      ->check(AcceptIn(1, kMaxParallel));
  command
      .add_option("--max-queue", options.model.session.max_queue,
                  "requests that may wait; further ones get 429 (default 512)")
      ->check(AcceptIn(1, kMaxQueue));
  command.add_option("--alias", options.alias, "the model's name for clients (default: as it was typed)");
  command.add_option("--request-timeout", options.request_timeout, "seconds for one request at most (default 600)")
      ->check(AcceptIn(1, kMaxSeconds));
  command
      .add_option("--drain-timeout", options.drain_timeout,
                  "seconds that requests may go on after Ctrl-C or SIGTERM (default 30)")
      ->check(AcceptIn(0, kMaxSeconds));
  command.add_flag("--insecure", options.is_insecure, "allow a --host that other machines can reach, without API keys");
  command
      .add_option("--supervise", options.supervise,
                  "run the model in a process of its own, which is started anew when it fails (default auto: on a GPU)")
      ->check(CLI::IsMember({"auto", "on", "off"}));
  command.add_option("--worker-number", options.worker_number)->group("");
  command.footer(
      "Exit codes: 0 stopped by a signal, 130 stopped by a second one, 4 device lost, 6 port in use; see "
      "docs/server.md.");
}

}  // namespace

void AddServeCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<ServeOptions>(root, chosen, "serve", "Serve a model over an OpenAI-compatible HTTP API", Setup, RunServe);
}

}  // namespace rf::app
