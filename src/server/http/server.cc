#include "server/http/server.h"

#include <unistd.h>

#include <exception>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "base/utf8.h"
#include "server/http/connection.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAcceptRetryDelay = std::chrono::milliseconds(100);
constexpr auto kLogInterval = std::chrono::seconds(1);
constexpr auto kForcedCloseDelay = std::chrono::seconds(1);
// Keeps what a client that reads slowly can make the system hold in the range of what we hold ourselves.
constexpr int kSendBufferBytes = 128 << 10;

Error BindError(const std::string& host, uint16_t port, const boost::system::error_code& error) {
  const std::string what =
      error == asio::error::address_in_use ? fmt::format("port {} is in use", port) : error.message();
  return {ErrorCode::kIo, fmt::format("cannot listen on {}:{}: {}", EscapeForMessage(host, 60), port, what), ""};
}

}  // namespace

HttpServer::HttpServer(const HttpLimits& limits) : acceptor_(context_), drain_timer_(context_) {
  state_.limits = limits;
}

Result<std::unique_ptr<HttpServer>> HttpServer::Bind(const std::string& host, uint16_t port, const HttpLimits& limits) {
  std::unique_ptr<HttpServer> server(new HttpServer(limits));
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--host must be an IP address or localhost, not '{}'", EscapeForMessage(host, 60)), ""};
  }
  const tcp::endpoint endpoint(address, port);
  tcp::acceptor& acceptor = server->acceptor_;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (error) return BindError(host, port, error);
  server->state_.local_only = address.is_loopback();
  return server;
}

std::unique_ptr<HttpServer> HttpServer::Unbound(const HttpLimits& limits) {
  return std::unique_ptr<HttpServer>(new HttpServer(limits));
}

Status HttpServer::Adopt(int socket, uint64_t tag) {
  Socket adopted(context_);
  boost::system::error_code error;
  adopted.assign(asio::generic::stream_protocol(AF_UNIX, 0), socket, error);
  if (error) {
    close(socket);
    return Error{ErrorCode::kIo, fmt::format("cannot serve a socket: {}", error.message()), ""};
  }
  if (!Start(std::move(adopted), tag)) return Error{ErrorCode::kOutOfMemory, "not enough memory for a connection", ""};
  return {};
}

std::string HttpServer::address() const {
  boost::system::error_code ignored;
  const auto endpoint = acceptor_.local_endpoint(ignored);
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

Status HttpServer::Listen(Router router) {
  state_.router = std::move(router);
  if (!acceptor_.is_open()) return {};
  const auto endpoint = acceptor_.local_endpoint();
  boost::system::error_code error;
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return BindError(endpoint.address().to_string(), endpoint.port(), error);
  return {};
}

// False: there is no memory for a connection; the socket is closed, and accepting goes on.
bool HttpServer::Start(Socket socket, uint64_t tag) {
  try {
    asio::co_spawn(context_, ServeClient(std::move(socket), tag), asio::detached);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

asio::awaitable<void> HttpServer::AcceptLoop() {
  std::chrono::steady_clock::time_point logged{};
  asio::steady_timer timer(context_);
  while (!state_.is_draining) {
    // Out of descriptors or over the limit: the backlog waits until somebody leaves.
    boost::system::error_code error;
    std::string problem = "too many connections";
    if (state_.connections.size() < static_cast<size_t>(state_.limits.max_connections)) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || state_.is_draining) co_return;
      if (!error && Start(Socket(std::move(socket)), 0)) continue;
      problem = error ? fmt::format("cannot accept: {}", error.message()) : "not enough memory for a connection";
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - logged >= kLogInterval) {
      Log(LogLevel::kWarning, problem);
      logged = now;
    }
    timer.expires_after(kAcceptRetryDelay);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> HttpServer::ServeClient(Socket socket, uint64_t tag) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  try {
    Connection connection(std::move(socket), tag, state_);
    co_await connection.Serve();
  } catch (const std::exception& error) {
    // A broken connection ends here; it must not end the server.
    Log(LogLevel::kDebug, fmt::format("connection ended: {}", error.what()));
  }
  StopIfDrained();
}

void HttpServer::Run() {
  // A server that does not accept any more must not look alive.
  if (acceptor_.is_open()) {
    asio::co_spawn(context_, AcceptLoop(), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
  }
  try {
    context_.run();
  } catch (...) {
    EndConnections();
    throw;
  }
}

void HttpServer::EndConnections() {
  drain_timer_.cancel();
  for (bool is_over = false; !is_over;) {
    try {
      BeginDrain();
      CloseConnections();
      context_.run();
      is_over = true;
    } catch (const std::exception& error) {
      Log(LogLevel::kError, fmt::format("while ending connections: {}", error.what()));
    }
  }
}

void HttpServer::BeginDrain() {
  state_.is_draining = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (Connection* connection : state_.connections) connection->CloseIfIdle();
  StopIfDrained();
}

void HttpServer::CloseConnections() {
  for (Connection* connection : state_.connections) connection->Close();
}

void HttpServer::StopIfDrained() {
  if (state_.is_draining && state_.connections.empty()) context_.stop();
}

void HttpServer::Drain(std::chrono::milliseconds timeout, std::function<void()> on_timeout) {
  asio::post(context_, [this, timeout, on_timeout = std::move(on_timeout)] {
    BeginDrain();
    drain_timer_.expires_after(timeout);
    drain_timer_.async_wait([this, on_timeout](const boost::system::error_code& error) {
      if (error) return;
      on_timeout();
      drain_timer_.expires_after(kForcedCloseDelay);
      drain_timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) CloseConnections();
      });
    });
  });
}

void HttpServer::Stop() {
  asio::post(context_, [this] {
    drain_timer_.cancel();
    BeginDrain();
    CloseConnections();
  });
}

}  // namespace rf::server
