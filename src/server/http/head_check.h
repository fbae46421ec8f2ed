// Strict checks of a request's head before and after it is parsed: limits, and everything that lets two HTTP parsers
// disagree about where a request ends. Source: RFC 9112, sections 2.2, 5, 6.1, 6.3, 11.2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

namespace rf::server {

/// A request that is answered with an error before it reaches a handler; the connection is closed after it.
struct Refusal {
  // A constructor, since GCC 12 destroys temporaries of aggregates twice when a coroutine awaits with them.
  Refusal(unsigned http_status, std::string text) : status(http_status), message(std::move(text)) {}
  unsigned status;
  std::string message;
};

/// Limits on a request's head.
struct HeadLimits {
  size_t line_bytes = 8u << 10;      ///< the request line, without its line end
  size_t header_bytes = 8u << 10;    ///< one header line
  size_t headers_bytes = 32u << 10;  ///< all header lines together
  size_t n_headers = 100;
};

/// Looks at the raw head, up to and with the empty line. Refuses: 414 and 431 for the limits; 400 for bare line feeds,
/// control characters, folded lines, headers without a colon or with a space before it.
std::optional<Refusal> CheckRawHead(std::string_view head, const HeadLimits& limits);

/// Looks at what has arrived of a head that is not complete, so that an endless one is refused early.
std::optional<Refusal> CheckPartialHead(std::string_view head, const HeadLimits& limits);

/// Looks at the parsed fields: ambiguous framing (400), Host (400), content and transfer codings (400, 415), media type
/// of a POST (415), length (413), Expect (417).
std::optional<Refusal> CheckFields(const boost::beast::http::request_header<>& head, uint64_t max_body_bytes);

/// Whether a Host header names this machine itself: localhost, a name below it, or a loopback address, with any port.
/// A browser that was led here by a foreign name (DNS rebinding) sends that name.
bool IsLoopbackHost(std::string_view host);

}  // namespace rf::server
