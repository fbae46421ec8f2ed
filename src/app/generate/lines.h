// `generate --jsonl`: many prompts through one engine.
#pragma once

#include "app/generate/options.h"
#include "base/result.h"
#include "engine/model_session.h"

namespace rf::app {

/// Reads {"prompt"}, {"tokens"} or {"messages"} lines from standard input, runs up to options.parallel of them at once
/// and prints one object a line, in the order of the input. A line that fails, also by an unknown
/// field, becomes {"line", "id", "error"} and
/// the rest goes on. Errors: reading, writing; a device that fails with nothing running.
Status GenerateLines(ModelSession& session, const GenerateOptions& options);

}  // namespace rf::app
