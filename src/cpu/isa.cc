#include "cpu/isa.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/utf8.h"
#include "cpu/features.h"
#include "cpu/isa_family.h"
#include "cpu/reference_kernels.h"

namespace rf::cpu {

#define RF_ISA(family, name, flags, test)             \
  RF_IF_##family(namespace name {                     \
    void RegisterKernels(KernelTable& table);         \
    bool RegisterBFloat16Kernels(KernelTable& table); \
    int64_t MultiplyInRegisters(int32_t* results);    \
  })
#include "cpu/isa.def"
#undef RF_ISA

namespace {

std::string ListSupported() {
  std::string names;
  for (const Isa& isa : AllIsas()) {
    if (isa.is_supported) names += (names.empty() ? "" : ", ") + std::string(isa.name);
  }
  return names;
}

}  // namespace

std::span<const Isa> AllIsas() {
  [[maybe_unused]] static const Features features = DetectFeatures();
  static const Isa isas[] = {
      {"reference", true, FillReferenceKernels, [](KernelTable&) { return false; }, nullptr},
#define RF_ISA(family, name, flags, test) \
  RF_IF_##family({#name, test, name::RegisterKernels, name::RegisterBFloat16Kernels, name::MultiplyInRegisters}, )
#include "cpu/isa.def"
#undef RF_ISA
  };
  return isas;
}

Result<const Isa*> SelectIsa(std::string_view name) {
  const char* forced = std::getenv("ROCMFORGE_CPU_ISA");
  const bool is_forced = name.empty() && forced != nullptr;
  if (is_forced) name = forced;
  const char* where = is_forced ? "ROCMFORGE_CPU_ISA" : "--isa";
  const Isa* best = nullptr;
  for (const Isa& isa : AllIsas()) {
    if (name.empty() && isa.is_supported) best = &isa;
    if (name != isa.name || name.empty()) continue;
    if (isa.is_supported) return &isa;
    return Error{ErrorCode::kUnsupported, fmt::format("this CPU lacks '{}'; it has: {}", name, ListSupported()), where};
  }
  if (best != nullptr) return best;
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("unknown CPU instruction set '{}'; this machine has: {}", EscapeForMessage(name, 40),
                           ListSupported()),
               where};
}

}  // namespace rf::cpu
