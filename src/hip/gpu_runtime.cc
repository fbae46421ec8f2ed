#include "hip/gpu_runtime.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace rf::hip {
namespace {

// The same numbers in HIP and CUDA. After any of them the process's context is gone.
constexpr int kFatalCodes[] = {
    214,  // uncorrectable ECC error
    700,  // illegal address
    702,  // launch timeout
    710,  // assertion in a kernel
    714,  // hardware stack error
    715,  // illegal instruction
    716,  // misaligned address
    718,  // invalid program counter
    719,  // launch failure
};

}  // namespace

std::string DescribeCode(const GpuApi& api, int code) {
  const char* name = api.error_name(code);
  const char* text = api.error_text(code);
  return fmt::format("{} ({}), {}", name != nullptr ? name : "unnamed error", code,
                     text != nullptr ? text : "no explanation");
}

bool IsFatal(int code) {
  return std::find(std::begin(kFatalCodes), std::end(kFatalCodes), code) != std::end(kFatalCodes);
}

GpuRuntime::GpuRuntime(const GpuApi& api, int32_t device, std::string name)
    : api_(api), device_(device), name_(std::move(name)) {}

Error GpuRuntime::Fail(int code, std::string_view operation) {
  Error error{code == kGpuOutOfMemory ? ErrorCode::kOutOfMemory : ErrorCode::kDevice,
              fmt::format("{} failed at {}: {}", api_.runtime, operation, DescribeCode(api_, code)), name_};
  if (IsFatal(code)) {
    fatal_code_.store(code);
    error.message += "; the device is lost, restart the program";
  }
  return error;
}

Status GpuRuntime::CheckAlive() const {
  const int code = fatal_code_.load();
  if (code == 0) return {};
  return Error{ErrorCode::kDevice,
               fmt::format("the device was lost earlier by {}: restart the program", DescribeCode(api_, code)), name_};
}

GpuRuntime::Memory GpuRuntime::ReadMemory() {
  Memory memory;
  const int code = api_.memory(device_, &memory.free_bytes, &memory.total_bytes);
  if (code == 0 && memory.free_bytes <= memory.total_bytes) return memory;
  if (!has_warned_.exchange(true)) {
    const std::string why = code != 0
                                ? DescribeCode(api_, code)
                                : fmt::format("it reports {} bytes free of {}", memory.free_bytes, memory.total_bytes);
    Log(LogLevel::kWarning, fmt::format("{}: how much memory is free is not known: {}", name_, why));
  }
  return {};
}

}  // namespace rf::hip
