// `rm`: removes a model from the models' folder.
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "app/commands/command.h"
#include "app/store/model_store.h"

namespace rf::app {
namespace {

struct Options {
  std::string name;
  bool json = false;
};

Status Run(const Options& options) {
  RF_RETURN_IF_ERROR(RemoveModel(options.name));
  if (options.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"removed", options.name}}.dump());
  } else {
    fmt::print(stderr, "{} removed\n", options.name);
  }
  return {};
}

}  // namespace

void AddRemoveCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "rm", "Remove a model that was pulled",
      [](CLI::App& command, Options& options) {
        command.add_option("NAME", options.name, "a name that `models` lists")->required();
        command.add_flag("--json", options.json, "print the result as JSON");
      },
      Run);
}

}  // namespace rf::app
