// A GPU as a device, over a module's table of functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "device/device.h"
#include "hip/gpu_api.h"

namespace rf::hip {

/// Bytes behind a weight's last row that kernels may read. They hold nothing.
inline constexpr size_t kReadableBeyond = 16;

/// Whether a module with code for `targets` (GpuApi::targets) can run on `arch` ("gfx1100", without settings). A
/// generic target ("gfx11-generic") is code for those that LLVM's "User Guide for AMDGPU Backend", Generic Processors,
/// lists.
bool HasCodeFor(const char* targets, std::string_view arch);

/// The module's device number `index` as "kind:index" (kind: what --device calls it). It is tested before anyone gets
/// it: a device that computes wrongly is refused. `api` must outlive it. Errors: kDevice (also
/// if the module has no code for it), kOutOfMemory.
Result<std::unique_ptr<Device>> CreateHipDevice(const GpuApi& api, const std::string& kind, int32_t index);

}  // namespace rf::hip
