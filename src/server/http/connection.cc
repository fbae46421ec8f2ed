#include "server/http/connection.h"

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/log.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::experimental::awaitable_operators::operator||;
using ErrorCodeBeast = boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr unsigned kPayloadTooLarge = 413;
constexpr unsigned kHeadersTooLarge = 431;

std::chrono::seconds Seconds(int count) {
  return std::chrono::seconds(count);
}

class Connection {
 public:
  Connection(asio::ip::tcp::socket socket, const Router& router, const HttpLimits& limits)
      : stream_(std::move(socket)), router_(router), limits_(limits) {}

  asio::awaitable<void> Serve() {
    while (co_await ServeOne()) {
    }
    ErrorCodeBeast ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

 private:
  // Reads and answers one request; false when the connection is to be closed.
  asio::awaitable<bool> ServeOne();
  asio::awaitable<bool> ReadRequest(Parser& parser);
  asio::awaitable<bool> Answer(const HttpRequest& request, bool keep_alive);
  asio::awaitable<bool> SendResponse(const HttpResponse& response, bool keep_alive);
  asio::awaitable<void> SendStream(const StreamBody& body);
  asio::awaitable<void> Reject(unsigned status, const char* message);
  asio::awaitable<void> WatchForClose();

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  const Router& router_;
  const HttpLimits& limits_;
};

HttpRequest ToRequest(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  request.content_type = std::string(message[http::field::content_type]);
  request.authorization = std::string(message[http::field::authorization]);
  request.body = std::move(message.body());
  return request;
}

// What the parser's refusal of a request means to the client; nothing if the connection just ended.
std::optional<std::pair<unsigned, const char*>> RefusalOf(const ErrorCodeBeast& error) {
  if (error == http::error::end_of_stream || error.category() != make_error_code(http::error::bad_target).category())
    return {};
  if (error == http::error::body_limit) return std::pair(kPayloadTooLarge, "the request's body is too large");
  if (error == http::error::header_limit) return std::pair(kHeadersTooLarge, "the request's headers are too large");
  return std::pair(400u, "malformed HTTP request");
}

asio::awaitable<bool> Connection::ReadRequest(Parser& parser) {
  parser.header_limit(limits_.header_bytes);
  parser.body_limit(limits_.body_bytes);
  ErrorCodeBeast error;
  stream_.expires_after(Seconds(buffer_.size() == 0 ? limits_.keep_alive_seconds : limits_.header_seconds));
  co_await http::async_read_header(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  if (!error && parser.content_length().value_or(0) > limits_.body_bytes) error = http::error::body_limit;
  if (!error && parser.get().count(http::field::content_length) > 0 && parser.chunked())
    error = http::error::bad_content_length;
  if (!error && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_on{http::status::continue_, parser.get().version()};
    co_await http::async_write(stream_, go_on, asio::redirect_error(asio::use_awaitable, error));
  }
  if (!error) {
    stream_.expires_after(Seconds(limits_.body_seconds));
    co_await http::async_read(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  }
  if (!error) co_return true;
  if (const auto refusal = RefusalOf(error)) co_await Reject(refusal->first, refusal->second);
  co_return false;
}

asio::awaitable<bool> Connection::ServeOne() {
  Parser parser;
  if (!co_await ReadRequest(parser)) co_return false;
  const bool keep_alive = parser.get().keep_alive();
  const HttpRequest request = ToRequest(parser.release());
  co_return co_await Answer(request, keep_alive);
}

// Ends when the client closes its side or sends more while its answer is being made (which also ends a pipelining
// client's wait).
asio::awaitable<void> Connection::WatchForClose() {
  for (;;) {
    ErrorCodeBeast error;
    co_await stream_.socket().async_wait(asio::ip::tcp::socket::wait_read,
                                         asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    char byte = 0;
    const size_t n = stream_.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
    if (error || n == 0) co_return;
    // A pipelined request: it stays in the socket until this one is answered. Look again later.
    asio::steady_timer timer(stream_.get_executor(), std::chrono::milliseconds(50));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<bool> Connection::Answer(const HttpRequest& request, bool keep_alive) {
  stream_.expires_never();
  auto found = router_.Find(request);
  if (auto* response = std::get_if<HttpResponse>(&found)) co_return co_await SendResponse(*response, keep_alive);

  auto outcome = co_await (((*std::get<const Handler*>(found))(request)) || WatchForClose());
  if (outcome.index() == 1) co_return false;  // the client is gone; the handler was cancelled
  HandlerResult result = std::get<0>(std::move(outcome));
  if (auto* response = std::get_if<HttpResponse>(&result)) co_return co_await SendResponse(*response, keep_alive);
  co_await SendStream(std::get<StreamBody>(result));
  co_return false;
}

asio::awaitable<bool> Connection::SendResponse(const HttpResponse& response, bool keep_alive) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(response.status);
  message.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  message.body() = response.body;
  message.prepare_payload();
  ErrorCodeBeast error;
  stream_.expires_after(Seconds(limits_.write_stall_seconds));
  co_await http::async_write(stream_, message, asio::redirect_error(asio::use_awaitable, error));
  co_return !error && keep_alive;
}

asio::awaitable<void> Connection::Reject(unsigned status, const char* message) {
  HttpResponse response = ErrorResponse({ErrorCode::kInvalidArgument, message, ""});
  response.status = status;
  co_await SendResponse(response, /*keep_alive=*/false);
}

// Server-sent events as one chunked body.
class ChunkedEvents final : public EventStream {
 public:
  ChunkedEvents(beast::tcp_stream& stream, int stall_seconds) : stream_(stream), stall_seconds_(stall_seconds) {}

  asio::awaitable<bool> Send(std::string data) override {
    const std::string event = "data: " + std::move(data) + "\n\n";
    ErrorCodeBeast error;
    stream_.expires_after(Seconds(stall_seconds_));
    co_await asio::async_write(stream_, http::make_chunk(asio::buffer(event)),
                               asio::redirect_error(asio::use_awaitable, error));
    stream_.expires_never();
    co_return !error;
  }

 private:
  beast::tcp_stream& stream_;
  int stall_seconds_;
};

asio::awaitable<void> Connection::SendStream(const StreamBody& body) {
  http::response<http::empty_body> head{http::status::ok, 11};
  head.set(http::field::content_type, "text/event-stream");
  head.set(http::field::cache_control, "no-cache");
  head.keep_alive(false);
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  ErrorCodeBeast error;
  stream_.expires_after(Seconds(limits_.write_stall_seconds));
  co_await http::async_write_header(stream_, serializer, asio::redirect_error(asio::use_awaitable, error));
  stream_.expires_never();
  if (error) co_return;
  ChunkedEvents events(stream_, limits_.write_stall_seconds);
  const auto outcome = co_await (body(events) || WatchForClose());
  if (outcome.index() == 1) co_return;
  stream_.expires_after(Seconds(limits_.write_stall_seconds));
  co_await asio::async_write(stream_, http::make_chunk_last(), asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace

asio::awaitable<void> ServeConnection(asio::ip::tcp::socket socket, const Router& router, const HttpLimits& limits) {
  try {
    Connection connection(std::move(socket), router, limits);
    co_await connection.Serve();
  } catch (const std::exception& error) {
    // A cancelled or broken connection ends here; it must not end the server.
    Log(LogLevel::kDebug, fmt::format("connection ended: {}", error.what()));
  }
}

}  // namespace rf::server
