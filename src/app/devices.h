// The devices of this build, best first: the one place that names the folders that implement device/device.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"

namespace rf::app {

/// What the command line says about devices.
struct DeviceOptions {
  std::string device = "auto";  ///< "auto", or a kind, or "kind:n" for its n-th device (from 0)
  int n_threads = 0;            ///< CPU threads; 0: one for each core that this process may use
};

using DeviceList = std::vector<std::unique_ptr<Device>>;

/// The devices that may run a model, in order of preference: all of them for "auto", otherwise the named ones. Never
/// empty. Errors: kInvalidArgument for a name of another form (the message lists the kinds), kDevice for a kind that
/// this build lacks or a device that the machine lacks; those of creating a device.
Result<DeviceList> CreateDevices(const DeviceOptions& options);

/// Plain pointers to the devices, as the engine wants them.
std::vector<Device*> Pointers(const DeviceList& devices);

}  // namespace rf::app
