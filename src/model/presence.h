// Whether files of an architecture have a tensor.
#pragma once

#include <cstdint>

namespace rf {

enum class Presence : uint8_t { kAbsent, kOptional, kRequired };

}  // namespace rf
