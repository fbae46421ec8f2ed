#include "server/http/head_check.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include "base/utf8.h"
#include "server/http/status.h"

namespace rf::server {
namespace {

namespace http = boost::beast::http;
using boost::beast::iequals;

bool HasControl(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

std::optional<Refusal> CheckHeaderLine(std::string_view line, const HeadLimits& limits) {
  if (line.size() > limits.header_bytes) {
    return Refusal(http_status::kHeadersTooLarge,
                   fmt::format("a header has {} bytes (max {})", line.size(), limits.header_bytes));
  }
  if (line[0] == ' ' || line[0] == '\t') return Refusal(http_status::kBadRequest, "a header is folded over two lines");
  const size_t colon = line.find(':');
  if (colon == line.npos || colon == 0) return Refusal(http_status::kBadRequest, "a header has no name or no colon");
  if (line[colon - 1] == ' ' || line[colon - 1] == '\t') {
    return Refusal(http_status::kBadRequest, "a header has a space before its colon");
  }
  return {};
}

std::string_view Text(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// RFC 9112, section 6.3: a request's length must be certain.
std::optional<Refusal> CheckFraming(const http::request_header<>& head, uint64_t max_body_bytes) {
  const auto n_lengths = head.count(http::field::content_length);
  const auto n_codings = head.count(http::field::transfer_encoding);
  if (n_lengths > 1 || n_codings > 1 || (n_lengths > 0 && n_codings > 0)) {
    return Refusal(http_status::kBadRequest, "the request has more than one of Content-Length and Transfer-Encoding");
  }
  if (n_codings > 0 && (head.version() < 11 || !iequals(head[http::field::transfer_encoding], "chunked"))) {
    return Refusal(http_status::kBadRequest, "the only Transfer-Encoding that is accepted is 'chunked', in HTTP/1.1");
  }
  if (n_lengths == 0) return {};
  const std::string_view text = Text(head[http::field::content_length]);
  uint64_t length = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
  const bool is_number =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return Refusal(http_status::kBadRequest, "Content-Length must be a number");
  if (failed != std::errc() || length > max_body_bytes) {
    return Refusal(http_status::kContentTooLarge,
                   fmt::format("the request's body has more than {} bytes", max_body_bytes));
  }
  return {};
}

// "application/json", perhaps with charset=utf-8.
bool IsJson(std::string_view type) {
  const size_t semicolon = type.find(';');
  const auto trim = [](std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  };
  if (!iequals(trim(type.substr(0, semicolon)), "application/json")) return false;
  if (semicolon == type.npos) return true;
  const std::string_view parameter = trim(type.substr(semicolon + 1));
  return parameter.empty() || iequals(parameter, "charset=utf-8") || iequals(parameter, "charset=\"utf-8\"");
}

std::optional<Refusal> CheckContent(const http::request_header<>& head) {
  if (head.count(http::field::content_encoding) > 0 && !iequals(head[http::field::content_encoding], "identity")) {
    return Refusal(http_status::kUnsupportedMediaType, "compressed request bodies (Content-Encoding) are not accepted");
  }
  if (head.method() != http::verb::post) return {};
  // Also a guard: a web page can send other types to this machine without asking first (CORS "simple" requests).
  if (head.count(http::field::content_type) != 1 || !IsJson(Text(head[http::field::content_type]))) {
    return Refusal(http_status::kUnsupportedMediaType, "the request needs 'Content-Type: application/json' (UTF-8)");
  }
  return {};
}

}  // namespace

std::optional<Refusal> CheckRawHead(std::string_view head, const HeadLimits& limits) {
  size_t n_headers = 0;
  const size_t line_end = head.find("\r\n");
  const std::string_view request_line = head.substr(0, line_end);
  if (request_line.size() > limits.line_bytes) {
    return Refusal(http_status::kUriTooLong, fmt::format("the request line has more than {} bytes", limits.line_bytes));
  }
  if (HasControl(request_line)) return Refusal(http_status::kBadRequest, "the request line has a control character");
  if (head.size() - request_line.size() > limits.headers_bytes) {
    return Refusal(http_status::kHeadersTooLarge,
                   fmt::format("the headers have more than {} bytes", limits.headers_bytes));
  }
  for (size_t begin = line_end + 2; begin < head.size();) {
    const size_t end = head.find("\r\n", begin);
    if (end == head.npos || end == begin) break;
    const std::string_view line = head.substr(begin, end - begin);
    if (HasControl(line)) return Refusal(http_status::kBadRequest, "a header has a control character");
    if (auto refusal = CheckHeaderLine(line, limits)) return refusal;
    if (++n_headers > limits.n_headers) {
      return Refusal(http_status::kHeadersTooLarge,
                     fmt::format("the request has more than {} headers", limits.n_headers));
    }
    begin = end + 2;
  }
  return {};
}

std::optional<Refusal> CheckPartialHead(std::string_view head, const HeadLimits& limits) {
  const size_t line_feed = head.find('\n');
  if (line_feed != head.npos && (line_feed == 0 || head[line_feed - 1] != '\r')) {
    return Refusal(http_status::kBadRequest, "lines of the request's head must end in CR LF");
  }
  if (line_feed == head.npos && head.size() > limits.line_bytes + 1) {
    return Refusal(http_status::kUriTooLong, fmt::format("the request line has more than {} bytes", limits.line_bytes));
  }
  if (line_feed != head.npos && head.size() - line_feed > limits.headers_bytes) {
    return Refusal(http_status::kHeadersTooLarge,
                   fmt::format("the headers have more than {} bytes", limits.headers_bytes));
  }
  return {};
}

std::optional<Refusal> CheckFields(const http::request_header<>& head, uint64_t max_body_bytes) {
  if (auto refusal = CheckFraming(head, max_body_bytes)) return refusal;
  if (head.version() >= 11 && head.count(http::field::host) != 1) {
    return Refusal(http_status::kBadRequest, "the request needs exactly one Host header");
  }
  if (auto refusal = CheckContent(head)) return refusal;
  if (head.count(http::field::expect) > 0 && !iequals(head[http::field::expect], "100-continue")) {
    return Refusal(http_status::kExpectationFailed, "the only Expect that is known is 100-continue");
  }
  return {};
}

bool IsLoopbackHost(std::string_view host) {
  std::string name(host);
  if (!name.empty() && name[0] == '[') {
    const size_t close = name.find(']');
    if (close == name.npos) return false;
    name = name.substr(1, close - 1);
  } else {
    name = name.substr(0, name.find(':'));
  }
  if (!name.empty() && name.back() == '.') name.pop_back();
  constexpr std::string_view kSuffix = ".localhost";
  if (iequals(name, "localhost")) return true;
  if (name.size() > kSuffix.size() && iequals(name.substr(name.size() - kSuffix.size()), kSuffix)) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(name, error);
  return !error && address.is_loopback();
}

}  // namespace rf::server
