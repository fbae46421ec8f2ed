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
  /// Sends whole events (made by SseEvent), returns when the system has taken them. False if the client is gone or
  /// takes too little: the handler should stop.
  virtual boost::asio::awaitable<bool> Send(std::string events) = 0;
};

/// One server-sent event. REQUIRES: no line end in `data`.
inline std::string SseEvent(const std::string& data) {
  return "data: " + data + "\n\n";
}

/// Writes the events of a stream; runs until it returns or the client goes away (then it is cancelled at its next
/// suspension). True: the stream is complete; false: it broke off, and the connection is closed without the last chunk.
using StreamBody = std::function<boost::asio::awaitable<bool>(EventStream&)>;

/// A whole response, or a stream of events.
using HandlerResult = std::variant<HttpResponse, StreamBody>;

/// Answers one request. While it waits and the client goes away, it is cancelled: its coroutine is resumed with an
/// operation_aborted exception, so cleanup belongs in destructors.
using Handler = std::function<boost::asio::awaitable<HandlerResult>(const HttpRequest&)>;

class Router {
 public:
  /// `path` is exact, or ends in "/*" for one or more further segments.
  void Add(const std::string& method, const std::string& path, Handler handler) {
    routes_[path][method] = std::move(handler);
  }

  /// `handler` answers every request whose path was not added, whatever its method.
  void AddOthers(Handler handler) { others_ = std::move(handler); }

  /// The handler, or the response to give instead: 404, or 405 with Allow. HEAD finds the handler of GET.
  std::variant<const Handler*, HttpResponse> Find(const std::string& method, const std::string& path) const;

 private:
  using Methods = std::map<std::string, Handler>;
  const Methods* FindPath(const std::string& path) const;

  std::map<std::string, Methods> routes_;
  Handler others_;
};

}  // namespace rf::server
