#include "server/supervisor/exchange.h"

#include <utility>

#include <fmt/format.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include "server/supervisor/supervisor.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using BoostError = boost::system::error_code;

constexpr size_t kRelayBytes = 64u << 10;
constexpr size_t kMaxAnswerBytes = 1u << 30;
constexpr auto kBusyDelay = std::chrono::milliseconds(20);
constexpr auto kDeathDelay = std::chrono::seconds(2);  // from a broken connection to the news that its worker is over

std::string EncodePath(const std::string& path) {
  constexpr std::string_view kPlain = "/-_.~";
  std::string encoded;
  for (const char c : path) {
    const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_alphanumeric || kPlain.find(c) != kPlain.npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// Whether the last of these whole events tells of an error.
bool EndsInError(const std::string& events) {
  const size_t before = events.size() < 3 ? events.npos : events.rfind("\n\n", events.size() - 3);
  const std::string_view last = std::string_view(events).substr(before == events.npos ? 0 : before + 2);
  return last.starts_with("data: {\"error\"");
}

}  // namespace

Exchange::Exchange(const asio::any_io_executor& executor, Supervisor& supervisor, const HttpRequest& request,
                   const Options& options)
    : supervisor_(supervisor),
      request_(request),
      options_(options),
      fingerprint_(supervisor.Fingerprint(request)),
      timer_(executor),
      socket_(executor) {
  supervisor_.Add(*this);
}

Exchange::~Exchange() {
  supervisor_.Remove(*this);
}

void Exchange::Interrupt() {
  BoostError ignored;
  socket_.close(ignored);
  Wake();
}

asio::awaitable<void> Exchange::Sleep(Clock::duration time) {
  BoostError woken;
  timer_.expires_after(time);
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

asio::awaitable<std::optional<HttpResponse>> Exchange::AwaitTurn() {
  for (;;) {
    if (auto refusal = supervisor_.Refusal(*this)) co_return refusal;
    if (supervisor_.MayRun(*this)) co_return std::nullopt;
    co_await Sleep(std::chrono::hours(24));
  }
}

// The connection broke: either the worker has ended, and the request can go to the next one, or something is wrong.
asio::awaitable<std::optional<HttpResponse>> Exchange::AwaitRestart() {
  BoostError ignored;
  socket_.close(ignored);
  was_taken_ = true;
  const auto deadline = Clock::now() + kDeathDelay;
  while (supervisor_.ended_worker() < worker_) {
    if (auto refusal = supervisor_.Refusal(*this)) co_return refusal;
    if (Clock::now() >= deadline) {
      co_return StatusResponse(http_status::kInternalError, "the worker process broke the answer off");
    }
    co_await Sleep(kBusyDelay);
  }
  if (!options_.is_kept) co_return ErrorResponse(supervisor_.BrokenOff());
  co_return std::nullopt;
}

std::string Exchange::RequestHead() const {
  const std::string query = request_.query.empty() ? "" : "?" + request_.query;
  std::string head = fmt::format("{} {}{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                                 request_.method == "HEAD" ? "GET" : request_.method, EncodePath(request_.path), query);
  if (!request_.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", request_.content_type);
  if (!request_.body.empty() || request_.method == "POST") {
    head += fmt::format("Content-Length: {}\r\n", request_.body.size());
  }
  return head + "\r\n";
}

// Keep Write() and Read() plain: with a view of the caller's string here, and the parser set up inside the coroutine
// that reads, code made by GCC 12 used a coroutine's frame after its end.
asio::awaitable<bool> Exchange::Write(std::string text) {
  std::string_view bytes = text;
  while (!bytes.empty()) {
    BoostError error;
    const size_t n_bytes = co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                                             asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    bytes.remove_prefix(n_bytes);
  }
  co_return true;
}

// Up to the whole answer, or to the head of a stream.
asio::awaitable<Exchange::Sent> Exchange::Send() {
  const auto connected = supervisor_.Connect(*this);
  if (!connected) co_return connected.error().code == ErrorCode::kBusy ? Sent::kBusy : Sent::kBroken;
  socket_.assign(asio::local::stream_protocol(), *connected);
  const std::string head = RequestHead();
  const bool is_sent = co_await Write(head + request_.body);
  if (!is_sent) co_return Sent::kBroken;
  StartReading();
  const bool has_head = co_await Read(Part::kHead);
  if (!has_head) co_return Sent::kBroken;
  if (IsStream()) co_return Sent::kStream;
  const bool is_whole = co_await Read(Part::kWhole);
  if (!is_whole) co_return Sent::kBroken;
  BoostError ignored;
  socket_.close(ignored);
  // It was in a queue already: all that was kept comes at once, and may be more than the new worker's queue takes.
  const bool is_full = was_taken_ && parser_->get().result_int() == http_status::kTooManyRequests;
  co_return is_full ? Sent::kBusy : Sent::kWhole;
}

asio::awaitable<bool> Exchange::ReadSome() {
  BoostError error;
  const size_t n_bytes =
      co_await socket_.async_read_some(buffer_.prepare(kRelayBytes), asio::redirect_error(asio::use_awaitable, error));
  buffer_.commit(n_bytes);
  if (error) co_return false;
  buffer_.consume(parser_->put(buffer_.data(), error));
  co_return !error || error == http::error::need_more;
}

void Exchange::StartReading() {
  buffer_.clear();
  parser_.emplace();
  parser_->eager(true);
  parser_->body_limit(boost::none);
}

bool Exchange::HasRead(Part part) const {
  return part == Part::kHead ? parser_->is_header_done() : parser_->is_done();
}

asio::awaitable<bool> Exchange::Read(Part part) {
  while (!HasRead(part)) {
    const bool has_more = co_await ReadSome();
    if (!has_more || parser_->get().body().size() > kMaxAnswerBytes) co_return false;
  }
  co_return true;
}

bool Exchange::IsStream() const {
  return parser_->get()[http::field::content_type] == "text/event-stream";
}

HttpResponse Exchange::TakeResponse() {
  auto& message = parser_->get();
  HttpResponse response;
  response.status = message.result_int();
  response.content_type = std::string(message[http::field::content_type]);
  for (const http::field field : {http::field::retry_after, http::field::allow}) {
    if (message.count(field) == 0) continue;
    response.headers[std::string(http::to_string(field))] = std::string(message[field]);
  }
  response.body = std::move(message.body());
  return response;
}

asio::awaitable<std::optional<HttpResponse>> Exchange::Begin() {
  for (;;) {
    std::optional<HttpResponse> refusal = co_await AwaitTurn();
    if (refusal) co_return refusal;
    worker_ = supervisor_.worker_number();
    const Sent sent = co_await Send();
    if (sent == Sent::kStream) co_return std::nullopt;
    if (sent == Sent::kWhole) {
      supervisor_.OnAnswered(*this);
      co_return TakeResponse();
    }
    if (sent == Sent::kBroken) refusal = co_await AwaitRestart();
    if (refusal) co_return refusal;
    if (sent == Sent::kBusy) co_await Sleep(kBusyDelay);
  }
}

// What has come of whole events.
std::string Exchange::TakeEvents() {
  pending_ += std::exchange(parser_->get().body(), {});
  const size_t end = pending_.rfind("\n\n");
  if (end == pending_.npos) return "";
  std::string rest = pending_.substr(end + 2);
  pending_.resize(end + 2);
  return std::exchange(pending_, std::move(rest));
}

// False: the stream broke off, or the client is gone (has_ended_).
asio::awaitable<bool> Exchange::RelayEvents(EventStream& events) {
  for (;;) {
    std::string whole = TakeEvents();
    if (!whole.empty()) {
      has_begun_ = true;
      has_ended_ = EndsInError(whole);
      const bool is_sent = co_await events.Send(std::move(whole));
      has_ended_ = has_ended_ || !is_sent;
      if (has_ended_) co_return false;
    }
    if (parser_->is_done()) co_return true;
    const bool has_more = co_await ReadSome();
    if (!has_more) co_return false;
  }
}

asio::awaitable<bool> Exchange::Relay(EventStream& events) {
  for (;;) {
    const bool is_complete = co_await RelayEvents(events);
    if (is_complete) supervisor_.OnAnswered(*this);
    if (is_complete || has_ended_) co_return is_complete;
    pending_.clear();
    std::optional<HttpResponse> problem = co_await AwaitRestart();
    if (!problem && has_begun_) problem = ErrorResponse(supervisor_.BrokenOff());
    if (!problem) problem = co_await Begin();
    if (!problem) continue;
    co_await events.Send(SseEvent(problem->body));
    co_return false;
  }
}

}  // namespace rf::server
