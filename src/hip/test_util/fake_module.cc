// A GPU module with one fault, which a definition RF_FAKE_... chooses, for tests of opening modules.
#include "hip/gpu_api.h"

extern "C" int RfFakeGetDeviceCount(int* count);  // of fake_runtime.cc, left open as HIP's symbols are
#if defined(RF_FAKE_MISSING_FUNCTION)
extern "C" int RfFakeIsInNoRuntime();
#endif

namespace {

int CountDevices([[maybe_unused]] int32_t* count) {
#if defined(RF_FAKE_MISSING_FUNCTION)
  if (RfFakeIsInNoRuntime() != 0) return 1;
#endif
#if defined(RF_FAKE_OLD_DRIVER)
  return 35;
#elif defined(RF_FAKE_EMULATOR)
  *count = 2;
  return 0;
#else
  return RfFakeGetDeviceCount(count);
#endif
}

constexpr rf::hip::GpuApi MakeTable() {
  rf::hip::GpuApi table{};
  table.version = rf::hip::kGpuApiVersion;
  table.table_bytes = sizeof(rf::KernelTable);
  table.runtime = "HIP";
  table.count_devices = CountDevices;
  table.error_name = [](int) { return "hipErrorInsufficientDriver"; };
  table.error_text = [](int) { return "driver version is insufficient for runtime version"; };
#if defined(RF_FAKE_WRONG_VERSION)
  table.version += 1;
#elif defined(RF_FAKE_WRONG_TABLE)
  table.table_bytes -= 8;
#elif defined(RF_FAKE_EMULATOR)
  table.runtime = "emulator";
#endif
  return table;
}

[[maybe_unused]] const rf::hip::GpuApi kTable = MakeTable();

}  // namespace

#if defined(RF_FAKE_NULL_TABLE)
extern "C" const rf::hip::GpuApi* RocmforgeGpuApi() {
  return nullptr;
}
#elif !defined(RF_FAKE_NO_SYMBOL)
extern "C" const rf::hip::GpuApi* RocmforgeGpuApi() {
  return &kTable;
}
#endif
