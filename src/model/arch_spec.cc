#include "model/arch_spec.h"

namespace rf {

#define RF_ARCH(name) extern const ArchSpec kArch_##name;
#include "model/archs.def"
#undef RF_ARCH

namespace {

constexpr const ArchSpec* kArchs[] = {
#define RF_ARCH(name) &kArch_##name,
#include "model/archs.def"
#undef RF_ARCH
};

}  // namespace

std::span<const ArchSpec* const> AllArchs() {
  return kArchs;
}

const ArchSpec* FindArch(std::string_view name) {
  for (const ArchSpec* arch : kArchs) {
    if (arch->name == name) return arch;
  }
  return nullptr;
}

}  // namespace rf
