// See features.h: a processor that no instruction set but the generic one is for.
#include "cpu/features.h"

namespace rf::cpu {

Features DetectFeatures() {
  return {};
}

}  // namespace rf::cpu
