// GET /v1/models and /v1/models/{id}.
#include "server/openai/api.h"

namespace rf::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kOnePrefix = "/v1/models/";

Json ModelJson(const Api& api) {
  return {{"id", api.options().model_id},
          {"object", "model"},
          {"created", api.created()},
          {"owned_by", "rocmforge"},
          {"name", api.session().name},
          {"architecture", api.session().architecture},
          {"context_length", api.session().context_length}};
}

HttpResponse OneModel(const Api& api, const std::string& path) {
  const Status known = api.CheckModel(path.substr(kOnePrefix.size()));
  if (!known) return JsonResponse(ErrorJson(known.error(), "model_not_found"), HttpStatus(known.error()));
  return JsonResponse(ModelJson(api));
}

}  // namespace

void AddModelsEndpoint(Router& router, Api& api) {
  router.Add("GET", "/v1/models", [&api](const HttpRequest&) -> boost::asio::awaitable<HandlerResult> {
    co_return JsonResponse({{"object", "list"}, {"data", Json::array({ModelJson(api)})}});
  });
  router.Add("GET", "/v1/models/*", [&api](const HttpRequest& request) -> boost::asio::awaitable<HandlerResult> {
    co_return OneModel(api, request.path);
  });
}

}  // namespace rf::server
