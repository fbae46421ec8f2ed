#include "app/model_options.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/App.hpp>

#include "app/input.h"
#include "app/option_range.h"
#include "app/store/model_store.h"
#include "app/store/progress.h"
#include "base/check.h"
#include "base/log.h"
#include "base/utf8.h"
#include "ops/kv_formats.h"
#include "quant/format.h"

namespace rf::app {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int32_t kMaxGpuLayers = 100000;
constexpr int32_t kMaxContext = 1 << 24;
constexpr int32_t kMaxPrefillChunk = 1 << 16;
constexpr int64_t kMaxKvTokens = std::numeric_limits<int32_t>::max();

void AddDeviceOptions(CLI::App& command, ModelOptions& options) {
  command.add_option("--device", options.devices.device, "auto (default), cpu, hip or hip:N");
  command.add_flag("--require-gpu", options.devices.require_gpu, "fail rather than run on the CPU");
  command.add_flag_callback(
      "--no-self-test", [&options] { options.devices.self_test = false; },
      "use a GPU without comparing a small model's logits with the CPU's first");
  command
      .add_option_function<std::string>(
          "--gpu-layers,--n-gpu-layers",
          [&options](const std::string& text) {
            options.session.gpu_layers.reset();
            if (text != "auto") options.session.gpu_layers = std::stoi(text);
          },
          "layers on the GPU, the last ones; the others run on the CPU (default auto: as many as fit). Also: -ngl")
      ->type_name("N|auto")
      ->check(
          CLI::Validator([](std::string& text) { return text == "auto" ? "" : AcceptIn(0, kMaxGpuLayers)(text); }, ""));
  command
      .add_option(
          "--threads", options.devices.n_threads,
          "CPU threads (default: one for each core that may be used, at most as many as the control group allows)")
      ->check(AcceptIn(1, kMaxThreads));
  command
      .add_option("--decode-threads", options.devices.n_decode_threads,
                  "of them, those that multiply for up to 16 tokens at a time: on many cores fewer than all can be as "
                  "fast, since memory is what limits (default: all)")
      ->check(AcceptIn(1, kMaxThreads));
  command.add_flag("--pin-threads", options.devices.pins_threads,
                   "each CPU thread but the one that starts the others' work stays on a core of its own; not for two "
                   "programs at a time");
  command.add_option("--isa", options.devices.cpu_isa,
                     "the CPU's instruction set, such as avx2 (default: the best that it has)");
  command
      .add_option_function<std::string>(
          "--activations",
          [&options](const std::string& name) {
            options.devices.cpu_precision = name == "bf16" ? cpu::Precision::kBFloat16 : cpu::Precision::kExact;
          },
          "how the CPU computes prompts: exact (default), or bf16: with AMX 1.8 to 3 times as fast, elsewhere no "
          "change; costs a mean KL divergence of about 1e-4, and a text may depend on how its prompt was cut into "
          "steps")
      ->check(CLI::IsMember({"exact", "bf16"}));
  command.add_flag_callback(
      "--no-repack", [&options] { options.devices.cpu_packs_weights = false; },
      "the CPU reads weights as the mapped file holds them, instead of packing a copy for its kernels: no memory "
      "beside the system's cache, but decoding is about a tenth as fast");
}

// "f16", "bf16", …, the default first.
std::vector<std::string> KvTypes() {
  std::vector<std::string> names;
  for (const Format format : kKvFormats) {
    std::string& name = names.emplace_back(GetFormatInfo(format).name);
    for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return names;
}

void AddCacheOptions(CLI::App& command, SessionOptions& session) {
  const std::vector<std::string> kv_types = KvTypes();
  command
      .add_option("--ctx", session.context_length,
                  fmt::format("positions of one conversation at most (default {}; 0: the model's own, at most {})",
                              session.context_length, kDefaultContext))
      ->check(AcceptIn(0, kMaxContext));
  command
      .add_option_function<std::string>(
          "--kv-type", [&session](const std::string& name) { session.kv_format = FindFormatByName(name)->format; },
          fmt::format("how keys and values are kept: {} (default {})", fmt::join(kv_types, ", "), kv_types.front()))
      ->check(CLI::IsMember(kv_types, CLI::ignore_case));
  command
      .add_option("--kv-tokens", session.kv_tokens,
                  "positions in the whole KV cache (default 0: what the sequences need)")
      ->check(AcceptIn(int64_t{0}, kMaxKvTokens));
  command.add_option("--prefill-chunk", session.prefill_chunk, "prompt tokens in one step at most (default 512)")
      ->check(AcceptIn(1, kMaxPrefillChunk));
  command.add_flag_callback(
      "--no-prefix-cache", [&session] { session.use_prefix_cache = false; },
      "do not reuse the KV pages of earlier prompts");
  command.add_flag_callback(
      "--no-graphs", [&session] { session.record_steps = false; },
      "start a GPU's kernels one by one, instead of replaying recorded steps");
}

void AddFileOptions(CLI::App& command, ModelOptions& options) {
  command.add_flag_callback(
      "--no-mmap", [&options] { options.session.use_mmap = false; }, "read the file instead of mapping it");
  command.add_flag("--verify", options.session.verify, "check all of the file's numbers before loading it");
  command.add_flag("--verify-weights", options.session.check_weights,
                   "after loading, compare the weights in the device's memory with the file's");
  command.add_option("--chat-template-file", options.chat_template_file, "use this template instead of the model's");
}

// A number of layers may leave some for the CPU, whatever else is said of devices.
Result<DeviceOptions> DevicesOf(const ModelOptions& options) {
  DeviceOptions devices = options.devices;
  devices.adds_cpu = options.session.gpu_layers.has_value();
  if (devices.require_gpu && options.session.gpu_layers == 0) {
    return Error{ErrorCode::kInvalidArgument, "leaves nothing for the GPU that --require-gpu wants", "--gpu-layers 0"};
  }
  return devices;
}

// Whether the CPU may do what a GPU was found for and could not.
bool MayFallBack(const ModelOptions& options, const Error& error, const DeviceList& devices) {
  if (error.code != ErrorCode::kDevice && error.code != ErrorCode::kOutOfMemory) return false;
  return options.devices.device == "auto" && !options.session.gpu_layers && devices.size() > 1 &&
         devices.back()->properties().is_host_memory;
}

// A GPU that fails although it was found, tested and has the room leaves the model to the CPU.
Status LoadSession(const std::string& path, const ModelOptions& options, const SessionOptions& session,
                   OpenedModel& opened) {
  auto loaded = LoadModel(path, Pointers(opened.devices), session);
  if (!loaded && MayFallBack(options, loaded.error(), opened.devices)) {
    Log(LogLevel::kWarning, loaded.error().ToString() + ". The CPU is used instead");
    opened.devices.erase(opened.devices.begin(), std::prev(opened.devices.end()));
    loaded = LoadModel(path, Pointers(opened.devices), session);
  }
  if (!loaded) return loaded.error();
  opened.session = std::move(*loaded);
  return {};
}

}  // namespace

CLI::Option* AddModelOptions(CLI::App& command, ModelOptions& options) {
  CLI::Option* model = command.add_option("MODEL", options.model, "GGUF file, or a name that `models` lists");
  AddDeviceOptions(command, options);
  AddCacheOptions(command, options.session);
  command.add_option("--seed", options.seed, "of the random numbers (default: a new one each time)")
      ->check(AcceptIn(uint64_t{0}, std::numeric_limits<uint64_t>::max()));
  AddFileOptions(command, options);
  return model->required();
}

Result<OpenedModel> OpenSession(const ModelOptions& options) {
  RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(options.model));
  SessionOptions session = options.session;
  if (!options.chat_template_file.empty()) {
    RF_ASSIGN_OR_RETURN(session.chat_template, ReadTextFile(options.chat_template_file));
    if (session.chat_template.empty()) {
      return Error{ErrorCode::kInvalidArgument, "is empty", EscapeForMessage(options.chat_template_file, 160)};
    }
  }
  OpenedModel opened;
  opened.file = FileInUse(path);
  RF_ASSIGN_OR_RETURN(const DeviceOptions devices, DevicesOf(options));
  RF_ASSIGN_OR_RETURN(opened.devices, CreateDevices(devices));
  Progress progress("Loading " + EscapeForMessage(path.filename().string(), 80));
  if (isatty(STDERR_FILENO) == 1) {
    session.progress = [&progress](uint64_t done, uint64_t total) { progress.Update(done, total); };
  }
  RF_RETURN_IF_ERROR(LoadSession(path.string(), options, session, opened));
  return opened;
}

Device& OpenedModel::DeviceInUse() const {
  const auto is_used = [this](const auto& device) {
    return device->properties().Label() == session->parts.back().device.Label();
  };
  const auto found = std::find_if(devices.begin(), devices.end(), is_used);
  RF_CHECK(found != devices.end());
  return **found;
}

uint64_t SeedOf(const ModelOptions& options) {
  if (options.seed) return *options.seed;
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace rf::app
