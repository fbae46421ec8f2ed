// `inspect`: what a file holds, and whether it can be run.
#include <cstdio>
#include <string>

#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/input.h"
#include "app/inspect/report.h"

namespace rf::app {
namespace {

struct Options {
  ModelOptions model;
  bool with_tensors = false;
  bool json = false;
};

Status Run(const Options& options) {
  RF_ASSIGN_OR_RETURN(const InspectReport report, InspectModel(options.model));
  if (options.json) {
    PrintJson(ToJson(report, options.with_tensors));
  } else {
    const std::string text = Describe(report, options.with_tensors);
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  if (!report.refusal) return {};
  // What is there was shown; that it cannot be run is still the answer.
  Error refusal = *report.refusal;
  if (refusal.code != ErrorCode::kUnsupported) refusal.code = ErrorCode::kCorruptFile;
  return refusal;
}

}  // namespace

void AddInspectCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "inspect", "Show what a file holds and the memory it needs",
      [](CLI::App& command, Options& options) {
        command.footer(
            "Examples:\n"
            "  rocmforge inspect smollm2\n"
            "  rocmforge inspect model-00001-of-00003.gguf --ctx 32768 --kv-type q8_0\n"
            "  rocmforge inspect model.gguf --json | jq .memory\n"
            "The file is checked as `run` does: what is refused here is refused there, with exit code 3.");
        AddModelOptions(command, options.model);
        command.add_flag("--tensors", options.with_tensors, "list the tensors, too");
        command.add_flag("--json", options.json, "print one JSON object; arrays by type and length only");
      },
      Run);
}

}  // namespace rf::app
