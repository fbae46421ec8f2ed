#include "hip/diagnosis/runtime_facts.h"

#include "hip/hip_device.h"
#include "hip/module.h"

namespace rf::hip {
namespace {

constexpr char kKind[] = "hip";

RuntimeDevice TryDevice(const GpuApi& api, int32_t index) {
  RuntimeDevice tried;
  tried.label = std::string(kKind) + ":" + std::to_string(index);
  const auto device = CreateHipDevice(api, kKind, index);
  if (!device) {
    tried.refusal = device.error().message;
    return tried;
  }
  const DeviceProperties& it = (*device)->properties();
  tried.name = it.name;
  tried.arch = it.isa;
  tried.free_bytes = it.free_bytes;
  tried.total_bytes = it.memory_bytes;
  return tried;
}

}  // namespace

RuntimeFacts ReadRuntimeFacts() {
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
  for (int32_t index = 0; index < *count; ++index) facts.devices.push_back(TryDevice(**api, index));
  return facts;
}

}  // namespace rf::hip
