// What a result of the benchmark is put in relation to: the bytes and operations that it cannot do without, and how
// fast this machine reads and multiplies.
#pragma once

#include <cstdint>
#include <string>

#include "app/bench/measure.h"
#include "app/model_options.h"
#include "base/result.h"
#include "plan/step_bytes.h"
#include "plan/step_work.h"

namespace rf::app {

struct Floor {
  StepBytes bytes;
  double bandwidth = 0.0;    ///< measured, bytes per second; 0: not known
  std::string bandwidth_of;  ///< what was measured: "read" or "copy"
  std::string no_bandwidth;  ///< why it is not known
  double peak = 0.0;         ///< of matrix instructions, measured, operations per second; 0: not known
  std::string peak_of;       ///< "halves", or a CPU's instruction set
  int32_t prefill_chunk = 0;
};

/// Counts and measures; takes a second or two. CPUs read with the threads that compute, GPUs copy. Errors: those of
/// CountStepBytes, kDevice, kOutOfMemory.
Result<Floor> MeasureFloor(const OpenedModel& opened, const ModelOptions& options);

/// Memory that must be read for each token: a step reads the weights once and each sequence's KV cache.
double BytesPerToken(const BenchTest& test, const Floor& floor);

/// The share of the measured bandwidth that these bytes take; 0: not known.
double PercentOfBandwidth(const BenchResult& result, const Floor& floor);

/// The share of the measured peak that the products of a prompt with weights take; 0: not known, or not a prompt alone.
double PercentOfPeak(const BenchResult& result, const Floor& floor);

/// The least time for this work as a share of the time that it took: what is slower of moving its bytes at the measured
/// bandwidth and multiplying at the measured peak. Over 100 where caches help; 0: not known.
double PercentOfRoofline(const StepWork& work, double seconds, const Floor& floor);

}  // namespace rf::app
