#include "server/http/router.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
const Router::Methods* Router::FindPath(const std::string& path) const {
  auto route = routes_.find(path);
  for (size_t slash = path.rfind('/'); route == routes_.end() && slash != path.npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    if (slash + 1 < path.size()) route = routes_.find(path.substr(0, slash) + "/*");
  }
  return route == routes_.end() ? nullptr : &route->second;
}

std::variant<const Handler*, HttpResponse> Router::Find(const std::string& method, const std::string& path) const {
  const Methods* methods = FindPath(path);
  if (methods == nullptr && others_) return &others_;
  if (methods == nullptr) {
    return ErrorResponse({ErrorCode::kNotFound, fmt::format("no such path: {}", EscapeForMessage(path, 100)), ""});
  }
  const auto handler = methods->find(method == "HEAD" ? "GET" : method);
  if (handler != methods->end()) return &handler->second;
  std::string allowed;
  for (const auto& [name, unused] : *methods) {
    allowed += (allowed.empty() ? "" : ", ") + name + (name == "GET" ? ", HEAD" : "");
  }
  HttpResponse response = StatusResponse(http_status::kMethodNotAllowed,
                                         fmt::format("{} accepts {} only", EscapeForMessage(path, 100), allowed));
  response.headers["Allow"] = allowed;
  return response;
}

}  // namespace rf::server
