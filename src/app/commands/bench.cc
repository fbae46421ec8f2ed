// `bench`: the speed of prompt processing and decoding, in the shape of llama-bench.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/bench/floor.h"
#include "app/bench/measure.h"
#include "app/bench/report.h"
#include "app/commands/command.h"
#include "app/input.h"
#include "app/model_options.h"
#include "app/option_range.h"

namespace rf::app {
namespace {

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
  std::vector<int32_t> both;  ///< empty, or a prompt's length and a number of tokens after it
  bool profile = false;
  bool json = false;
  bool csv = false;
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
      if (!options.both.empty()) tests.push_back({options.both[0], options.both[1], depth, batch});
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

// Written as they come: a long run shows what it has.
class Report {
 public:
  Report(const Options& options, const ModelSession& session, const Floor& floor)
      : options_(options), session_(session), floor_(floor) {
    if (options_.csv) fmt::print("{}", BenchCsvHeader());
    if (IsTable()) PrintBenchHeader(session_.name.size());
  }

  void Add(BenchResult result) {
    if (IsTable()) {
      PrintBenchRow(result, floor_, session_);
      results_.push_back(std::move(result));
    } else {
      rows_.push_back(BenchToJson(result, floor_, session_));
      if (options_.csv) fmt::print("{}", BenchCsvLine(rows_.back()));
    }
    std::fflush(stdout);
  }

  void Finish() const {
    if (options_.json) PrintJson(rows_);
    if (!IsTable()) return;
    if (floor_.bandwidth > 0.0) PrintFloor(session_.parts.back().device, floor_);
    for (const BenchResult& result : results_) PrintProfile(result, floor_);
  }

 private:
  bool IsTable() const { return !options_.json && !options_.csv; }

  const Options& options_;
  const ModelSession& session_;
  const Floor& floor_;
  std::vector<BenchResult> results_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

Status Run(Options options) {
  const std::vector<BenchTest> tests = ListTests(options);
  if (tests.empty()) return Error{ErrorCode::kInvalidArgument, "nothing to measure: -p and -n are both 0", "bench"};
  FitSession(tests, options.model.session);
  Profile profile;  // before the session that fills it
  if (options.profile) options.model.session.profile = &profile;
  RF_ASSIGN_OR_RETURN(const OpenedModel opened, OpenSession(options.model));
  RF_ASSIGN_OR_RETURN(const Floor floor, MeasureFloor(opened, options.model));
  Report report(options, *opened.session, floor);
  uint64_t seed = options.model.seed.value_or(kSeed);
  for (const BenchTest& test : tests) {
    // Tokens of its own for each test: those of an earlier one would lie in the prefix cache.
    RF_ASSIGN_OR_RETURN(BenchResult result, RunBenchTest(*opened.session, test, options.repetitions, seed++,
                                                         options.model.session.profile));
    report.Add(std::move(result));
  }
  report.Finish();
  return {};
}

void AddOptions(CLI::App& command, Options& options) {
  command.footer(
      "Examples:\n"
      "  rocmforge bench smollm2                          pp512 and tg128\n"
      "  rocmforge bench smollm2 -p 512,2048 -n 0         prompts only\n"
      "  rocmforge bench smollm2 -p 0 -n 64 -b 1,8,32     decoding, several sequences at once\n"
      "  rocmforge bench smollm2 -d 0,4096 --json         with 4096 positions in the cache already\n"
      "  rocmforge bench smollm2 --profile -r 2           with the time, bytes and operations of each op\n"
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
  command.add_option("--pg", options.both, "a prompt of P tokens and G decoding steps after it, timed together")
      ->type_name("P,G")
      ->delimiter(',')
      ->expected(2)
      ->check(AcceptIn(1, kMaxTokens));
  command.add_flag("--profile", options.profile,
                   "where the time goes, op by op. A GPU is slower so: its kernels start one by one");
  CLI::Option* json = command.add_flag("--json", options.json, "print an array of objects");
  command.add_flag("--csv", options.csv, "print comma-separated values")->excludes(json);
}

}  // namespace

void AddBenchCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(root, chosen, "bench", "Measure prompt processing and decoding", AddOptions, Run);
}

}  // namespace rf::app
