// The HTTP/1.1 server: Boost.Beast connections as coroutines on one event loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "server/http/head_check.h"
#include "server/http/router.h"

namespace rf::server {

/// Limits on what clients may send and hold.
struct HttpLimits {
  HeadLimits head;
  uint64_t body_bytes = 32u << 20;
  uint64_t all_bodies_bytes = 512u << 20;  ///< bodies held at one time by all connections together
  int header_seconds = 10;                 ///< from the connection, or a request's first byte, to the end of its head
  int body_idle_seconds = 15;              ///< without a byte of the body
  int body_rate = 1024;                    ///< bytes of the body for each second at least, after body_idle_seconds
  int keep_alive_seconds = 75;             ///< idle between requests
  int write_stall_seconds = 30;            ///< a client that does not take 16 KiB within this time is cut
  size_t pipelined_bytes = 64u << 10;      ///< read ahead while a request is being answered
  int max_connections = 4096;
};

class Connection;

/// What all connections of a server share; touched by the event loop only.
struct ServerState {
  Router router;
  HttpLimits limits;
  bool local_only = false;  ///< bound to a loopback address: Host must name this machine
  bool is_draining = false;
  uint64_t body_bytes_held = 0;
  std::set<Connection*> connections;
};

class HttpServer {
 public:
  /// Binds. port 0 lets the system choose. Errors: kInvalidArgument (host), kIo ("port 8080 is in use").
  static Result<std::unique_ptr<HttpServer>> Bind(const std::string& host, uint16_t port, const HttpLimits& limits);

  /// A server without an address of its own: connections come by Adopt() only. Listen() just takes the router then.
  static std::unique_ptr<HttpServer> Unbound(const HttpLimits& limits);
  /// Serves a connected stream socket, which the server closes; its requests carry `tag`. Errors: kIo. On the event
  /// loop.
  Status Adopt(int socket, uint64_t tag);

  /// "127.0.0.1:8080", with the port that was chosen.
  std::string address() const;
  /// Whether only this machine can connect.
  bool is_local() const { return state_.local_only; }

  /// Begins to accept connections. Errors: kIo.
  Status Listen(Router router);
  /// Serves until the end of Drain() or Stop(). Runs on the calling thread. However it ends, also by an exception (no
  /// memory, a bug), no connection and no handler is left, so what handlers use may go before the server. REQUIRES:
  /// Listen() succeeded.
  void Run();

  /// Stops accepting, closes idle connections, answers new requests on others with 503, and lets Run() return as soon
  /// as all requests are answered. After `timeout` calls `on_timeout` (on the event loop), which should make the
  /// handlers finish; a second later the remaining connections are closed. Safe from any thread.
  void Drain(std::chrono::milliseconds timeout, std::function<void()> on_timeout);
  /// Closes all connections, which cancels their handlers, and makes Run() return. Safe from any thread.
  void Stop();

  /// On the event loop, or when it does not run: whether Drain() or Stop() was called.
  bool is_draining() const { return state_.is_draining; }
  boost::asio::io_context& context() { return context_; }

 private:
  explicit HttpServer(const HttpLimits& limits);
  boost::asio::awaitable<void> AcceptLoop();
  using Socket = boost::asio::generic::stream_protocol::socket;
  bool Start(Socket socket, uint64_t tag);
  boost::asio::awaitable<void> ServeClient(Socket socket, uint64_t tag);
  void BeginDrain();
  void CloseConnections();
  /// After an exception: cancels all handlers and runs until they are gone.
  void EndConnections();
  void StopIfDrained();

  boost::asio::io_context context_{1};
  ServerState state_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer drain_timer_;
};

}  // namespace rf::server
