#include "server/http/connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include "base/log.h"
#include "server/http/status.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::experimental::awaitable_operators::operator||;  // NOLINT(misc-unused-using-decls)
using BoostError = boost::system::error_code;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr size_t kReadBytes = 64u << 10;
constexpr size_t kWriteSlice = 16u << 10;
constexpr auto kLingerTime = seconds(2);

// Runs a handler; what it throws becomes a response, unless it was cancelled. (The result is no return value, since
// operator|| would merge its variant into its own.)
asio::awaitable<void> RunHandler(const Handler& handler, const HttpRequest& request, HandlerResult& result) {
  std::string problem;
  try {
    result = co_await handler(request);
    co_return;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    problem = error.what();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  Log(LogLevel::kError, fmt::format("internal error while answering {}: {}", request.path, problem));
  result = StatusResponse(http_status::kInternalError, "internal error; the server's log has more");
}

}  // namespace

Connection::Connection(Socket socket, uint64_t tag, ServerState& state)
    : stream_(std::move(socket)), state_(state), limits_(state.limits), tag_(tag) {
  state_.connections.insert(this);
}

Connection::~Connection() {
  ReleaseBody();
  state_.connections.erase(this);
}

void Connection::Close() {
  is_open_ = false;
  BoostError ignored;
  stream_.socket().close(ignored);
}

void Connection::CloseIfIdle() {
  if (is_idle_) Close();
}

asio::awaitable<void> Connection::Serve() {
  do {
    co_await ServeOne();
  } while (is_open_ && keep_alive_);
  if (is_open_) co_await LingerAndClose();
}

asio::awaitable<bool> Connection::ReadSome(Clock::time_point deadline) {
  BoostError error;
  stream_.expires_at(deadline);
  const size_t n =
      co_await stream_.async_read_some(buffer_.prepare(kReadBytes), asio::redirect_error(asio::use_awaitable, error));
  stream_.expires_never();
  buffer_.commit(n);
  if (error) is_open_ = false;
  co_return !error;
}

asio::awaitable<bool> Connection::Write(std::string_view bytes) {
  // In slices, each with the whole stall time: a large answer may take long, a slice may not.
  while (!bytes.empty() && is_open_) {
    std::string_view slice = bytes.substr(0, kWriteSlice);
    bytes.remove_prefix(slice.size());
    stream_.expires_after(seconds(limits_.write_stall_seconds));
    while (!slice.empty() && is_open_) {
      BoostError error;
      const size_t n = co_await stream_.async_write_some(asio::buffer(slice.data(), slice.size()),
                                                         asio::redirect_error(asio::use_awaitable, error));
      slice.remove_prefix(n);
      if (error) is_open_ = false;
    }
  }
  stream_.expires_never();
  co_return is_open_;
}

std::optional<Refusal> Connection::ParseHead(Parser& parser, size_t head_bytes) {
  const std::string_view head = buffered().substr(0, head_bytes);
  if (auto refusal = CheckRawHead(head, limits_.head)) return refusal;
  parser.header_limit(static_cast<uint32_t>(head_bytes + 1));
  parser.body_limit(limits_.body_bytes);
  BoostError error;
  const size_t used = parser.put(asio::buffer(head.data(), head.size()), error);
  buffer_.consume(used);
  if (error == http::error::need_more && parser.is_header_done()) error = {};
  if (error == http::error::body_limit) {
    return Refusal(http_status::kContentTooLarge,
                   fmt::format("the request's body has more than {} bytes", limits_.body_bytes));
  }
  if (error || !parser.is_header_done()) return Refusal(http_status::kBadRequest, "malformed HTTP request");
  const auto& fields = parser.get();
  is_head_request_ = fields.method() == http::verb::head;
  is_old_http_ = fields.version() < 11;
  if (fields.version() != 10 && fields.version() != 11)
    return Refusal(http_status::kBadRequest, "only HTTP/1.0 and 1.1 are spoken");
  if (state_.local_only) {
    const auto host = fields[http::field::host];
    if (fields.count(http::field::host) != 1 || !IsLoopbackHost({host.data(), host.size()})) {
      return Refusal(http_status::kForbidden,
                     "this server is reached as localhost or a loopback address only (see --host)");
    }
  }
  return CheckFields(fields, limits_.body_bytes);
}

