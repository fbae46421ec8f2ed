#include "server/supervisor/fault.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

constexpr std::pair<std::string_view, FaultKind> kFaultNames[] = {
    {"kill", FaultKind::kKill},          {"crash", FaultKind::kCrash},      {"stop", FaultKind::kStop},
    {"hang", FaultKind::kHang},          {"lost", FaultKind::kLost},        {"oom", FaultKind::kOutOfMemory},
    {"gpu-write", FaultKind::kGpuWrite}, {"gpu-hang", FaultKind::kGpuHang},
};

Error BadFault(std::string_view text) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("'{}' is no fault; it is kill, crash, stop, hang, lost, oom, gpu-write or gpu-hang, then ,step=N "
                      ",token=N ,worker=N",
                      EscapeForMessage(text, 60)),
          "ROCMFORGE_FAULT"};
}

template <typename Number>
bool ReadNumber(std::string_view text, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size();
}

bool ReadPart(std::string_view part, Fault& fault) {
  const size_t equals = std::min(part.find('='), part.size());
  const std::string_view name = part.substr(0, equals);
  const std::string_view value = part.substr(std::min(equals + 1, part.size()));
  if (name == "step") return ReadNumber(value, fault.step);
  if (name == "worker") return ReadNumber(value, fault.worker);
  return name == "token" && ReadNumber(value, fault.token.emplace());
}

}  // namespace

bool Fault::Hits(uint64_t step_number, std::span<const int32_t> tokens) const {
  if (step != 0 && step != step_number) return false;
  return !token || std::find(tokens.begin(), tokens.end(), *token) != tokens.end();
}

Result<Fault> ParseFault(std::string_view text) {
  Fault fault;
  size_t end = std::min(text.find(','), text.size());
  const auto* const named = std::find_if(std::begin(kFaultNames), std::end(kFaultNames),
                                         [&](const auto& entry) { return entry.first == text.substr(0, end); });
  if (named == std::end(kFaultNames)) return BadFault(text);
  fault.kind = named->second;
  while (end < text.size()) {
    const size_t begin = end + 1;
    end = std::min(text.find(',', begin), text.size());
    if (!ReadPart(text.substr(begin, end - begin), fault)) return BadFault(text);
  }
  return fault;
}

Status Commit(const Fault& fault, const FailGpu& fail_gpu) {
  switch (fault.kind) {
    case FaultKind::kKill: std::raise(SIGKILL); break;
    case FaultKind::kCrash:
      std::signal(SIGSEGV, SIG_DFL);
      std::raise(SIGSEGV);
      break;
    case FaultKind::kStop: std::raise(SIGSTOP); break;
    case FaultKind::kHang:
      for (;;) pause();
    case FaultKind::kLost: return Error{ErrorCode::kDevice, "the device is lost, as ROCMFORGE_FAULT wants it", ""};
    case FaultKind::kGpuWrite: return fail_gpu(false);
    case FaultKind::kGpuHang: return fail_gpu(true);
    case FaultKind::kOutOfMemory: return Error{ErrorCode::kOutOfMemory, "no memory, as ROCMFORGE_FAULT wants it", ""};
  }
  return {};
}

}  // namespace rf::server
