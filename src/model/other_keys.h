// Keys that would change a model's arithmetic and that this build does not compute with.
#pragma once

#include "base/result.h"
#include "gguf/metadata.h"
#include "model/arch_spec.h"
#include "model/hyperparameters.h"

namespace rf {

/// Refuses `<architecture>.*` keys that other architectures use to change the arithmetic (scales, groups of experts,
/// attention of other kinds, …) unless their value is the one that changes nothing. A key that no list has is warned
/// about. So no key that matters is dropped silently.
/// Errors: kUnsupported that names key, value and what is accepted.
Status CheckOtherKeys(const GgufMetadata& metadata, const ArchSpec& arch, const Hyperparameters& hparams);

}  // namespace rf
