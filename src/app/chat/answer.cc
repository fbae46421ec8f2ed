#include "app/chat/answer.h"

#include "app/interrupt.h"

namespace rf::app {

Result<std::shared_ptr<Generation>> GenerateUntilInterrupted(ModelSession& session, const GenerationJob& job,
                                                             const TextSink& sink) {
  auto generation = std::make_shared<Generation>(*session.tokenizer, job);
  Engine& engine = *session.engine;
  RF_ASSIGN_OR_RETURN(const RequestId id, engine.Submit(MakeRequest(session, job, generation, sink)));
  while (engine.HasWork()) {
    if (InterruptScope::interrupted()) engine.Cancel(id);
    RF_RETURN_IF_ERROR(engine.Step());
  }
  if (generation->result.error) return *generation->result.error;
  return generation;
}

}  // namespace rf::app
