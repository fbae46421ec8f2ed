#include "app/bench/floor.h"

#include <algorithm>

#include "app/bench/bandwidth.h"

namespace rf::app {
namespace {

double DecodeBytes(const BenchTest& test, const Floor& floor) {
  const int64_t n_positions = int64_t{test.n_depth} + test.n_prompt + test.n_gen / 2;
  return static_cast<double>(floor.bytes.weights) / test.n_batch +
         static_cast<double>(floor.bytes.KvBytes(n_positions));
}

double PromptBytes(const BenchTest& test, const Floor& floor) {
  const double n_batch = test.n_batch;
  const int32_t chunk = floor.prefill_chunk;
  double kv = 0.0;
  for (int32_t end = std::min(chunk, test.n_prompt);; end = std::min(end + chunk, test.n_prompt)) {
    kv += static_cast<double>(floor.bytes.KvBytes(test.n_depth + end));
    if (end == test.n_prompt) break;
  }
  const double n_tokens = test.n_prompt * n_batch;
  const int64_t n_whole_steps = (test.n_prompt * int64_t{test.n_batch} + chunk - 1) / chunk;
  const auto n_steps = static_cast<double>(n_whole_steps);
  return (n_steps * static_cast<double>(floor.bytes.weights) + n_batch * kv) / n_tokens;
}

Status MeasureDevice(const OpenedModel& opened, Floor& floor) {
  if (opened.session->parts.size() > 1) {
    floor.no_bandwidth = "the model is on several devices";
    return {};
  }
  Device& device = opened.DeviceInUse();
  if (device.properties().is_host_memory) {
    floor.bandwidth_of = "read";
    floor.bandwidth = MeasureReadBandwidth(device.properties().n_threads);
  } else {
    floor.bandwidth_of = "copy";
    RF_ASSIGN_OR_RETURN(floor.bandwidth, MeasureCopyBandwidth(device));
  }
  RF_ASSIGN_OR_RETURN(floor.peak, MeasureMatrixPeak(device));
  // Of a CPU by the instruction that its kernels multiply with, whichever that is.
  floor.peak_of = device.properties().is_host_memory ? device.properties().isa : "halves";
  if (floor.bandwidth == 0.0) floor.no_bandwidth = "no memory for the measurement of the bandwidth";
  return {};
}

}  // namespace

Result<Floor> MeasureFloor(const OpenedModel& opened, const ModelOptions& options) {
  const ModelSession& session = *opened.session;
  Floor floor;
  RF_ASSIGN_OR_RETURN(floor.bytes, CountStepBytes(*session.file, opened.DeviceInUse(), options.session.kv_format));
  RF_RETURN_IF_ERROR(MeasureDevice(opened, floor));
  floor.prefill_chunk = std::min(options.session.prefill_chunk, session.context_length);
  return floor;
}

double BytesPerToken(const BenchTest& test, const Floor& floor) {
  double bytes = 0.0;
  if (test.n_prompt > 0) bytes += test.n_prompt * PromptBytes(test, floor);
  if (test.n_gen > 0) bytes += test.n_gen * DecodeBytes(test, floor);
  return bytes / (test.n_prompt + test.n_gen);
}

double PercentOfBandwidth(const BenchResult& result, const Floor& floor) {
  if (floor.bandwidth == 0.0) return 0.0;
  return 100.0 * BytesPerToken(result.test, floor) * result.mean / floor.bandwidth;
}

double PercentOfPeak(const BenchResult& result, const Floor& floor) {
  if (result.test.n_gen > 0 || floor.peak == 0.0) return 0.0;
  return 100.0 * static_cast<double>(floor.bytes.operations) * result.mean / floor.peak;
}

double PercentOfRoofline(const StepWork& work, double seconds, const Floor& floor) {
  if (floor.bandwidth == 0.0 || seconds == 0.0) return 0.0;
  double least = work.bytes / floor.bandwidth;
  if (floor.peak > 0.0) least = std::max(least, work.operations / floor.peak);
  return 100.0 * least / seconds;
}

}  // namespace rf::app
