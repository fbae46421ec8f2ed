// What a command's file offers to main: one function that registers it. commands.def lists them.
#pragma once

#include <functional>
#include <memory>

#include <CLI/App.hpp>

#include "base/result.h"

namespace rf::app {

/// The chosen command's work, run by main after parsing. Its error decides the exit code (exit_code.h).
using CommandWork = std::function<Status()>;

#define RF_COMMAND(Name) void Add##Name##Command(CLI::App& root, CommandWork& chosen);
#include "app/commands/commands.def"
#undef RF_COMMAND

/// Registers a command whose options live in an Options object: `setup(command, options)` declares the flags,
/// `run(options)` is the work.
template <typename Options, typename Setup, typename Run>
void AddCommand(CLI::App& root, CommandWork& chosen, const char* name, const char* description, Setup setup, Run run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand(name, description);
  setup(*command, *options);
  command->callback([options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
}

}  // namespace rf::app
