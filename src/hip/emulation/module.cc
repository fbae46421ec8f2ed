// The emulator as a module that the program opens at run time. Two variables say how it runs, for tests:
//   ROCMFORGE_EMULATOR_ORDER     forward, reverse or random: in which order blocks, waves and lanes have their turns
//   ROCMFORGE_EMULATOR_MATRICES  mma.sync, gfx11, gfx12, gfx90a or gfx942: the layout of matrix instructions
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "hip/emulation/emulator.h"
#include "hip/emulation/matrix_layout.h"
#include "hip/gpu_fault.h"

namespace rf::hip::emulation {
namespace {

template <typename T>
struct Named {
  std::string_view name;
  T value;
};

constexpr Named<Order> kOrders[] = {
    {"forward", Order::kForward}, {"reverse", Order::kReverse}, {"random", Order::kRandom}};
constexpr Named<MatrixLayout> kLayouts[] = {{"mma.sync", MatrixLayout::kMmaSync},
                                            {"gfx11", MatrixLayout::kGfx11},
                                            {"gfx12", MatrixLayout::kGfx12},
                                            {"gfx90a", MatrixLayout::kGfx90a},
                                            {"gfx942", MatrixLayout::kGfx942}};

// Calls `set` with what the variable names, if it is set; false: nothing has that name.
template <typename T, size_t kCount, typename Set>
bool SetFrom(const char* variable, const Named<T> (&choices)[kCount], Set set) {
  const char* wanted = std::getenv(variable);
  if (wanted == nullptr) return true;
  for (const Named<T>& choice : choices) {
    if (choice.name != wanted) continue;
    set(choice.value);
    return true;
  }
  return false;
}

bool SetFromEnvironment() {
  return SetFrom("ROCMFORGE_EMULATOR_ORDER", kOrders, [](Order order) { SetOrder(order); }) &&
         SetFrom("ROCMFORGE_EMULATOR_MATRICES", kLayouts, SetMatrixLayout);
}

}  // namespace
}  // namespace rf::hip::emulation

// Null, which is refused as a module without a table is: a variable has a value that it does not take.
extern "C" __attribute__((visibility("default"))) const rf::hip::GpuApi* RocmforgeGpuApi() {
  static const bool is_set = rf::hip::emulation::SetFromEnvironment();
  return is_set ? &rf::hip::emulation::Api() : nullptr;
}

// A kernel of the emulator is code of this process.
extern "C" __attribute__((visibility("default"))) int RocmforgeGpuFault(int32_t, rf::hip::GpuFault fault) {
  if (fault == rf::hip::GpuFault::kNeverEnd) {
    for (;;) pause();
  }
  int* volatile nowhere = nullptr;
  *static_cast<volatile int*>(nowhere) = 1;
  return 0;
}
