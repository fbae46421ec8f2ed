#include "hip/diagnosis/runtime_facts.h"

#include "hip/gpu_presence.h"
#include "hip/hip_device.h"
#include "hip/module.h"

namespace rf::hip {
namespace {

constexpr char kKind[] = "hip";

RuntimeDevice TryDevice(const std::string& label, const DeviceFactory& create) {
  RuntimeDevice tried;
  tried.label = label;
  const auto device = create(label);
  if (!device) {
    tried.refusal = device.error().message;
    return tried;
  }
  const DeviceProperties& it = (*device)->properties();
  tried.name = it.name;
  tried.arch = it.isa;
  tried.free_bytes = it.free_bytes;
  tried.total_bytes = it.memory_bytes;
  tried.driver_version = it.driver_version;
  tried.runtime_version = it.runtime_version;
  return tried;
}

}  // namespace

RuntimeFacts ReadRuntimeFacts(const DeviceFactory& create) {
  RuntimeFacts facts;
  const auto api = OpenModule(DefaultSearch(kKind));
  if (!api) {
    facts.module_error = api.error().message;
    return facts;
  }
  facts.runtime = (*api)->runtime;
  if ((*api)->targets != nullptr) facts.targets = (*api)->targets;
  const auto count = CountDevices(**api, LookForAmdGpu());
  if (!count) {
    facts.devices_error = count.error().message;
    return facts;
  }
  for (int32_t index = 0; index < *count; ++index) {
    facts.devices.push_back(TryDevice(std::string(kKind) + ":" + std::to_string(index), create));
  }
  return facts;
}

}  // namespace rf::hip
