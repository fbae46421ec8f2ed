// What thread pools have done, for tests.
#pragma once

#include <cstdint>

namespace rf {

/// How often any pool of this process has had several threads work on one Run() and waited for all of them.
uint64_t CountSharedRuns();

}  // namespace rf
