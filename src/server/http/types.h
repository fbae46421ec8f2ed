// Requests and responses as the endpoints see them: no socket, no Beast.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "server/http/status.h"

namespace rf::server {

struct HttpRequest {
  std::string method;
  std::string path;   ///< without the query, percent-decoded, checked by DecodePath
  std::string query;  ///< after '?', as sent
  std::string content_type;
  std::string body;
  uint64_t tag = 0;  ///< of the connection: see HttpServer::Adopt
};

struct HttpResponse {
  unsigned status = http_status::kOk;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;  ///< further ones, e.g. Retry-After, Allow
};

/// HTTP status of an error: the one table.
unsigned HttpStatus(const Error& error);

/// {"error": {"message", "type", "param", "code"}} as OpenAI's API has it. `param` is the error's `where`, a JSON path,
/// or null. `code` overrides the error code's own name.
nlohmann::ordered_json ErrorJson(const Error& error, std::string_view code = {});

/// An error as a whole response; kBusy gets Retry-After.
HttpResponse ErrorResponse(const Error& error);

/// An error of the protocol rather than of an endpoint, with a status of its own (405, 415, …).
HttpResponse StatusResponse(unsigned status, const std::string& message);

/// A response of one JSON value. Bytes that are not UTF-8 become U+FFFD.
HttpResponse JsonResponse(const nlohmann::ordered_json& value, unsigned status = http_status::kOk);

/// One line of JSON, with invalid UTF-8 replaced.
std::string DumpJson(const nlohmann::ordered_json& value);

/// Percent-decodes the path of a request target and checks it. Errors: kInvalidArgument for a target that does not
/// begin with '/', a bad escape, control characters, backslashes, ill-formed UTF-8, "//" and segments "." and "..".
Result<std::string> DecodePath(std::string_view target);

}  // namespace rf::server
