// GET /health and /v1/health: whether the server can answer, and how busy it is. (While it shuts down, the connections
// answer 503 to everything.)
#include "server/openai/api.h"

namespace rf::server {
namespace {

HttpResponse Health(Api& api) {
  const Status health = api.engine().health();
  const EngineStats stats = api.engine().stats();
  nlohmann::ordered_json json = {{"status", health ? "ok" : "error"},
                                 {"model", api.options().model_id},
                                 {"running", stats.n_running},
                                 {"waiting", stats.n_waiting}};
  if (!health) json["message"] = health.error().message;
  return JsonResponse(json, health ? http_status::kOk : http_status::kUnavailable);
}

}  // namespace

void AddHealthEndpoint(Router& router, Api& api) {
  for (const char* path : {"/health", "/v1/health"}) {
    router.Add("GET", path,
               [&api](const HttpRequest&) -> boost::asio::awaitable<HandlerResult> { co_return Health(api); });
  }
}

}  // namespace rf::server
