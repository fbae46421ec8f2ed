// Turns a scheduled step into the arrays that a runner takes.
#pragma once

#include "engine/runner.h"
#include "engine/scheduler.h"

namespace rf {

/// Fills `batch` (whatever it held) with the step's runs, one sequence of the batch for each. REQUIRES: the runs' pages
/// are reserved and the step is within `limits`.
void BuildBatch(const ScheduledStep& step, const RunnerLimits& limits, StepBatch& batch);

}  // namespace rf
