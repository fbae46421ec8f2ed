#include "server/http/router.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

constexpr unsigned kMethodNotAllowed = 405;

bool IsPlainPath(const std::string& path) {
  if (path.empty() || path[0] != '/' || path.find("//") != std::string::npos || path.find("/..") != std::string::npos)
    return false;
  return std::all_of(path.begin(), path.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '%' && c != '\\'; });
}

}  // namespace

std::variant<const Handler*, HttpResponse> Router::Find(const HttpRequest& request) const {
  if (!IsPlainPath(request.path)) {
    return ErrorResponse({ErrorCode::kInvalidArgument, "the request's path is malformed", ""});
  }
  const auto route = routes_.find(request.path);
  if (route == routes_.end()) {
    return ErrorResponse(
        {ErrorCode::kNotFound, fmt::format("no such path: {}", EscapeForMessage(request.path, 100)), ""});
  }
  const auto handler = route->second.find(request.method);
  if (handler != route->second.end()) return &handler->second;
  std::string allowed;
  for (const auto& [method, unused] : route->second) allowed += (allowed.empty() ? "" : ", ") + method;
  HttpResponse response =
      ErrorResponse({ErrorCode::kInvalidArgument, fmt::format("{} accepts {} only", route->first, allowed), ""});
  response.status = kMethodNotAllowed;
  response.headers["Allow"] = allowed;
  return response;
}

}  // namespace rf::server
