// Tells AddressSanitizer that the stack changes; nothing without it.
#pragma once

#include <cstddef>

#include "base/sanitizers.h"

#if RF_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace rf::hip::emulation {

#if RF_ASAN
// Where the scheduler runs: known once the first fiber has been entered from there.
struct SchedulerStack {
  const void* bottom = nullptr;
  size_t bytes = 0;
  void* fake = nullptr;
};
inline SchedulerStack scheduler_stack;

inline void StartSwitchToFiber(const void* bottom, size_t bytes) {
  __sanitizer_start_switch_fiber(&scheduler_stack.fake, bottom, bytes);
}
inline void FinishSwitchToScheduler() {
  __sanitizer_finish_switch_fiber(scheduler_stack.fake, nullptr, nullptr);
}
inline void StartSwitchToScheduler() {
  __sanitizer_start_switch_fiber(nullptr, scheduler_stack.bottom, scheduler_stack.bytes);
}
inline void FinishSwitchToFiber() {
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack.bottom, &scheduler_stack.bytes);
}
#else
inline void StartSwitchToFiber(const void* /*bottom*/, size_t /*bytes*/) {}
inline void FinishSwitchToScheduler() {}
inline void StartSwitchToScheduler() {}
inline void FinishSwitchToFiber() {}
#endif

}  // namespace rf::hip::emulation
