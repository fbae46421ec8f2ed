#include "server/http/status.h"

#include <utility>

namespace rf::server {

std::string_view StatusPhrase(unsigned status) {
  using namespace http_status;  // NOLINT(google-build-using-namespace)
  static constexpr std::pair<unsigned, std::string_view> kPhrases[] = {
      {kOk, "OK"},
      {kBadRequest, "Bad Request"},
      {kForbidden, "Forbidden"},
      {kNotFound, "Not Found"},
      {kMethodNotAllowed, "Method Not Allowed"},
      {kRequestTimeout, "Request Timeout"},
      {kContentTooLarge, "Content Too Large"},
      {kUriTooLong, "URI Too Long"},
      {kUnsupportedMediaType, "Unsupported Media Type"},
      {kExpectationFailed, "Expectation Failed"},
      {kTooManyRequests, "Too Many Requests"},
      {kHeadersTooLarge, "Request Header Fields Too Large"},
      {kInternalError, "Internal Server Error"},
      {kUnavailable, "Service Unavailable"},
  };
  for (const auto& [known, phrase] : kPhrases) {
    if (known == status) return phrase;
  }
  return "Unknown";
}

}  // namespace rf::server
