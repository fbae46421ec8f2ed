// The pretended runtime as a module, for tests of the whole program: a GPU that computes as the ops' references do, and
// fails as the environment says. RF_SHIM_WRONG_OP: as Shim::wrong_op; RF_SHIM_FAIL_AT, RF_SHIM_CODE: as Shim::fail_at
// and code, and every call from then on fails.
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
