// The process that runs the model for a supervisor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/result.h"
#include "engine/model_session.h"
#include "server/http/server.h"
#include "server/supervisor/board.h"
#include "server/supervisor/watched_runner.h"

namespace rf::server {

/// A worker's tie to its supervisor: shows steps and beats on the board, serves the connections that come by the
/// channel, and ends the process when the supervisor is gone or the device is lost.
class Worker {
 public:
  /// Takes over the descriptors that WorkerProcess::Start passes on. Signals for the whole process group are ignored
  /// from here on: the supervisor decides. Errors: kInvalidArgument if this is no worker process, kIo.
  static Result<std::unique_ptr<Worker>> Create();

  /// What SessionOptions::wrap_runner does.
  std::unique_ptr<Runner> Watch(std::unique_ptr<Runner> runner);
  /// Computes one token, which tells how long a step takes, and shows that the device does it at all. Errors: the
  /// step's.
  Status WarmUp(Engine& engine);
  /// From the next step on. REQUIRES: Watch() was called.
  void SetFault(const Fault& fault, FailGpu fail_gpu) { runner_->SetFault(fault, std::move(fail_gpu)); }

  /// Tells the supervisor why the model cannot be loaded, and ends the process.
  [[noreturn]] void Fail(const Error& error);
  /// Tells the supervisor that it can be used, and serves until the supervisor is gone.
  void Serve(HttpServer& http);

 private:
  explicit Worker(SharedBoard board) : board_(std::move(board)) {}
  [[noreturn]] static void OnLost(const Error& error);
  boost::asio::awaitable<void> Beat(HttpServer& http);
  boost::asio::awaitable<void> TakeConnections(HttpServer& http);

  SharedBoard board_;
  WatchedRunner* runner_ = nullptr;
};

}  // namespace rf::server
