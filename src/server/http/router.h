// Which handler answers which path.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/awaitable.hpp>

#include "server/http/types.h"

namespace rf::server {

/// What a handler may write when its answer is a stream of server-sent events. All calls come from the connection's own
/// executor.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Sends one `data:` event. False if the client is gone: the handler should stop.
  virtual boost::asio::awaitable<bool> Send(std::string data) = 0;
};

/// Writes the events of a stream; runs until it returns or the client goes away (then it is cancelled at its next
/// suspension).
using StreamBody = std::function<boost::asio::awaitable<void>(EventStream&)>;

/// A whole response, or a stream of events.
using HandlerResult = std::variant<HttpResponse, StreamBody>;

/// Answers one request. While it waits and the client goes away, it is cancelled: its coroutine is resumed with an
/// operation_aborted exception, so cleanup belongs in destructors.
using Handler = std::function<boost::asio::awaitable<HandlerResult>(const HttpRequest&)>;

class Router {
 public:
  void Add(const std::string& method, const std::string& path, Handler handler) {
    routes_[path][method] = std::move(handler);
  }

  /// The handler, or the response to give instead: 404, 405 with Allow, 400 for a path that is no plain path.
  std::variant<const Handler*, HttpResponse> Find(const HttpRequest& request) const;

 private:
  std::map<std::string, std::map<std::string, Handler>> routes_;
};

}  // namespace rf::server