asio::awaitable<std::optional<Refusal>> Connection::ReadHead(Parser& parser) {
  is_idle_ = buffer_.size() == 0;
  if (is_idle_ && state_.is_draining) Close();
  if (!is_open_) co_return std::nullopt;
  if (is_idle_) {
    const int wait = is_first_ ? limits_.header_seconds : limits_.keep_alive_seconds;
    if (!co_await ReadSome(Clock::now() + seconds(wait))) co_return std::nullopt;
  }
  is_idle_ = is_first_ = false;
  const auto deadline = Clock::now() + seconds(limits_.header_seconds);
  for (size_t searched = 0;;) {
    while (buffered().starts_with("\r\n")) buffer_.consume(2);  // RFC 9112, section 2.2
    const size_t end = buffered().find("\r\n\r\n", searched);
    if (end != std::string_view::npos) co_return ParseHead(parser, end + 4);
    if (auto refusal = CheckPartialHead(buffered(), limits_.head)) co_return refusal;
    searched = std::max<size_t>(buffer_.size(), 3) - 3;
    if (!co_await ReadSome(deadline)) co_return std::nullopt;
  }
}

bool Connection::HoldBodyBytes(size_t n) {
  if (state_.body_bytes_held + n > limits_.all_bodies_bytes) return false;
  state_.body_bytes_held += n;
  body_bytes_ += n;
  return true;
}

void Connection::ReleaseBody() {
  state_.body_bytes_held -= std::exchange(body_bytes_, 0);
}

asio::awaitable<std::optional<Refusal>> Connection::ReadBody(Parser& parser) {
  const auto begin = Clock::now();
  const auto idle = seconds(limits_.body_idle_seconds);
  while (!parser.is_done()) {
    BoostError error;
    const size_t used = parser.put(buffer_.data(), error);
    buffer_.consume(used);
    if (!HoldBodyBytes(used))
      co_return Refusal(http_status::kUnavailable, "the server holds too many request bodies; try again");
    if (error == http::error::body_limit) {
      co_return Refusal(http_status::kContentTooLarge,
                        fmt::format("the request's body has more than {} bytes", limits_.body_bytes));
    }
    if (error && error != http::error::need_more) co_return Refusal(http_status::kBadRequest, "malformed request body");
    if (parser.is_done()) break;
    const auto slowest = begin + idle + seconds(body_bytes_ / static_cast<uint64_t>(limits_.body_rate));
    if (Clock::now() >= slowest) co_return Refusal(http_status::kRequestTimeout, "the request's body comes too slowly");
    if (!co_await ReadSome(std::min(Clock::now() + idle, slowest))) co_return std::nullopt;
  }
  co_return std::nullopt;
}

asio::awaitable<void> Connection::ServeOne() {
  keep_alive_ = false;
  Parser parser;
  parser.eager(true);
  auto refusal = co_await ReadHead(parser);
  if (!is_open_) co_return;
  if (refusal) co_return co_await Refuse(*refusal);

  HttpRequest request;
  const std::string_view target(parser.get().target().data(), parser.get().target().size());
  auto path = DecodePath(target);
  if (!path) co_return co_await Refuse(Refusal(http_status::kBadRequest, path.error().message));
  request.tag = tag_;
  request.method = std::string(parser.get().method_string());
  request.path = std::move(*path);
  if (const size_t question = target.find('?'); question != target.npos) request.query = target.substr(question + 1);
  request.content_type = std::string(parser.get()[http::field::content_type]);

  if (state_.is_draining) co_return co_await Refuse(Refusal(http_status::kUnavailable, "the server is shutting down"));
  auto found = state_.router.Find(request.method, request.path);
  const bool has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
  const bool wants_keep_alive = parser.get().keep_alive();
  if (auto* response = std::get_if<HttpResponse>(&found)) {
    keep_alive_ = wants_keep_alive && !has_body;  // a body that nobody wants is not read
    co_return co_await SendResponse(*response);
  }
  if (has_body && parser.get().count(http::field::expect) > 0) co_await Write("HTTP/1.1 100 Continue\r\n\r\n");
  refusal = co_await ReadBody(parser);
  if (!is_open_) co_return;
  if (refusal) co_return co_await Refuse(*refusal);
  keep_alive_ = wants_keep_alive;
  request.body = std::move(parser.get().body());
  co_await Answer(*std::get<const Handler*>(found), request);
  ReleaseBody();
}

