// One client's request on its way through worker processes, and the answer on its way back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "server/http/router.h"

namespace rf::server {

class Supervisor;

/// Hands the request to a worker, and to the next one if that ends before the client has seen anything of the answer.
/// Closing the connection, as the destructor does, cancels the request in the worker.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    Clock::time_point deadline = Clock::time_point::max();
    bool is_kept = true;  ///< false: if the worker ends, it is answered with an error
  };

  /// `request` and `supervisor` must outlive it.
  Exchange(const boost::asio::any_io_executor& executor, Supervisor& supervisor, const HttpRequest& request,
           const Options& options);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// The answer, be it an error; nothing: it is a stream, for Relay().
  boost::asio::awaitable<std::optional<HttpResponse>> Begin();
  /// The stream's events as they come. If it breaks off, an error is the last one. False: it is not complete.
  boost::asio::awaitable<bool> Relay(EventStream& events);

  // For the supervisor.
  void set_id(uint64_t id) { id_ = id; }
  uint64_t id() const { return id_; }
  uint64_t fingerprint() const { return fingerprint_; }
  bool is_late(Clock::time_point now) const { return now >= options_.deadline; }
  /// The number of the worker that has the request, or had it last.
  uint64_t worker() const { return worker_; }
  /// Looks again at how things stand.
  void Wake() { timer_.cancel(); }
  /// Takes the request from the worker.
  void Interrupt();

 private:
  enum class Part : uint8_t { kHead, kWhole };
  enum class Sent : uint8_t { kWhole, kStream, kBusy, kBroken };

  boost::asio::awaitable<std::optional<HttpResponse>> AwaitTurn();
  boost::asio::awaitable<std::optional<HttpResponse>> AwaitRestart();
  boost::asio::awaitable<Sent> Send();
  boost::asio::awaitable<bool> Write(std::string text);
  void StartReading();
  bool HasRead(Part part) const;
  boost::asio::awaitable<bool> Read(Part part);
  boost::asio::awaitable<bool> ReadSome();
  boost::asio::awaitable<bool> RelayEvents(EventStream& events);
  boost::asio::awaitable<void> Sleep(Clock::duration time);
  std::string RequestHead() const;
  bool IsStream() const;
  HttpResponse TakeResponse();
  std::string TakeEvents();

  Supervisor& supervisor_;
  const HttpRequest& request_;
  const Options options_;
  const uint64_t fingerprint_;
  uint64_t id_ = 0;
  uint64_t worker_ = 0;     // that has the request
  bool was_taken_ = false;  // by a worker that ended
  boost::asio::steady_timer timer_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser_;
  std::string pending_;     // of an event that is not complete
  bool has_begun_ = false;  // the client has seen an event
  bool has_ended_ = false;  // and has been told of an error, or is gone
};

}  // namespace rf::server
