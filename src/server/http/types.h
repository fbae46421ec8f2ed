// Requests and responses as the endpoints see them: no socket, no Beast.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace rf::server {

struct HttpRequest {
  std::string method;
  std::string path;   ///< without the query, as sent
  std::string query;  ///< after '?', as sent
  std::string content_type;
  std::string authorization;
  std::string body;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;  ///< further ones, e.g. Retry-After, Allow
};

/// HTTP status of an error: the one table.
unsigned HttpStatus(const Error& error);

/// {"error": {"message", "type", "param", "code"}} as OpenAI's API has it. `param` is the error's `where`, a JSON path,
/// or null.
nlohmann::ordered_json ErrorJson(const Error& error);

/// An error as a whole response; kBusy gets Retry-After.
HttpResponse ErrorResponse(const Error& error);

/// A response of one JSON value. Bytes that are not UTF-8 become U+FFFD.
HttpResponse JsonResponse(const nlohmann::ordered_json& value, unsigned status = 200);

/// One line of JSON, with invalid UTF-8 replaced.
std::string DumpJson(const nlohmann::ordered_json& value);

}  // namespace rf::server