// Ends when the client closes its side. What a pipelining client sends meanwhile is kept for later, up to a limit.
asio::awaitable<void> Connection::WatchForClose() {
  BoostError error;
  while (buffer_.size() < limits_.pipelined_bytes) {
    const size_t n = co_await stream_.socket().async_read_some(buffer_.prepare(kReadBytes),
                                                               asio::redirect_error(asio::use_awaitable, error));
    buffer_.commit(n);
    if (error) co_return;
  }
  asio::steady_timer forever(stream_.get_executor(), Clock::time_point::max());
  co_await forever.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

asio::awaitable<void> Connection::Answer(const Handler& handler, const HttpRequest& request) {
  HandlerResult result;
  const auto outcome = co_await (RunHandler(handler, request, result) || WatchForClose());
  if (outcome.index() == 1) co_return Close();  // the client is gone; the handler was cancelled
  if (auto* response = std::get_if<HttpResponse>(&result)) co_return co_await SendResponse(*response);
  co_await SendStream(std::get<StreamBody>(result));
}

asio::awaitable<void> Connection::SendResponse(const HttpResponse& response) {
  keep_alive_ = keep_alive_ && !state_.is_draining;
  std::string message = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n", response.status,
                                    StatusPhrase(response.status), response.content_type, response.body.size());
  for (const auto& [name, value] : response.headers) message += fmt::format("{}: {}\r\n", name, value);
  message +=
      fmt::format("X-Content-Type-Options: nosniff\r\nConnection: {}\r\n\r\n", keep_alive_ ? "keep-alive" : "close");
  if (!is_head_request_) message += response.body;
  co_await Write(message);
}

asio::awaitable<void> Connection::Refuse(const Refusal& refusal) {
  keep_alive_ = false;
  co_await SendResponse(StatusResponse(refusal.status, refusal.message));
}

// Lets the client read the answer before the connection goes: closing with unread input would reset it.
asio::awaitable<void> Connection::LingerAndClose() {
  BoostError ignored;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  const auto deadline = Clock::now() + kLingerTime;
  is_idle_ = true;
  while (is_open_) {
    buffer_.consume(buffer_.size());
    co_await ReadSome(deadline);
  }
  Close();
}

// Server-sent events as one chunked body.
class ChunkedEvents final : public EventStream {
 public:
  explicit ChunkedEvents(Connection& connection) : connection_(connection) {}

  asio::awaitable<bool> Send(std::string events) override {
    if (!connection_.is_old_http_) events = fmt::format("{:x}\r\n{}\r\n", events.size(), events);
    co_return co_await connection_.Write(events);
  }

 private:
  Connection& connection_;
};

namespace {

asio::awaitable<bool> RunBody(const StreamBody& body, EventStream& events) {
  try {
    co_return co_await body(events);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    Log(LogLevel::kError, fmt::format("internal error in a stream: {}", error.what()));
  } catch (const std::exception& error) {
    Log(LogLevel::kError, fmt::format("internal error in a stream: {}", error.what()));
  }
  co_return false;
}

}  // namespace

asio::awaitable<void> Connection::SendStream(const StreamBody& body) {
  keep_alive_ = keep_alive_ && !state_.is_draining && !is_old_http_;
  const std::string head = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"
      "X-Content-Type-Options: nosniff\r\n{}Connection: {}\r\n\r\n",
      is_old_http_ ? "" : "Transfer-Encoding: chunked\r\n", keep_alive_ ? "keep-alive" : "close");
  if (!co_await Write(head)) co_return;
  ChunkedEvents events(*this);
  const auto outcome = co_await (RunBody(body, events) || WatchForClose());
  if (outcome.index() == 1) co_return Close();
  const bool is_complete = std::get<0>(outcome);
  if (is_complete && !is_old_http_) co_await Write("0\r\n\r\n");
  keep_alive_ = keep_alive_ && is_complete;
}

}  // namespace rf::server
