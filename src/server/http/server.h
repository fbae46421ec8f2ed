// The HTTP/1.1 server: Boost.Beast connections as coroutines on one event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "server/http/router.h"

namespace rf::server {

/// Limits on what clients may send and hold.
struct HttpLimits {
  uint32_t header_bytes = 32u << 10;
  uint64_t body_bytes = 32u << 20;
  int header_seconds = 10;       ///< from the first byte of a request to the end of its headers
  int body_seconds = 120;        ///< for the whole body
  int keep_alive_seconds = 75;   ///< idle between requests
  int write_stall_seconds = 30;  ///< a client that takes nothing for so long is cut
  int max_connections = 4096;
};

class HttpServer {
 public:
  /// Binds and listens. port 0 lets the system choose. Errors: kInvalidArgument (host), kIo ("port 8080 is in use").
  static Result<std::unique_ptr<HttpServer>> Listen(const std::string& host, uint16_t port, Router router,
                                                    const HttpLimits& limits);

  /// "127.0.0.1:8080", with the port that was chosen.
  std::string address() const;
  /// Serves until Stop(). Runs on the calling thread.
  void Run();
  /// Stops accepting, cancels all connections, makes Run() return. Safe from any thread.
  void Stop();

  boost::asio::io_context& context() { return context_; }

 private:
  HttpServer(Router router, const HttpLimits& limits)
      : router_(std::move(router)), limits_(limits), acceptor_(context_) {}
  boost::asio::awaitable<void> AcceptLoop();

  Router router_;
  HttpLimits limits_;
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  int n_connections_ = 0;
};

}  // namespace rf::server
