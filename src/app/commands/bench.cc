// `bench`: the speed of prompt processing and decoding, in the shape of llama-bench.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/bench/bandwidth.h"
#include "app/bench/measure.h"
#include "app/commands/command.h"
#include "app/input.h"
#include "app/model_options.h"
#include "app/option_range.h"
#include "plan/step_bytes.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

constexpr int32_t kMaxTokens = 1 << 20;
constexpr int32_t kMaxBatch = 1024;
constexpr uint64_t kSeed = 1;

struct Options {
  ModelOptions model;
  std::vector<int32_t> prompts = {512};
  std::vector<int32_t> gens = {128};
  std::vector<int32_t> batches = {1};
  std::vector<int32_t> depths = {0};
  int32_t repetitions = 5;
  bool json = false;
};

// What a result is put in relation to.
struct Floor {
  StepBytes bytes;
  double bandwidth = 0.0;    ///< measured, bytes per second; 0: not known
  std::string bandwidth_of;  ///< what was measured: "read" or "copy"
  std::string no_bandwidth;  ///< why it is not known
  double peak = 0.0;         ///< of matrix instructions, measured, operations per second; 0: not known
  std::string peak_of;       ///< "halves", or a CPU's instruction set
  int32_t prefill_chunk = 0;
};

std::vector<BenchTest> ListTests(const Options& options) {
  std::vector<BenchTest> tests;
  for (const int32_t batch : options.batches) {
    for (const int32_t depth : options.depths) {
      for (const int32_t n : options.prompts) {
        if (n > 0) tests.push_back({n, 0, depth, batch});
      }
      for (const int32_t n : options.gens) {
        if (n > 0) tests.push_back({0, n, depth, batch});
      }
    }
  }
  return tests;
}

// Room for the largest test, where the command line does not say otherwise.
void FitSession(const std::vector<BenchTest>& tests, SessionOptions& session) {
  int64_t kv_tokens = 0;
  int32_t context = 0;
  for (const BenchTest& test : tests) {
    const int32_t positions = PositionsOf(test, session.prefill_chunk);
    context = std::max(context, positions);
    session.max_sequences = std::max(session.max_sequences, test.n_batch);
    kv_tokens = std::max(kv_tokens, int64_t{positions + 2 * session.page_tokens} * test.n_batch);
  }
  if (session.context_length == 0) session.context_length = context;
  if (session.kv_tokens == 0) session.kv_tokens = kv_tokens;
}

std::string NameOf(const BenchTest& test) {
  std::string name = test.n_prompt > 0 ? fmt::format("pp{}", test.n_prompt) : fmt::format("tg{}", test.n_gen);
  if (test.n_depth > 0) name += fmt::format(" @ d{}", test.n_depth);
  if (test.n_batch > 1) name += fmt::format(" x {}", test.n_batch);
  return name;
}

