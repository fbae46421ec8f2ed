// One answer of the model, which Ctrl-C stops.
#pragma once

#include <memory>

#include "app/generate/generation.h"
#include "base/result.h"
#include "engine/model_session.h"

namespace rf::app {

/// As Generate(), but Ctrl-C in an InterruptScope ends the answer with kCancelled.
Result<std::shared_ptr<Generation>> GenerateUntilInterrupted(ModelSession& session, const GenerationJob& job,
                                                             const TextSink& sink);

}  // namespace rf::app
