#include "server/supervisor/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "server/supervisor/channel.h"
#include "server/supervisor/worker_process.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;

constexpr auto kBeatInterval = std::chrono::milliseconds(200);
constexpr int kExitDevice = 4;

bool IsChannel(int descriptor) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// Nothing is cleaned up: with a lost device that may take for ever, and the system takes everything back.
[[noreturn]] void EndProcess(int code) {
  _exit(code);
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::Create() {
  if (!IsChannel(kWorkerChannel)) {
    return Error{ErrorCode::kInvalidArgument, "is for the processes that `serve` starts itself", "--worker-number"};
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  RF_ASSIGN_OR_RETURN(SharedBoard board, SharedBoard::Adopt(kWorkerChannel + 1));
  return std::unique_ptr<Worker>(new Worker(std::move(board)));
}

std::unique_ptr<Runner> Worker::Watch(std::unique_ptr<Runner> runner) {
  auto watched = std::make_unique<WatchedRunner>(std::move(runner), board_, OnLost);
  runner_ = watched.get();
  return watched;
}

Status Worker::WarmUp(Engine& engine) {
  Request request;
  request.prompt = {0};
  request.max_tokens = 1;
  request.use_prefix_cache = false;
  RF_RETURN_IF_ERROR(engine.Submit(std::move(request)));
  return engine.RunToCompletion();
}

void Worker::OnLost(const Error& error) {
  (void)SendMessage(kWorkerChannel, ChannelMessage::Of(MessageKind::kLost, error));
  EndProcess(kExitDevice);
}

void Worker::Fail(const Error& error) {
  (void)SendMessage(kWorkerChannel, ChannelMessage::Of(MessageKind::kFailed, error));
  EndProcess(kExitDevice);
}

asio::awaitable<void> Worker::Beat(HttpServer& http) {
  asio::steady_timer timer(http.context());
  for (;;) {
    board_.Beat();
    timer.expires_after(kBeatInterval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> Worker::TakeConnections(HttpServer& http) {
  asio::posix::stream_descriptor channel(http.context(), kWorkerChannel);
  for (;;) {
    co_await channel.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
    for (;;) {
      const auto message = ReceiveMessage(kWorkerChannel);
      if (!message) EndProcess(0);  // the supervisor is gone
      if (!*message) break;
      if ((*message)->kind != MessageKind::kConnection) continue;
      const Status adopted = http.Adopt((*message)->descriptor, (*message)->tag);
      if (!adopted) Log(LogLevel::kWarning, adopted.error().message);
    }
  }
}

void Worker::Serve(HttpServer& http) {
  asio::co_spawn(http.context(), Beat(http), asio::detached);
  asio::co_spawn(http.context(), TakeConnections(http), asio::detached);
  (void)SendMessage(kWorkerChannel, {MessageKind::kReady, 0, ErrorCode::kInternal, "", -1});
  http.Run();
}

}  // namespace rf::server
