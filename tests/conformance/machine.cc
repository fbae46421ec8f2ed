#include "conformance/machine.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "base/check.h"
#include "cpu/cpu_device.h"
#include "cpu/isa.h"
#include "hip/hip_device.h"
#include "hip/module.h"

namespace rf::conformance {
namespace {

Result<const hip::GpuApi*> OpenGpuModule(const std::string& kind) {
  hip::ModuleSearch search = hip::DefaultSearch(kind);
  search.folders.emplace_back(RF_MODULE_FOLDER);  // the tests do not lie beside the program
  return hip::OpenModule(search);
}

Result<std::unique_ptr<Device>> CreateDevice(const std::string& name, int n_threads) {
  if (IsBFloat16Machine(name)) {
    return cpu::CreateCpuDevice({n_threads, name.substr(0, name.rfind('_')), cpu::Precision::kBFloat16});
  }
  if (!IsGpuMachine(name)) return cpu::CreateCpuDevice({n_threads, name});
  const size_t colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  RF_ASSIGN_OR_RETURN(const hip::GpuApi* api, OpenGpuModule(kind));
  return hip::CreateHipDevice(*api, kind, std::atoi(name.c_str() + colon + 1));
}

}  // namespace

bool IsGpuMachine(std::string_view name) {
  return name.find(':') != std::string_view::npos;
}

bool IsBFloat16Machine(std::string_view name) {
  constexpr std::string_view kEnd = "_bf16";
  return name.size() > kEnd.size() && name.substr(name.size() - kEnd.size()) == kEnd;
}

Machine* MachineOf(std::string_view name, int n_threads) {
  static std::map<std::pair<std::string, int>, Machine> machines;
  const std::pair<std::string, int> key{name, n_threads};
  if (const auto found = machines.find(key); found != machines.end()) return &found->second;
  auto device = CreateDevice(std::string(name), n_threads);
  if (!device) {
    RF_CHECK(device.error().code == ErrorCode::kUnsupported, device.error().ToString());
    return nullptr;
  }
  auto stream = (*device)->CreateStream();
  RF_CHECK(stream.has_value());
  return &machines.emplace(key, Machine{std::move(*device), std::move(*stream)}).first->second;
}

Machines AllMachines() {
  Machines machines;
  for (const cpu::Isa& isa : cpu::AllIsas()) machines.names.emplace_back(isa.name);
  // The one instruction set with kernels for it, where the program has it at all.
  if (cpu::SelectIsa("amx") || cpu::SelectIsa("amx").error().code == ErrorCode::kUnsupported) {
    machines.names.emplace_back("amx_bf16");
  }
  for (const char* kind : {"hip", "emulated"}) {
    const auto api = OpenGpuModule(kind);
    const auto count = api ? hip::CountDevices(**api, hip::LookForAmdGpu()) : Result<int32_t>(api.error());
    if (!count) machines.missing.push_back(std::string(kind) + ": " + count.error().message);
    for (int32_t i = 0; count && i < *count; ++i) machines.names.push_back(std::string(kind) + ":" + std::to_string(i));
  }
  return machines;
}

}  // namespace rf::conformance
