// Whether a device computes what another one does: a small model runs on both.
#pragma once

#include "base/result.h"
#include "device/device.h"

namespace rf {

/// Runs a model of one layer with random weights on both: a prompt, and decoding steps, which a GPU records and
/// replays; compares the logits, and if the device finds the best of them, those with the row. A broken driver or
/// compiler must show as this, not as a model that talks nonsense. Errors: kDevice, saying how far apart the logits
/// are; those of loading and running it.
Status CheckParity(Device& device, Device& trusted);

}  // namespace rf