// Memory that must be read for each token: a step reads the weights once and each sequence's KV cache.
double BytesPerToken(const BenchTest& test, const Floor& floor) {
  const double n_batch = test.n_batch;
  if (test.n_gen > 0) {
    const double kv = static_cast<double>(floor.bytes.KvBytes(test.n_depth + test.n_gen / 2));
    return static_cast<double>(floor.bytes.weights) / n_batch + kv;
  }
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

// Of all devices, "cpu+hip:0".
struct DeviceNames {
  std::string labels;
  std::string isa;
  int n_threads = 0;
};

DeviceNames NamesOf(const ModelSession& session) {
  DeviceNames names;
  for (const PartInfo& part : session.parts) {
    const char* plus = names.labels.empty() ? "" : "+";
    names.labels += plus + part.device.Label();
    names.isa += plus + part.device.isa;
    names.n_threads = std::max(names.n_threads, part.device.n_threads);
  }
  return names;
}

// The share of the measured peak that the products of a prompt with weights take; 0: not known.
double PercentOfPeak(const BenchResult& result, const Floor& floor) {
  if (result.test.n_prompt == 0 || floor.peak == 0.0) return 0.0;
  return 100.0 * static_cast<double>(floor.bytes.operations) * result.mean / floor.peak;
}

void AddPeak(const BenchResult& result, const Floor& floor, ordered_json& row) {
  if (const double percent = PercentOfPeak(result, floor); percent > 0.0) {
    row["pct_peak"] = percent;
    row["peak"] = floor.peak;
    row["peak_of"] = floor.peak_of;
    row["operations_per_token"] = floor.bytes.operations;
  } else {
    row["pct_peak_reason"] =
        floor.peak > 0.0 ? "decoding is bound by memory" : "the peak arithmetic rate of this device is not known";
  }
}

ordered_json ToJson(const BenchResult& result, const Floor& floor, const ModelSession& session) {
  const double bytes = BytesPerToken(result.test, floor);
  const DeviceNames device = NamesOf(session);
  ordered_json row = {{"test", NameOf(result.test)},
                      {"avg_ts", result.mean},
                      {"stddev_ts", result.stddev},
                      {"n_prompt", result.test.n_prompt},
                      {"n_gen", result.test.n_gen},
                      {"n_depth", result.test.n_depth},
                      {"n_batch", result.test.n_batch},
                      {"threads", device.n_threads},
                      {"device", device.labels},
                      {"isa", device.isa},
                      {"bytes_per_token", bytes},
                      {"pct_bandwidth", nullptr},
                      {"pct_peak", nullptr},
                      {"samples_ts", result.samples},
                      {"model", session.name}};
  if (floor.bandwidth > 0.0) {
    row["pct_bandwidth"] = 100.0 * bytes * result.mean / floor.bandwidth;
    row[floor.bandwidth_of + "_bandwidth"] = floor.bandwidth;
  } else {
    row["pct_bandwidth_reason"] = floor.no_bandwidth;
  }
  AddPeak(result, floor, row);
  return row;
}

void PrintHeader(size_t name_width) {
  fmt::print("| {:<{}} | {:>10} | {:>9} | {:<12} | {:>7} | {:>16} | {:>19} | {:>11} | {:>6} |\n", "model", name_width,
             "size", "params", "backend", "threads", "test", "t/s", "% bandwidth", "% peak");
  fmt::print("| {:-<{}} | {:->9}: | {:->8}: | {:-<12} | {:->6}: | {:->15}: | {:->18}: | {:->10}: | {:->5}: |\n", "",
             name_width, "", "", "", "", "", "", "", "");
}

void PrintRow(const BenchResult& result, const Floor& floor, const ModelSession& session) {
  double n_parameters = 0.0;
  double file_bytes = 0.0;
  for (const GgufTensor& tensor : session.file->tensors()) n_parameters += static_cast<double>(tensor.n_elements);
  for (const GgufTensor& tensor : session.file->tensors()) file_bytes += static_cast<double>(tensor.n_bytes);
  const double read = BytesPerToken(result.test, floor) * result.mean;
  const DeviceNames device = NamesOf(session);
  const std::string share = floor.bandwidth > 0.0 ? fmt::format("{:.1f}", 100.0 * read / floor.bandwidth) : "unknown";
  const double percent = PercentOfPeak(result, floor);
  const std::string of_peak = percent > 0.0 ? fmt::format("{:.1f}", percent) : "";
  fmt::print("| {} | {:>6.2f} MiB | {:>7.2f} M | {:<12} | {:>7} | {:>16} | {:>19} | {:>11} | {:>6} |\n", session.name,
             file_bytes / 1048576.0, n_parameters / 1e6, fmt::format("{} {}", device.labels, device.isa),
             device.n_threads, NameOf(result.test), fmt::format("{:.2f} ± {:.2f}", result.mean, result.stddev), share,
             of_peak);
}

// CPUs read with the threads that compute, GPUs copy.
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

void PrintBandwidth(const DeviceProperties& device, const Floor& floor) {
  const std::string what = device.is_host_memory
                               ? fmt::format("Read bandwidth with {} threads", device.n_threads)
                               : fmt::format("Copy bandwidth of {}, bytes read and written", device.Label());
  fmt::print(
      "\n{}: {:.1f} GB/s. % bandwidth: the share of it that weights and KV cache alone take; over 100 where caches "
      "help.\n",
      what, floor.bandwidth / 1e9);
  if (floor.peak == 0.0) return;
  fmt::print(
      "Matrix instructions ({}) from registers alone: {:.2f} TOP/s, measured. % peak: the share of it that a prompt's "
      "products with the weights take, two operations for each weight and token.\n",
      floor.peak_of, floor.peak / 1e12);
}

// Written as they come: a long run shows what it has.
Status Run(Options options) {
  const std::vector<BenchTest> tests = ListTests(options);
  if (tests.empty()) return Error{ErrorCode::kInvalidArgument, "nothing to measure: -p and -n are both 0", "bench"};
  FitSession(tests, options.model.session);
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(options.model));
  ModelSession& session = *opened.session;
  Floor floor;
  RF_ASSIGN_OR_RETURN(floor.bytes,
                      CountStepBytes(*session.file, opened.DeviceInUse(), options.model.session.kv_format));
  RF_RETURN_IF_ERROR(MeasureDevice(opened, floor));
  floor.prefill_chunk = std::min(options.model.session.prefill_chunk, session.context_length);
  if (!options.json) PrintHeader(session.name.size());
  auto rows = ordered_json::array();
  uint64_t seed = options.model.seed.value_or(kSeed);
  for (const BenchTest& test : tests) {
    // Tokens of its own for each test: those of an earlier one would lie in the prefix cache.
    RF_ASSIGN_OR_RETURN(const BenchResult result, RunBenchTest(session, test, options.repetitions, seed++));
    rows.push_back(ToJson(result, floor, session));
    if (!options.json) PrintRow(result, floor, session);
    std::fflush(stdout);
  }
  if (options.json) {
    PrintJson(rows);
  } else if (floor.bandwidth > 0.0) {
    PrintBandwidth(session.parts.back().device, floor);
  }
  return {};
}

