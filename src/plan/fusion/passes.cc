#include "plan/fusion/passes.h"

namespace rf {

void RunFusionPasses(Graph& graph) {
  FuseResidual(graph);
}

}  // namespace rf
