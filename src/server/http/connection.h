// One client connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "server/http/head_check.h"
#include "server/http/router.h"
#include "server/http/server.h"

namespace rf::server {

/// Reads requests from a socket and answers them in order until either side closes. Lives and is used on the event
/// loop; registers itself with the server's state.
class Connection {
 public:
  /// TCP, or a Unix socket that another process of ours holds the other end of.
  using Socket = boost::asio::generic::stream_protocol::socket;

  /// Every request of the connection gets `tag`.
  Connection(Socket socket, uint64_t tag, ServerState& state);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs until the connection is closed.
  boost::asio::awaitable<void> Serve();
  /// Closes the socket: what waits for it ends, a handler at work is cancelled.
  void Close();
  /// Closes it if no byte of a next request has arrived.
  void CloseIfIdle();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  friend class ChunkedEvents;

  // Each returns what is refused; nothing and is_open_ false: the client is gone.
  boost::asio::awaitable<std::optional<Refusal>> ReadHead(Parser& parser);
  boost::asio::awaitable<std::optional<Refusal>> ReadBody(Parser& parser);
  std::optional<Refusal> ParseHead(Parser& parser, size_t head_bytes);

  boost::asio::awaitable<void> ServeOne();
  boost::asio::awaitable<void> Answer(const Handler& handler, const HttpRequest& request);
  boost::asio::awaitable<void> Refuse(const Refusal& refusal);
  boost::asio::awaitable<void> SendResponse(const HttpResponse& response);
  boost::asio::awaitable<void> SendStream(const StreamBody& body);
  boost::asio::awaitable<void> WatchForClose();
  boost::asio::awaitable<void> LingerAndClose();

  // Reads some bytes into buffer_ until the deadline; false when there are none.
  boost::asio::awaitable<bool> ReadSome(std::chrono::steady_clock::time_point deadline);
  // Sends everything; false when the client is gone or took too little.
  boost::asio::awaitable<bool> Write(std::string_view bytes);
  bool HoldBodyBytes(size_t n);
  void ReleaseBody();
  std::string_view buffered() const { return {static_cast<const char*>(buffer_.data().data()), buffer_.size()}; }

  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;  // what was read and not yet used
  ServerState& state_;
  const HttpLimits& limits_;
  const uint64_t tag_;
  bool is_open_ = true;
  bool is_idle_ = true;   // waits for the first byte of a request
  bool is_first_ = true;  // no request yet
  bool is_head_request_ = false;
  bool is_old_http_ = false;  // HTTP/1.0: no chunked coding
  bool keep_alive_ = false;
  uint64_t body_bytes_ = 0;  // held for the current request
};

}  // namespace rf::server