void AddOptions(CLI::App& command, Options& options) {
  command.footer(
      "Examples:\n"
      "  rocmforge bench smollm2                          pp512 and tg128\n"
      "  rocmforge bench smollm2 -p 512,2048 -n 0         prompts only\n"
      "  rocmforge bench smollm2 -p 0 -n 64 -b 1,8,32     decoding, several sequences at once\n"
      "  rocmforge bench smollm2 -d 0,4096 --json         with 4096 positions in the cache already\n"
      "t/s is the mean of the repetitions ± their standard deviation, after a run to warm up; with a batch, all\n"
      "sequences together. % bandwidth and % peak: the shares of what this machine reads and multiplies, measured\n"
      "at the start. Close other programs: the figures mean nothing otherwise.");
  AddModelOptions(command, options.model);
  command.add_option("-p,--n-prompt", options.prompts, "prompt lengths (default 512; 0: none)")
      ->delimiter(',')
      ->check(AcceptIn(0, kMaxTokens));
  command.add_option("-n,--n-gen", options.gens, "tokens to decode (default 128; 0: none)")
      ->delimiter(',')
      ->check(AcceptIn(0, kMaxTokens));
  command.add_option("-b,--batch", options.batches, "sequences at once (default 1)")
      ->delimiter(',')
      ->check(AcceptIn(1, kMaxBatch));
  command.add_option("-d,--n-depth", options.depths, "positions in the KV cache before (default 0)")
      ->delimiter(',')
      ->check(AcceptIn(0, kMaxTokens));
  command.add_option("-r,--repetitions", options.repetitions, "runs of each test (default 5)")
      ->check(AcceptIn(1, 1000));
  command.add_flag("--json", options.json, "print an array of objects");
}

}  // namespace

void AddBenchCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(root, chosen, "bench", "Measure prompt processing and decoding", AddOptions, Run);
}

}  // namespace rf::app
