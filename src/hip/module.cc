#include "hip/module.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.h"
#include "hip/gpu_runtime.h"

namespace rf::hip {
namespace {

namespace fs = std::filesystem;

constexpr char kOverride[] = "ROCMFORGE_GPU_MODULE";
constexpr char kEmulatedKind[] = "emulated";
constexpr char kEmulatorRuntime[] = "emulator";
constexpr size_t kMaxLoaderText = 120;

Error ModuleError(std::string message) {
  return Error{ErrorCode::kDevice, std::move(message), ""};
}

std::string FileName(const ModuleSearch& search) {
  return "librocmforge_" + search.kind + ".so";
}

fs::path ExecutableFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

Result<fs::path> FindModule(const ModuleSearch& search) {
  std::error_code ignored;
  if (!search.override_path.empty()) {
    if (fs::is_regular_file(search.override_path, ignored)) return fs::path(search.override_path);
    return ModuleError(fmt::format("{} names '{}', which is no file", kOverride,
                                   EscapeForMessage(search.override_path, kMaxLoaderText)));
  }
  for (const fs::path& folder : search.folders) {
    fs::path path = folder / FileName(search);
    if (fs::is_regular_file(path, ignored)) return path;
  }
  return ModuleError(fmt::format("this installation has no {}: build it (docs/gpu.md), or name it in {}",
                                 FileName(search), kOverride));
}

struct Opened {
  void* handle = nullptr;
  std::string error;  // of the loader, if handle is null
};

// What the loader says, without the folder of the file that it was asked for.
std::string LoaderError(const std::string& path) {
  std::string_view text = dlerror();
  if (text.starts_with(path)) text.remove_prefix(path.rfind('/') + 1);
  return EscapeForMessage(text, kMaxLoaderText);
}

Opened Open(const std::string& path, int scope) {
  Opened opened;
  opened.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NODELETE | scope);
  if (opened.handle == nullptr) opened.error = LoaderError(path);
  return opened;
}

// Loads the first of the runtimes that is there, for everyone to find its symbols. Returns why there is none: what was
// wrong with one that exists says more than which do not.
std::optional<std::string> LoadRuntime(const std::vector<std::string>& runtimes) {
  if (runtimes.empty()) return std::nullopt;
  std::string broken;
  for (const std::string& runtime : runtimes) {
    const Opened opened = Open(runtime, RTLD_GLOBAL);
    if (opened.handle != nullptr) return std::nullopt;
    const std::string name = runtime.substr(runtime.rfind('/') + 1);
    const bool is_missing = opened.error.starts_with(name + ": cannot open shared object file");
    if (!is_missing && broken.empty()) broken = opened.error;
  }
  if (!broken.empty()) return broken;
  std::vector<std::string> names;
  for (const std::string& runtime : runtimes) {
    if (runtime.find('/') == std::string::npos) names.push_back(runtime);
  }
  return fmt::format("no {} is installed", fmt::join(names.empty() ? runtimes : names, ", "));
}

// A module without the runtime that it needs fails to open: then the runtime is what to talk about.
Result<void*> OpenWithRuntime(const fs::path& path, const ModuleSearch& search) {
  const std::optional<std::string> no_runtime = LoadRuntime(search.runtimes);
  const Opened module = Open(path.string(), RTLD_LOCAL);
  if (module.handle != nullptr) return module.handle;
  if (no_runtime) {
    return ModuleError(
        fmt::format("the HIP runtime cannot be loaded: {}; install ROCm 5.7 or newer, or put the folder "
                    "of its libraries into LD_LIBRARY_PATH",
                    *no_runtime));
  }
  return ModuleError(
      fmt::format("the GPU module does not fit the installed GPU runtime: {}; build it with that one", module.error));
}

Status CheckApi(const GpuApi* api, const fs::path& path, const ModuleSearch& search) {
  const std::string name = EscapeForMessage(path.string(), kMaxLoaderText);
  if (api == nullptr) return ModuleError(fmt::format("{} has no table of functions: build it anew", name));
  if (api->version != kGpuApiVersion || api->table_bytes != sizeof(KernelTable)) {
    return ModuleError(
        fmt::format("{} is of another version of this program (interface {}, {} bytes of kernels; {} and {} are "
                    "wanted): build both "
                    "from the same sources",
                    name, api->version, api->version == kGpuApiVersion ? api->table_bytes : 0, kGpuApiVersion,
                    sizeof(KernelTable)));
  }
  // The emulator must never pass for a GPU.
  const bool is_emulator = std::string_view(api->runtime) == kEmulatorRuntime;
  if (is_emulator != (search.kind == kEmulatedKind)) {
    return ModuleError(fmt::format("{} is a module for {}, not for --device {}", name, api->runtime, search.kind));
  }
  return {};
}

}  // namespace

bool HasModule(const ModuleSearch& search) {
  return FindModule(search).has_value();
}

ModuleSearch DefaultSearch(std::string_view kind) {
  ModuleSearch search;
  search.kind = kind;
  const fs::path here = ExecutableFolder();
  search.folders = {here, here.parent_path() / "lib" / "rocmforge"};
  const char* override_path = std::getenv(kOverride);
  if (override_path != nullptr) search.override_path = override_path;
  if (kind == kEmulatedKind) return search;
  for (const char* number : {"7", "6", "5"}) {
    const std::string name = std::string("libamdhip64.so.") + number;
    search.runtimes.push_back(name);
    search.runtimes.push_back("/opt/rocm/lib/" + name);  // where AMD's packages put it, not always in the loader's path
  }
  return search;
}

Result<const GpuApi*> OpenModule(const ModuleSearch& search) {
  RF_ASSIGN_OR_RETURN(const fs::path path, FindModule(search));
  RF_ASSIGN_OR_RETURN(void* const handle, OpenWithRuntime(path, search));
  void* const symbol = dlsym(handle, kGpuApiSymbol);
  if (symbol == nullptr) {
    return ModuleError(fmt::format("{} is no GPU module of this program: it has no {}",
                                   EscapeForMessage(path.string(), kMaxLoaderText), kGpuApiSymbol));
  }
  const GpuApi* api = reinterpret_cast<GetGpuApiFn>(symbol)();
  RF_RETURN_IF_ERROR(CheckApi(api, path, search));
  return api;
}

Status RunFault(const ModuleSearch& search, int32_t device, GpuFault fault) {
  RF_ASSIGN_OR_RETURN(const fs::path path, FindModule(search));
  RF_ASSIGN_OR_RETURN(void* const handle, OpenWithRuntime(path, search));
  void* const symbol = dlsym(handle, kGpuFaultSymbol);
  if (symbol == nullptr) return ModuleError(fmt::format("the module has no {}", kGpuFaultSymbol));
  reinterpret_cast<GpuFaultFn>(symbol)(device, fault);
  return {};
}

Result<int32_t> CountDevices(const GpuApi& api, const GpuPresence& presence) {
  int32_t count = 0;
  const int code = api.count_devices(&count);
  if (code == 0 && count > 0) return count;
  if (code == 0 || code == kGpuNoDevice) {
    const std::string why = std::string_view(api.runtime) == "HIP" ? ExplainNoDevice(presence, VisibleDevicesVariable())
                                                                   : "look whether its driver is loaded and lists one";
    return ModuleError(fmt::format("{} finds no GPU: {}", api.runtime, why));
  }
  return ModuleError(fmt::format("{} cannot look for GPUs: {}; update the GPU's driver or the runtime", api.runtime,
                                 DescribeCode(api, code)));
}

}  // namespace rf::hip
