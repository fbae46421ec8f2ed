#include "app/run_request.h"

#include <memory>
#include <utility>

namespace rf::app {

Result<RequestResult> RunRequest(Engine& engine, Request request, const std::function<bool()>& is_cancelled) {
  const auto result = std::make_shared<RequestResult>();
  request.on_finish = [result, on_finish = std::move(request.on_finish)](const RequestResult& finished) {
    if (on_finish) on_finish(finished);
    *result = finished;
  };
  RF_ASSIGN_OR_RETURN(const RequestId id, engine.Submit(std::move(request)));
  while (engine.HasWork()) {
    if (is_cancelled && is_cancelled()) engine.Cancel(id);
    RF_RETURN_IF_ERROR(engine.Step());
  }
  if (result->error) return *result->error;
  return *result;
}

}  // namespace rf::app
