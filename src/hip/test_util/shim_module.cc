// The pretended runtime as a module, for tests of the whole program: a GPU that computes as the ops' references do, and
// fails as the environment says. RF_SHIM_WRONG_OP: as Shim::wrong_op; RF_SHIM_FAIL_AT, RF_SHIM_CODE: as Shim::fail_at
// and code, and every call from then on fails. RF_SHIM_DELAY_AT, RF_SHIM_DELAY_MS: as delay_at and delay. RF_SHIM_FREE,
// RF_SHIM_CAPACITY: as claimed_free and capacity. RF_SHIM_NO_PINNED: 1 as fails_pinned. RF_SHIM_TARGETS: as
// GpuApi::targets. RF_SHIM_DEVICES, RF_SHIM_LAST_ARCH: as n_devices and last_arch.
#include <chrono>
#include <cstdlib>
#include <limits>
#include <string>

#include "hip/test_util/shim.h"

namespace rf::hip {
namespace {

std::string Setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

const GpuApi* MakeTable() {
  auto* shim = new Shim;  // as long as the program
  shim->wrong_op = Setting("RF_SHIM_WRONG_OP", "");
  shim->fail_at = std::stoi(Setting("RF_SHIM_FAIL_AT", "-1"));
  shim->code = std::stoi(Setting("RF_SHIM_CODE", "719"));
  shim->delay_at = std::stoi(Setting("RF_SHIM_DELAY_AT", "-1"));
  shim->delay = std::chrono::milliseconds(std::stoi(Setting("RF_SHIM_DELAY_MS", "0")));
  shim->claimed_free = std::stoull(Setting("RF_SHIM_FREE", "1073741824"));
  shim->capacity = std::stoull(Setting("RF_SHIM_CAPACITY", "1073741824"));
  shim->fails_pinned = Setting("RF_SHIM_NO_PINNED", "0") == "1";
  shim->n_devices = std::stoi(Setting("RF_SHIM_DEVICES", "1"));
  shim->last_arch = Setting("RF_SHIM_LAST_ARCH", "");
  shim->table().targets = std::getenv("RF_SHIM_TARGETS");
  shim->n_failures = std::numeric_limits<int>::max();
  shim->table().runtime = "HIP";
  return &shim->api();
}

}  // namespace
}  // namespace rf::hip

extern "C" const rf::hip::GpuApi* RocmforgeGpuApi() {
  static const rf::hip::GpuApi* const table = rf::hip::MakeTable();
  return table;
}
