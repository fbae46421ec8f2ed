#include "server/http/server.h"

#include <fmt/format.h>
#include <chrono>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "base/utf8.h"
#include "server/http/connection.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAcceptRetryDelay = std::chrono::milliseconds(200);

Error BindError(const std::string& host, uint16_t port, const boost::system::error_code& error) {
  const std::string what =
      error == asio::error::address_in_use ? fmt::format("port {} is in use", port) : error.message();
  return {ErrorCode::kIo, fmt::format("cannot listen on {}:{}: {}", EscapeForMessage(host, 60), port, what), ""};
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(const std::string& host, uint16_t port, Router router,
                                                       const HttpLimits& limits) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(router), limits));
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
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return BindError(host, port, error);
  return server;
}

std::string HttpServer::address() const {
  const auto endpoint = acceptor_.local_endpoint();
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

asio::awaitable<void> HttpServer::AcceptLoop() {
  for (;;) {
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error || n_connections_ >= limits_.max_connections) {
      // Out of descriptors or over the limit: let the backlog wait until somebody leaves.
      Log(LogLevel::kWarning, error ? "cannot accept: " + error.message() : "too many connections");
      socket.close(error);
      asio::steady_timer timer(context_, kAcceptRetryDelay);
      co_await timer.async_wait(asio::use_awaitable);
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);
    ++n_connections_;
    asio::co_spawn(context_, ServeConnection(std::move(socket), router_, limits_),
                   [this](const std::exception_ptr&) { --n_connections_; });
  }
}

void HttpServer::Run() {
  asio::co_spawn(context_, AcceptLoop(), asio::detached);
  context_.run();
}

void HttpServer::Stop() {
  asio::post(context_, [this] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    context_.stop();
  });
}

}  // namespace rf::server
