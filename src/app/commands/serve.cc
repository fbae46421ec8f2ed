// `serve`: an OpenAI-compatible HTTP server.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
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

namespace rf::app {
namespace {

using server::Api;
using server::ApiOptions;
using server::HttpLimits;
using server::HttpServer;

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
};

// Allows as many open files as the system lets us, and no more connections than fit.
void FitConnections(HttpLimits& limits) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, kWantedFiles));
  setrlimit(RLIMIT_NOFILE, &files);
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const rlim_t places = files.rlim_cur > 2 * kFilesForOthers ? files.rlim_cur - kFilesForOthers : files.rlim_cur / 2;
  if (places < static_cast<rlim_t>(limits.max_connections)) {
    limits.max_connections = static_cast<int>(places);
    Log(LogLevel::kWarning,
        fmt::format("at most {} connections at once: only {} files may be open (ulimit -n)", places, files.rlim_cur));
  }
}

Result<std::unique_ptr<HttpServer>> BindServer(const ServeOptions& options) {
  HttpLimits limits;
  FitConnections(limits);
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
  Stopper(HttpServer& http, Api& api, std::chrono::seconds drain_timeout)
      : http_(http), api_(api), drain_timeout_(drain_timeout), signals_(http.context(), SIGINT, SIGTERM) {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) Drain();
    });
  }

  bool was_forced() const { return was_forced_; }

 private:
  void Drain() {
    const EngineStats stats = api_.engine().stats();
    if (stats.n_running + stats.n_waiting > 0) {
      Log(LogLevel::kInfo, fmt::format("Finishing {} requests (at most {} s); once more stops at once",
                                       stats.n_running + stats.n_waiting, drain_timeout_.count()));
    }
    http_.Drain(drain_timeout_, [this] { api_.CancelAll(); });
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      was_forced_ = true;
      http_.Stop();
    });
  }

  HttpServer& http_;
  Api& api_;
  std::chrono::seconds drain_timeout_;
  boost::asio::signal_set signals_;
  bool was_forced_ = false;
};

Status RunServe(const ServeOptions& options) {
  // The port first: that it is taken should not cost the time of loading a model. The server also has to go last.
  RF_ASSIGN_OR_RETURN(const auto http, BindServer(options));
  RF_ASSIGN_OR_RETURN(OpenedModel opened, OpenSession(options.model));
  const ApiOptions api_options = MakeApiOptions(options, *opened.session);
  Api api(std::move(opened.session), api_options);
  RF_RETURN_IF_ERROR(http->Listen(api.MakeRouter()));
  Stopper stopper(*http, api, std::chrono::seconds(options.drain_timeout));
  PrintReady(http->address(), api_options.model_id);
  http->Run();
  if (stopper.was_forced()) return Error{ErrorCode::kCancelled, "stopped before all requests were answered", ""};
  return {};
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
  command.footer("Exit codes: 0 stopped by a signal, 130 stopped by a second one, 6 port in use; see docs/server.md.");
}

}  // namespace

void AddServeCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<ServeOptions>(root, chosen, "serve", "Serve a model over an OpenAI-compatible HTTP API", Setup, RunServe);
}

}  // namespace rf::app
