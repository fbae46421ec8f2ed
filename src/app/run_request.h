// One request alone, for commands that wait for it.
#pragma once

#include <functional>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/request.h"

namespace rf::app {

/// Runs a request to its end. Once `is_cancelled`, asked before each step, says yes, it ends with kCancelled. Errors:
/// those of Engine::Submit and Engine::Step, and the one that the request ended with.
Result<RequestResult> RunRequest(Engine& engine, Request request, const std::function<bool()>& is_cancelled = {});

}  // namespace rf::app
