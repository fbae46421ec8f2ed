// `models`: what the models' folder holds.
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "app/commands/command.h"
#include "app/store/model_store.h"

namespace rf::app {
namespace {

struct Options {
  std::string path_of;
  bool json = false;
};

Status Run(const Options& options) {
  if (!options.path_of.empty()) {
    RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(options.path_of));
    fmt::print("{}\n", path.string());
    return {};
  }
  RF_ASSIGN_OR_RETURN(const auto models, ListModels());
  if (options.json) {
    auto list = nlohmann::ordered_json::array();
    for (const StoredModel& model : models) {
      list.push_back({{"name", model.name}, {"path", model.path.string()}, {"size_bytes", model.size_bytes}});
    }
    fmt::print("{}\n", list.dump());
    return {};
  }
  if (models.empty()) fmt::print(stderr, "No models yet. Fetch one with: rocmforge pull smollm2\n");
  for (const StoredModel& model : models) {
    fmt::print("{:<32} {:>9.1f} MB  {}\n", model.name, static_cast<double>(model.size_bytes) / 1e6,
               model.path.string());
  }
  return {};
}

}  // namespace

void AddModelsCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<Options>(
      root, chosen, "models", "List the models that are here",
      [](CLI::App& command, Options& options) {
        command.add_option("--path", options.path_of, "print the path of this model only");
        command.add_flag("--json", options.json, "print a JSON array");
      },
      Run);
}

}  // namespace rf::app
