// The HTTP statuses that this server sends. Source: RFC 9110, section 15; RFC 6585 (429, 431).
#pragma once

#include <string_view>

namespace rf::server {

namespace http_status {

inline constexpr unsigned kOk = 200;
inline constexpr unsigned kBadRequest = 400;
inline constexpr unsigned kForbidden = 403;
inline constexpr unsigned kNotFound = 404;
inline constexpr unsigned kMethodNotAllowed = 405;
inline constexpr unsigned kRequestTimeout = 408;
inline constexpr unsigned kContentTooLarge = 413;
inline constexpr unsigned kUriTooLong = 414;
inline constexpr unsigned kUnsupportedMediaType = 415;
inline constexpr unsigned kExpectationFailed = 417;
inline constexpr unsigned kTooManyRequests = 429;
inline constexpr unsigned kHeadersTooLarge = 431;
inline constexpr unsigned kInternalError = 500;
inline constexpr unsigned kUnavailable = 503;

}  // namespace http_status

/// The standard's phrase, e.g. "Not Found".
std::string_view StatusPhrase(unsigned status);

}  // namespace rf::server
